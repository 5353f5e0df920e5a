"""`vocwatch source new NAME URL`: the conversation that ends in a source file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from crawlers.propose import Person, Proposal, ProposeError, propose, signed, write_source
from crawlers.propose_talk import TO_FILL, Ask, Choice, take_best
from crawlers.propose_write import pages_folder
from crawlers.saved import as_stored
from vocwatch.cli.context import Context, JsonOption, print_json, say
from vocwatch.cli.source_show import coverage_of, show_coverage, show_records
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import Source


def register(group: typer.Typer) -> None:
    """Add the command to `vocwatch source`."""
    group.command("new", help="看一个网址是什么页面，给出建议并写成来源文件")(new_command)


def new_command(
    context: typer.Context, name: str, url: str,
    title: Annotated[str, typer.Option(help="站点名")] = "",
    owner: Annotated[str, typer.Option(help="负责人")] = "",
    basis: Annotated[str, typer.Option(help="访问依据，如：公开页面，无需登录")] = "",
    impact: Annotated[str, typer.Option(help="对网站的影响，如：每天两次，每次约 20 页")] = "",
    reviewer: Annotated[str, typer.Option(help="复核人；不写就是负责人")] = "",
    keyword: Annotated[bool | None, typer.Option("--keyword/--no-keyword", help="搜索地址里的词换不换成 {keyword}")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="不提问：拿不准的取最好的，没给的写待填")] = False,
    as_json: JsonOption = False,
) -> None:
    """Look, ask, and write config/sources/NAME.yaml (off), the page and what it gives: all of it or nothing."""
    state: Context = context.obj
    if name in state.settings.sources:
        raise Stop(Exit.USAGE, tr(f"已经有来源 {name}，请换个名字", f"There is a source {name} already; choose another name"))
    try:
        ask = take_best if yes or as_json else _asking(state)
        proposal = propose(state.settings, name, url, title=title, owner=owner, basis=basis, ask=ask, tell=say, keyword=keyword)
        if not as_json:
            _show(state, proposal)
        person = Person(title or proposal.source.title, owner, basis, impact, reviewer)
        proposal = signed(proposal, person if yes or as_json else _asked(person))
        path = write_source(state.settings, proposal)
    except ProposeError as error:
        raise Stop(Exit(error.code), str(error)) from error
    except typer.Abort:
        raise Stop(Exit.USAGE, tr(
            "没有等到回答，什么也没有写。不想被提问就加 --yes，并用 --owner、--basis、--impact 给出回答",
            "No answer came, nothing was written. Add --yes to be asked nothing, with --owner, --basis, --impact",
        )) from None
    if as_json:
        print_json({
            "file": str(path), "pages": str(pages_folder(state.settings, name)), "robots": proposal.robots, "page": proposal.kind,
            "coverage": proposal.coverage, "notes": list(proposal.notes),
            "records": as_stored(state.settings, proposal.source, proposal.records),
        })
        return
    _next_steps(state, name, str(path), proposal.source)


def _show(state: Context, proposal: Proposal) -> None:
    say(tr(f"读出 {len(proposal.records)} 条（{proposal.kind}）：", f"{len(proposal.records)} records ({proposal.kind}):"))
    rows = as_stored(state.settings, proposal.source, proposal.records)
    show_records(rows, state.settings.app.zone, 5)
    show_coverage(coverage_of(rows, state.settings.app.zone))
    for note in proposal.notes:
        say(tr(f"注意：{note}", f"Note: {note}"))


def _asking(state: Context) -> Ask:
    def ask(question: str, choices: Sequence[Choice]) -> int:
        say(question)
        for number, choice in enumerate(choices, 1):
            say(f"  {number}. {choice.label}")
            for record in choice.records:
                moment = record.published_at.astimezone(state.settings.app.zone).strftime("%m-%d %H:%M") if record.published_at else "—"
                say(f"       {moment}  {one_line(record.text, 60)}")
        while True:
            taken = int(typer.prompt(tr(f"选几（1–{len(choices)}）", f"Which (1–{len(choices)})"), default=1, type=int, err=True))
            if 1 <= taken <= len(choices):
                return taken - 1

    return ask


def _asked(person: Person) -> Person:
    """Ask for what was not given on the command line; an empty answer is written as 待填."""
    questions = (
        (person.owner, "谁负责这个来源", "Who owns this source"),
        (person.basis, "凭什么可以读（如：公开页面，无需登录）", "On what ground may it be read (as: public pages, no login)"),
        (person.impact, "对网站的影响（如：每天两次，每次约 20 页）", "What it does to the site (as: twice a day, some 20 pages)"),
    )
    owner, basis, impact = (
        given or str(typer.prompt(tr(zh, en), default="", show_default=False, err=True)) for given, zh, en in questions
    )
    reviewer = person.reviewer or typer.prompt(tr("谁复核", "Who reviews it"), default=owner, err=True)
    return Person(person.title, owner, basis, impact, str(reviewer))


def _next_steps(state: Context, name: str, path: str, source: Source) -> None:
    say(tr(f"已写好 {path}（未启用），样页和预期结果在 {pages_folder(state.settings, name)}。接下来：",
           f"Written to {path} (off); pages and expectations in {pages_folder(state.settings, name)}. Next:"))
    if TO_FILL in (source.owner, *source.access.model_dump().values()):
        say(tr(f"  把文件里的“{TO_FILL}”填好", f"  fill in what says {TO_FILL} in the file"))
    say(tr(f"  vocwatch source test {name}      看会入库的记录；不对就改这个文件再试", f"  vocwatch source test {name}      look at the records; edit the file until they are right"))
    say(tr(f"  vocwatch source enable {name}    启用", f"  vocwatch source enable {name}    switch it on"))
    say(tr(f"  vocwatch crawl {name}            采集", f"  vocwatch crawl {name}            crawl"))
