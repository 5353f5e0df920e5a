"""`vocwatch watch`: the watched words."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import typer

from sentiment.run import make_judge
from vocwatch.cli.collect import JsonOption
from vocwatch.cli.context import Context, print_json, print_rows, say
from vocwatch.lang import tr
from vocwatch.models import TextInput
from vocwatch.store import queries


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True, help="监测词")
    group.command("list", help="列出监测词")(list_command)
    group.command("test", help="在已入库的提及上试一个词或一条监测词：会命中哪些")(test_command)
    app.add_typer(group, name="watch")


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the watches of config/watches.yaml."""
    state: Context = context.obj
    rows = [
        {"id": w.id, "kind": w.kind, "name": w.name, "aliases": list(w.aliases), "ambiguous": list(w.ambiguous),
         "exclude": list(w.exclude), "sku": w.sku}
        for w in state.settings.watches.watches
    ]
    print_rows(rows, {"id": "id", "kind": tr("类别", "Kind"), "name": tr("名称", "Name"), "aliases": tr("别名", "Aliases"),
                      "ambiguous": tr("有歧义的叫法", "Ambiguous"), "exclude": tr("排除", "Excluded"), "sku": "SKU"}, as_json)


def test_command(
    context: typer.Context,
    word: Annotated[str, typer.Argument(help="监测词 id，或任意一个词")],
    days: Annotated[int, typer.Option(min=1, max=365, help="看最近几天")] = 28,
    samples: Annotated[int, typer.Option(min=0, max=200)] = 20,
    as_json: JsonOption = False,
) -> None:
    """Show what a watch (by id) or a plain word catches in the stored mentions of the last days."""
    state: Context = context.obj
    since = state.now - dt.timedelta(days=days)
    known = word in {watch.id for watch in state.settings.watches.watches}
    wanted = queries.Filter(since=since, text="" if known else word)
    judge = make_judge(state.settings, "rules")
    found: list[dict[str, Any]] = []
    count = 0
    with state.store.read() as connection:
        for row in queries.mention_rows(connection, wanted):
            text = TextInput(id="0", body=row["text"], title=row["title"], context=tuple(x for x in (row["sku"], row["product"]) if x))
            rules = [hit.rule for hit in judge.match(text) if hit.watch == word] if known else [tr("含有这个词", "contains the word")]
            if rules:
                count += 1
                if len(found) < samples:
                    found.append({"rule": rules[0], "source": row["source"], "text": row["text"], "url": row["url"]})
    if as_json:
        print_json({"word": word, "days": days, "hits": count, "per_day": round(count / days, 2), "samples": found})
        return
    say(tr(f"最近 {days} 天命中 {count} 条，每天约 {count / days:.1f} 条；下面是其中 {len(found)} 条",
           f"{count} hits in {days} days, about {count / days:.1f} a day; {len(found)} of them follow"))
    print_rows(found, {"rule": tr("规则", "Rule"), "source": tr("来源", "Source"), "text": tr("正文", "Text")}, False)
