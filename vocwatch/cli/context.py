"""What every command starts from: settings, store, clock, output."""

from __future__ import annotations

import datetime as dt
import getpass
import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from vocwatch import practice
from vocwatch.clock import business_date
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.models import SourceStatus
from vocwatch.plain import one_line
from vocwatch.settings import Environment, Settings, Source, load_settings

if TYPE_CHECKING:
    from vocwatch.store import Store

JsonOption = Annotated[bool, typer.Option("--json", help="输出 JSON")]
STATUS_WORDS = {
    SourceStatus.OK: ("正常", "ok"), SourceStatus.DEGRADED: ("降级", "degraded"),
    SourceStatus.BLOCKED: ("受阻", "blocked"), SourceStatus.EMPTY: ("无内容", "empty"),
    SourceStatus.NOT_RUN: ("未运行", "not run"),
}


@dataclass
class Context:
    """One run of the command line."""

    env: Environment
    demo: bool = False

    @cached_property
    def settings(self) -> Settings:
        """The checked configuration. Raises ConfigError."""
        return load_settings(self.env)

    @cached_property
    def store(self) -> Store:
        """The migrated database. Raises StorageError."""
        from vocwatch.store import open_store  # here: not every command needs one

        return open_store(self.env.database_url)

    @property
    def now(self) -> dt.datetime:
        """The present moment by the injected clock."""
        return self.settings.clock.now()

    def date(self, text: str | None) -> dt.date:
        """Parse a business date; without one, the last business day that is over."""
        if not text:
            return business_date(self.now, self.settings.app.zone) - dt.timedelta(days=1)
        if text == "today":
            return business_date(self.now, self.settings.app.zone)
        try:
            return dt.date.fromisoformat(text)
        except ValueError as error:
            raise Stop(Exit.USAGE, tr(f"日期看不懂：{text}。请写成 2026-11-15", f"Not a date: {text}. Write 2026-11-15")) from error

    def source(self, name: str) -> Source:
        """Return the source of that name; an unknown one ends the command and lists those there are."""
        try:
            return self.settings.sources[name]
        except KeyError:
            known = listed(self.settings.sources) or tr("（还没有来源）", "(none)")
            raise Stop(Exit.USAGE, tr(f"没有来源 {name}。现有：{known}", f"No source {name}. There are: {known}")) from None

    def with_now(self, moment: str) -> Context:
        """Return a context whose clock stands at `moment`."""
        return replace(self, env=replace(self.env, now=moment, variables={**self.env.variables, "VOCWATCH_NOW": moment}))

    def practising(self, addresses: Mapping[str, str], config: Path | None = None) -> Context:
        """Return a context that reads the practice configuration (or a copy of it) and keeps its data apart in `demo/`."""
        config, data = config or practice.folder() / "config", self.env.data / "demo"
        variables = {
            **self.env.variables, **addresses, "VOCWATCH_CONFIG": str(config), "VOCWATCH_DATA": str(data),
            "VOCWATCH_NOW": practice.NOW, "VOCWATCH_DATABASE_URL": f"sqlite:///{data / 'vocwatch.sqlite3'}",
        }
        return Context(replace(
            self.env, config=config, data=data, now=practice.NOW, variables=variables,
            database_url=variables["VOCWATCH_DATABASE_URL"],
        ))

    def demonstrated(self) -> Context:
        """Return a context over what the demonstration stored, with a copy of its configuration that may be edited.

        Raises Stop where there has been none.
        """
        config = self.env.data / "demo" / "config"
        state = self.practising({}, config)
        if not (state.env.data / "vocwatch.sqlite3").exists():
            raise Stop(Exit.USAGE, tr("还没有演示数据，请先运行：vocwatch demo", "There is no demonstration data yet; run first: vocwatch demo"))
        if not config.exists():
            shutil.copytree(practice.folder() / "config", config)
        return replace(state, demo=True)


out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def user_name(named: str = "") -> str:
    """Return who acts: the name that was given, else the system's user."""
    if named.strip():
        return one_line(named.strip(), 100)
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "cli"


def say(text: str) -> None:
    """Print one line for the person at the terminal, not for a pipe that wants data."""
    err.print(one_line(text, 2000), markup=False)


def print_json(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1, default=str) + "\n")


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], as_json: bool) -> None:
    """Print rows as a table on a terminal, as tab-separated lines in a pipe, or as JSON."""
    if as_json:
        print_json(list(rows))
        return
    if not out.is_terminal:
        print_lines(["\t".join(columns.values())])
        print_lines("\t".join(one_line(_shown(row.get(key))) for key in columns) for row in rows)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in columns.values():
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*(one_line(_shown(row.get(key)), 120).replace("[", r"\[") for key in columns))
    out.print(table)


def print_lines(lines: Iterable[str]) -> None:
    """Print plain lines to standard output."""
    for line in lines:
        sys.stdout.write(line + "\n")


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return listed(str(item) for item in value)
    return str(value)
