"""`vocwatch topics emerging`: complaints the taxonomy has no leaf for, as proposals with their rows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reports.emerging import Phrase, clause_of, read_emerging
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, say
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line
from vocwatch.store.incidents import Heard

MAX_ROWS = 5


def emerging_command(
    context: typer.Context,
    date: Annotated[str, typer.Option(help="业务日，默认昨天")] = "",
    as_json: JsonOption = False,
) -> None:
    """Propose new topics from phrases that are new today among what no topic covers."""
    state: Context = context.obj
    day = state.date(date)
    with state.store.read() as connection:
        found, heard = read_emerging(state.settings, connection, day)
    if as_json:
        print_json({"date": day.isoformat(), "phrases": [_told(phrase, heard) for phrase in found]})
        return
    if not found:
        say(tr(f"{day} 没有主题表之外的新说法", f"No new phrase outside the taxonomy on {day}"))
    for phrase in found:
        print_lines([tr(
            f"# {listed(phrase.words)}：{phrase.authors} 人 {phrase.texts} 条，前 28 天 {phrase.before} 条，z {phrase.z}",
            f"# {listed(phrase.words)}: {phrase.authors} people in {phrase.texts} texts, {phrase.before} in the 28 days before, z {phrase.z}",
        )])
        print_lines(f"#   {row['clause']}  {row['url']}" for row in _told(phrase, heard)["rows"][:MAX_ROWS])
        print_lines([phrase.snippet])
    if found:
        say(tr("把上面的片段贴进 config/topics.yaml 的 topics 下面，改好名称和例句，再运行 vocwatch topics test",
               "Paste a piece under topics in config/topics.yaml, name it, add examples, then run vocwatch topics test"))


def _told(phrase: Phrase, heard: dict[int, Heard]) -> dict[str, Any]:
    rows = [heard[key] for key in phrase.mention_ids]
    return {
        "phrase": phrase.phrase, "words": list(phrase.words), "z": phrase.z, "authors": phrase.authors,
        "texts": phrase.texts, "before": phrase.before, "snippet": phrase.snippet,
        "rows": [
            {"mention": row.ref_id, "source": row.channel, "url": one_line(row.url, 500), "evidence": row.page_sha,
             "clause": "" if row.gone else clause_of(phrase.phrase, row.text)}
            for row in rows
        ],
    }
