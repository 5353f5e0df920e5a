"""The Typer application: global options, error messages, exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from vocwatch import __version__
from vocwatch.cli import (
    analyse,
    collect,
    demo,
    digest,
    doctor,
    evidence,
    explain,
    purge,
    query,
    sessions,
    source,
    topics,
    train,
    watch,
)
from vocwatch.cli.context import Context, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import set_language, tr
from vocwatch.settings import ConfigError, read_environment
from vocwatch.store import StorageError

app = typer.Typer(
    name="vocwatch", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a crash must not print local variables: they hold people's texts
    help="听品牌外面的声音，也听客服里面的坏会话，每天早上给出一份风险日报。",
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (demo, collect, sessions, analyse, train, digest, query, explain, evidence, watch, topics, source, purge, doctor):
    module.register(app)


@app.callback(invoke_without_command=True)
def _global(
    context: typer.Context,
    lang: Annotated[str, typer.Option(help="zh 或 en")] = "",
    now: Annotated[str, typer.Option(help="把时钟固定在这个时刻（ISO 8601），用于重现过去的一天")] = "",
    version: Annotated[bool, typer.Option("--version", help="显示版本")] = False,
) -> None:
    """听品牌外面的声音，也听客服里面的坏会话，每天早上给出一份风险日报。"""
    if version:
        typer.echo(__version__)
        raise typer.Exit
    state = Context(read_environment())
    set_language(lang or state.env.lang)
    context.obj = state.with_now(now) if now else state


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every expected failure ends in one message and its exit code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    try:
        app(arguments)  # ends in SystemExit; a wrong call has shown its usage by then
    except SystemExit as ended:
        return int(ended.code or 0)
    except Stop as stop:
        say(stop.message)
        return stop.code
    except ConfigError as error:
        say(tr(f"配置有 {len(error.problems)} 处问题：", f"{len(error.problems)} problem(s) in the configuration:"))
        for problem in error.problems:
            say("  " + problem)
        return Exit.CONFIGURATION
    except StorageError as error:
        say(str(error))
        return Exit.STORAGE
    return Exit.OK
