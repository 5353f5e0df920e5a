"""`vocwatch demo`: the whole chain on the bundled practice web."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from vocwatch import practice
from vocwatch.browser import NoBrowser, screenshot
from vocwatch.cli.collect import show_results
from vocwatch.cli.context import Context, print_json, print_lines, say
from vocwatch.cli.digest import show_files
from vocwatch.cli.sessions import show_imports
from vocwatch.exits import Exit, Stop
from vocwatch.lang import language, tr
from vocwatch.reasons import spoken
from vocwatch.scheduler import Busy, CycleReport, cycle, only_one

DAY = dt.date(2026, 11, 15)
WIDTHS = (390, 1280)


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("demo")(demo_command)


def demo_command(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help="日报写到哪个文件夹，默认 var/demo/digests")] = None,
    engine: Annotated[str, typer.Option(help="情感引擎：auto、snownlp、rules")] = "auto",
    web: Annotated[Path | None, typer.Option(help="用已在运行的练习网站：它的 --port-file")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON 摘要")] = False,
) -> None:
    """Crawl the practice web, import its sessions, judge, and write its digest with pictures."""
    base: Context = context.obj
    try:
        with nullcontext(practice.running_web(web)) if web else practice.practice_web() as addresses:
            state = base.practising(addresses)
            with only_one(state.settings):
                report = run_demo(state, out, engine)
    except Busy as busy:
        raise Stop(Exit.STORAGE, str(busy)) from busy
    except practice.PracticeError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    assert report.digest is not None
    shots = _pictures(state, report)
    if as_json:
        print_json(_summary(report, shots))
        return
    show_results(report.crawled, False)
    show_imports(report.imported)
    show_files(report.digest)
    print_lines(str(path) for path in shots)
    _what_next()


def run_demo(state: Context, out: Path | None, engine: str) -> CycleReport:
    """Write the practice exports and run one full cycle on the practice day."""
    return cycle(
        state.settings, state.store, DAY, exports=practice.write_exports(state.env.data / "exports"), engine=engine, lang=language(),
        out=out or state.env.data / "digests", progress=say,
    )


def _pictures(state: Context, report: CycleReport) -> list[Path]:
    assert report.digest is not None
    shots: list[Path] = []
    for width in WIDTHS:
        target = report.digest.html.with_name(f"{report.digest.html.stem}-{width}.png")
        try:
            screenshot(report.digest.html, target, width, env=state.env)
        except NoBrowser as error:
            say(tr(f"没有截图：{error}", f"No picture: {spoken(str(error))}"))
            return shots
        shots.append(target)
    return shots


def _summary(report: CycleReport, shots: list[Path]) -> dict[str, Any]:
    assert report.digest is not None and report.analysed is not None
    files = report.digest
    return {
        "sources": {r.source: {"status": r.status.value, "reason": spoken(r.reason) or None, **r.stats} for r in report.crawled},
        "imports": {r.file: {"rows": r.rows, "added": r.added, "problems": len(r.problems)} for r in report.imported},
        "assessed": report.analysed.assessed,
        "digest": {"html": str(files.html), "text": str(files.text), "json": str(files.json)},
        "pictures": [str(path) for path in shots],
    }


def _what_next() -> None:
    for line in (
        tr("以上是练习网站的日报（松果匣是虚构品牌，日期固定为 2026-11-15）。", "That was the practice web's digest (an invented brand, its date fixed at 2026-11-15)."),
        tr("再看看：vocwatch --demo serve（网页）、vocwatch --demo query topics、vocwatch --demo query incidents",
           "Look around: vocwatch --demo serve (web pages), vocwatch --demo query topics, vocwatch --demo query incidents"),
        tr("接下来，换成你们自己的：", "Next, your own:"),
        tr("  1. 改 config/vocwatch.yaml（品牌、店铺、负责人、收件人）和 config/watches.yaml（监测词）",
           "  1. edit config/vocwatch.yaml (brand, shops, owners, recipients) and config/watches.yaml (watches)"),
        tr("  2. 加来源：vocwatch source new 名字 网址", "  2. add a source: vocwatch source new NAME URL"),
        tr("  3. 体检：vocwatch doctor；跑一遍：vocwatch run", "  3. check: vocwatch doctor; run: vocwatch run"),
    ):
        say(line)
