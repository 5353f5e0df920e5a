"""`vocwatch case`: what somebody takes care of, until it has an outcome."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say, user_name
from vocwatch.clock import business_date
from vocwatch.exits import Exit, Stop
from vocwatch.lang import tr
from vocwatch.masking import mask
from vocwatch.plain import one_line
from vocwatch.store import Connection, cases
from vocwatch.store.cases import By, Case, CaseError

_CHANNEL = "cli"
NumberArgument = Annotated[int, typer.Argument(metavar="NUMBER", help="跟进编号，见 vocwatch case list")]
WhoOption = Annotated[str, typer.Option("--by", help="谁；默认当前系统用户")]
NoteOption = Annotated[str, typer.Option(help="备注")]
DueOption = Annotated[str, typer.Option("--due", help="期限：2026-11-20，或几天内：3d；当天结束前完成")]
_STATES = {"open": ("进行中", "open"), "closed": ("已结案", "closed")}
_STEPS = {
    "opened": ("立项", "opened"), "assigned": ("交给", "assigned to"), "due": ("期限", "due"), "comment": ("备注", "comment"),
    "closed": ("结案", "closed"),
}


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("open", help="给一个事件或提及立一件跟进；已有进行中的就用那件")(open_command)
    group.command("assign", help="交给谁")(assign_command)
    group.command("due", help="定期限")(due_command)
    group.command("comment", help="加一条备注")(comment_command)
    group.command("close", help="结案：改评、补偿、下架、澄清、误报")(close_command)
    group.command("list", help="列出跟进，先到期的在前")(list_command)
    group.command("show", help="一件跟进和它的全部经过")(show_command)
    app.add_typer(group, name="case")


@contextmanager
def _working(state: Context) -> Iterator[Connection]:
    """Open a transaction; a step that the case can't take ends the command with one message."""
    try:
        with state.store.begin(durable=True) as connection:
            yield connection
    except CaseError as error:
        raise Stop(Exit.USAGE, str(error)) from error


def _by(state: Context, who: str) -> By:
    return By(user_name(who), _CHANNEL, state.now)


def open_command(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(metavar="ID", help="事件编号，或提及的编号、网址")],
    owner: Annotated[str, typer.Option("--to", help="交给谁")] = "",
    due: DueOption = "",
    note: NoteOption = "",
    who: WhoOption = "",
    as_json: JsonOption = False,
) -> None:
    """Open a case, and assign it where somebody is named."""
    state: Context = context.obj
    due_on = _date(state, due) if due else None
    with _working(state) as connection:
        kind, key, title = cases.find_subject(connection, subject)
        by = _by(state, who)
        found, new = cases.open_case(connection, kind, key, title, by, mask(note))
        if note and not new:
            cases.comment(connection, found.id, mask(note), by)
        if owner:
            found = cases.assign(connection, found.id, owner, by)
        if due_on:
            found = cases.set_due(connection, found.id, due_on, by)
    _done(found, as_json, "" if new else tr("（已有进行中的跟进，未另立）", " (it was open already)"))


def assign_command(
    context: typer.Context, number: NumberArgument,
    owner: Annotated[str, typer.Argument(help="交给谁")],
    note: NoteOption = "", who: WhoOption = "", as_json: JsonOption = False,
) -> None:
    """Give a case to somebody."""
    state: Context = context.obj
    with _working(state) as connection:
        found = cases.assign(connection, number, owner, _by(state, who), mask(note))
    _done(found, as_json)


def due_command(
    context: typer.Context, number: NumberArgument,
    due: Annotated[str, typer.Argument(help="2026-11-20，或 3d")],
    note: NoteOption = "", who: WhoOption = "", as_json: JsonOption = False,
) -> None:
    """Set the date by whose end a case is to be done."""
    state: Context = context.obj
    due_on = _date(state, due)
    with _working(state) as connection:
        found = cases.set_due(connection, number, due_on, _by(state, who), mask(note))
    _done(found, as_json)


