"""`vocwatch share` and `vocwatch cases`: the brand beside its competitors, and sessions to train people with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from reports.trade import cases as training
from reports.trade.shares import reason
from reports.trade.voice_share import as_dict, voice_share
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, say
from vocwatch.cli.measures import window
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr

FromOption = Annotated[str, typer.Option("--from", help="从哪个业务日起")]
ToOption = Annotated[str, typer.Option("--to", help="到哪个业务日（含），默认昨天")]
_WEEK = 6


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("share")(share_command)
    app.command("cases")(cases_command)


def share_command(
    context: typer.Context, since: FromOption, until: ToOption = "",
    topic: Annotated[str, typer.Option(help="只比这个主题：大类，或 大类/小类")] = "",
    top: Annotated[int, typer.Option(min=1, help="列出多少个主题")] = 15,
    as_json: JsonOption = False,
) -> None:
    """Compare the brand's share of voice and complaint mix with its competitors'."""
    state: Context = context.obj
    if not any(watch.kind == "competitor" for watch in state.settings.watches.watches):
        raise Stop(Exit.USAGE, tr("没有竞品可比：在 config/watches.yaml 里加 kind: competitor 的监测词",
                                  "No competitors: add watches of kind: competitor to config/watches.yaml"))
    first, last = window(state, since, until)
    found = as_dict(voice_share(state.settings, state.store, first, last, topic))
    if as_json:
        print_json(found)
    else:
        print_lines(_lines(found, top, {name: source.title for name, source in state.settings.sources.items()}))


def _lines(found: Mapping[str, Any], top: int, titles: Mapping[str, str]) -> Iterator[str]:
    def named(sources: list[str]) -> str:
        return listed(titles.get(name, name) for name in sources) or tr("无", "none")

    yield tr(f"{found['since']} 至 {found['until']}，比的来源：{named(found['sources'])}",
             f"{found['since']} to {found['until']}; sources compared: {named(found['sources'])}")
    if found["left_out"]:
        yield tr(f"只说到本品牌的来源，不比：{named(found['left_out'])}", f"Left out, they speak of the brand alone: {named(found['left_out'])}")
    if found["on_pages"]:
        yield tr(f"商品页下的 {found['on_pages']} 条不比：那里只会说这件商品", f"{found['on_pages']} texts on product pages left out: they speak of that product")
    for name, number in found["unread_days"].items():
        yield tr(f"注意：{titles.get(name, name)} 有 {number} 天没读到", f"Caution: {titles.get(name, name)} was not read on {number} days")
    subjects = found["subjects"]
    yield "\t".join(["", *(each["name"] for each in subjects)])
    yield "\t".join([tr("声量占比", "Share of voice"), *(_share(each["voice"]) for each in subjects)])
    yield "\t".join([tr("投诉占比", "Share that complains"), *(_share(each["complaining"]) for each in subjects)])
    for place, own in enumerate(subjects[0]["topics"][:top]):
        cells = (each["topics"][place] for each in subjects)
        yield "\t".join([own["name"], *(_share(cell) + _differs(cell["differs"]) for cell in cells)])


def _differs(word: str | None) -> str:
    return {"高": tr(" ▲高于本品牌", " ▲ above ours"), "低": tr(" ▼低于本品牌", " ▼ below ours")}.get(word or "", "")


def _share(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return reason(told["why"] or "")
    return f"{told['value']:.0%} [{told['low']:.0%}, {told['high']:.0%}] {told['part']}/{told['whole']}"


def cases_command(
    context: typer.Context,
    since: Annotated[str, typer.Option("--from", help="从哪个业务日起，默认 --to 往前一周")] = "",
    until: ToOption = "",
    each: Annotated[int, typer.Option(min=1, max=50, help="好坏各选几个")] = 5,
    out: Annotated[Path | None, typer.Option(help="把 Markdown 写到文件")] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose bad and excellent sessions to train people with, excerpted and masked."""
    state: Context = context.obj
    last = state.date(until)
    first, last = window(state, since or (last.fromordinal(last.toordinal() - _WEEK)).isoformat(), until)
    found = training.cases(state.settings, state.store, first, last, each)
    if out is not None:
        try:
            out.write_text(training.markdown(found), encoding="utf-8")
        except OSError as error:
            raise Stop(Exit.STORAGE, tr(f"写不了 {out}：{error.strerror}", f"Cannot write {out}: {error.strerror}")) from error
        say(tr(f"差案例 {len(found.bad)} 个，好案例 {len(found.good)} 个，写在 {out}", f"{len(found.bad)} bad and {len(found.good)} excellent cases in {out}"))
    if as_json:
        print_json(training.as_dict(found))
    elif out is None:
        print_lines(training.markdown(found).splitlines())
