"""`vocwatch topics`: trying the taxonomy of complaints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sentiment.trial import Change, Failed, check, compare
from vocwatch.cli.context import Context, JsonOption, print_json, print_rows, say
from vocwatch.cli.emerging import emerging_command
from vocwatch.exits import Exit
from vocwatch.lang import tr
from vocwatch.settings.topics import Topics
from vocwatch.settings.yamlfile import load_model
from vocwatch.store import queries


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.callback()(_topics)
    group.command("test", help="改 topics.yaml 之前先试：例句是否都对，已入库的文本里每个小类会多出、少掉哪些")(test_command)
    group.command("emerging", help="主题表之外的新说法：至少 3 人同用、前 28 天少见，附可直接粘贴的主题片段")(emerging_command)
    app.add_typer(group, name="topics")


def _topics() -> None:
    """投诉主题。"""


def test_command(
    context: typer.Context,
    file: Annotated[Path | None, typer.Option(help="改过、还没放进 config 的 topics.yaml；不写则只查现有的")] = None,
    days: Annotated[int, typer.Option(min=1, max=365, help="看最近几天")] = 28,
    samples: Annotated[int, typer.Option(min=0, max=50, help="每个小类各列几条")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Check a taxonomy's examples, and show what it would change on the stored mentions of the last days."""
    state: Context = context.obj
    topics = load_model(file, Topics, state.env.variables) if file else state.settings.topics
    failed = check(topics)
    texts, changes = compare(state.settings.topics, topics, _stored(state, days), samples)
    told = [change for change in changes if change.gained or change.lost or (file is None and change.after)]
    if as_json:
        print_json({
            "file": str(file) if file else None, "days": days, "texts": texts,
            "examples_failed": [{"name": f.name, "kind": f.kind, "text": f.text} for f in failed],
            "leaves": [_row(change) for change in told],
        })
    else:
        _show(failed, texts, days, told, compared=file is not None)
    if failed:
        raise typer.Exit(Exit.CONFIGURATION)


def _show(failed: list[Failed], texts: int, days: int, told: list[Change], compared: bool) -> None:
    if failed:
        say(tr(f"{len(failed)} 个例句和规则对不上：", f"{len(failed)} examples do not agree with the rules:"))
        for item in failed:
            say(f"  {item.name} · {item.kind}：{item.text}")
    else:
        say(tr("例句全部通过", "All examples pass"))
    say(tr(f"最近 {days} 天的 {texts} 条文本里，{len(told)} 个小类或红线{'有变化' if compared else '有投诉'}",
           f"{texts} texts of {days} days: {len(told)} leaves or red lines {'change' if compared else 'have complaints'}"))
    columns = {"name": tr("小类（! 为红线）", "Leaf (! red line)"), "before": tr("现在", "Now"), "after": tr("改后", "Then"),
               "gained": tr("多出", "Gained"), "lost": tr("少掉", "Lost")}
    print_rows([_row(change) for change in told], columns, False)
    for change in told:
        for mark, lines in (("+", change.gains), ("-", change.losses)):
            for line in lines:
                say(f"{mark} {change.name}：{line[:100]}")


def _row(change: Change) -> dict[str, object]:
    return {"name": change.name, "before": change.before, "after": change.after, "gained": change.gained,
            "lost": change.lost, "gains": change.gains, "losses": change.losses}


def _stored(state: Context, days: int) -> Iterator[str]:
    wanted = queries.Filter(since=state.now - dt.timedelta(days=days))
    with state.store.read() as connection:
        for row in queries.mention_rows(connection, wanted):
            yield f"{row['title']}\n{row['text']}" if row["title"] else row["text"]