def comment_command(
    context: typer.Context, number: NumberArgument,
    text: Annotated[str, typer.Argument(help="说什么；电话、姓名会打码")],
    who: WhoOption = "", as_json: JsonOption = False,
) -> None:
    """Add a comment."""
    state: Context = context.obj
    with _working(state) as connection:
        found = cases.comment(connection, number, mask(text), _by(state, who))
    _done(found, as_json)


def close_command(
    context: typer.Context, number: NumberArgument,
    outcome: Annotated[str, typer.Argument(help="改评、补偿、下架、澄清、误报")],
    note: NoteOption = "", who: WhoOption = "", as_json: JsonOption = False,
) -> None:
    """Close a case. 误报 is kept as feedback on the finding, too."""
    state: Context = context.obj
    with _working(state) as connection:
        found = cases.close(connection, number, cases.CODES.get(outcome, outcome), _by(state, who), mask(note))
    _done(found, as_json)


def list_command(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="连结了案的一起列")] = False,
    owner: Annotated[str, typer.Option("--to", help="只看交给这个人的")] = "",
    subject: Annotated[str, typer.Option("--subject", help="只看这个事件或提及的（编号）")] = "",
    late: Annotated[bool, typer.Option("--overdue", help="只看逾期的")] = False,
    as_json: JsonOption = False,
) -> None:
    """List cases, those due first before the others."""
    state: Context = context.obj
    today = business_date(state.now, state.settings.app.zone)
    due_by = today - dt.timedelta(days=1) if late else None
    with state.store.read() as connection:
        found = cases.listed(
            connection, state=None if everything and not late else cases.OPEN, owner=owner or None, subject=subject or None,
            due_by=due_by,
        )
    rows = [{**asdict(one), "overdue": _late(one, today)} for one in found]
    if as_json:
        print_json(rows)
        return
    mark = tr("逾期", "overdue")
    print_rows(
        [{**row, "state": mark if row["overdue"] else tr(*_STATES[row["state"]])} for row in rows],
        {"id": tr("编号", "Id"), "state": tr("状态", "State"), "title": tr("标题", "Title"), "subject_id": "ID",
         "owner": tr("负责", "Owner"), "due_on": tr("期限", "Due"), "outcome": tr("结果", "Outcome")}, False,
    )


def show_command(context: typer.Context, number: NumberArgument, as_json: JsonOption = False) -> None:
    """Show a case and all its steps."""
    state: Context = context.obj
    today = business_date(state.now, state.settings.app.zone)
    try:
        with state.store.read() as connection:
            found, steps = cases.get(connection, number), cases.history(connection, number)
    except CaseError as error:
        raise Stop(Exit.USAGE, str(error)) from error
    if as_json:
        print_json({**asdict(found), "overdue": _late(found, today), "history": steps})
        return
    zone = state.settings.app.zone
    print_lines([_line(found), *(
        f"  {step['at'].astimezone(zone):%Y-%m-%d %H:%M} {one_line(step['who'], 60)}　{tr(*_STEPS[step['what']])}"
        + (f" {one_line(step['value'])}" if step["value"] else "") + (f"　{one_line(step['note'], 500)}" if step["note"] else "")
        for step in steps
    )])


def _late(one: Case, today: dt.date) -> bool:
    return one.state == cases.OPEN and one.due_on is not None and one.due_on < today


def _date(state: Context, text: str) -> dt.date:
    if text[:-1].isascii() and text[:-1].isdigit() and text[-1:] == "d" and len(text) <= 4:
        return business_date(state.now, state.settings.app.zone) + dt.timedelta(days=int(text[:-1]))
    return state.date(text)


def _done(found: Case, as_json: bool, more: str = "") -> None:
    if as_json:
        print_json(asdict(found))
    else:
        say(_line(found) + more)


def _line(one: Case) -> str:
    due = tr(f"，{one.due_on} 前", f", by {one.due_on}") if one.due_on else ""
    owner = tr(f"，{one.owner} 负责", f", {one.owner}") if one.owner else ""
    ended = f"·{one.outcome}" if one.outcome else ""
    return tr(f"跟进 {one.id}［{_STATES[one.state][0]}{ended}］", f"Case {one.id} [{_STATES[one.state][1]}{ended}] ") + f"{one.title}（{one.subject_id}）{owner}{due}"
