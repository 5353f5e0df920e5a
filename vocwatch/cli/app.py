"""The Typer application: which module holds which command, global options, error messages, exit codes.

A module of commands, and with it everything that it needs (a crawler, a model, a browser), is imported when one of
its commands is called. `COMMANDS` says what there is to call, so that the help needs none of them: a new command
gets its line here, and is added by its module's `register`. What the command line itself imports must stay small.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from vocwatch import __version__
from vocwatch.cli.context import Context, say
from vocwatch.exits import Exit, Stop, StorageError
from vocwatch.lang import set_language, tr
from vocwatch.settings import ConfigError, read_environment

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "在自带的练习网站上跑一遍全流程，写出日报"),
    "crawl": ("collect", "现在就采集（不写来源名 = 全部启用的来源）"),
    "run": ("collect", "完整跑一遍：采集 → 导入 → 判定 → 事件 → 日报（加 --send 才发信）"),
    "schedule": ("schedule", "常驻运行：各来源按自己的间隔采集，导入、判定、预警、出日报"),
    "status": ("schedule", "常驻运行的状态：在做什么、下次什么时候、租约、心跳、发件箱"),
    "analyse": ("analyse", "判定新来的文本：情感、主题、严重度、红线、命中"),
    "judge": ("judge", "逐条判定文件或标准输入里的文本，每条输出一行 JSON，不碰数据库"),
    "train": ("train", "用自己的标注、已采评价的星级和反馈，提升自带模型；不比现用的差才会启用"),
    "evaluate": ("train", "拿标注文件检验判定：各类查准查全、校准、混淆、最严重的错，还可和另一版比"),
    "feedback": ("feedback", "对提及、会话或事件说准不准；对别人的反馈提异议、裁定；校准会清单"),
    "case": ("case", "跟进事项：立项、指派、定期限、备注、结案"),
    "digest": ("digest", "写出某个业务日的日报"),
    "alerts": ("alerts", "红线预警和快速升温：列出、确认、静音"),
    "serve": ("serve", "打开网页：登录后看日报、查数据、改监测词；邮件里的链接也由它接；默认只听本机"),
    "user": ("user", "谁能用网页：加人、换角色、换密码、停用；谁看过、导出过、改过什么"),
    "token": ("token", "给程序用的 API 令牌：新建、列出、作废"),
    "outbox": ("outbox", "发件箱：发了什么、没发出去的为什么、再试一次"),
    "replay": ("explain", "用新的权重重算过去几天，看哪些等级会变；只读，不改任何记录"),
    "explain": ("explain", "把一个事件的分数逐项拆开：每一项怎么算的、依据哪些提及和会话"),
    "measures": ("measures", "行业指标：客户满意度、CSI、差评率、品退率、一次解决率、响应时间；--table 出反馈表"),
    "compare": ("compare", "措施有没有用：某天前后的独立发声者对比，带区间，证据不足就说不足"),
    "share": ("share", "和竞品比：声量占比，同样主题上的投诉构成"),
    "cases": ("share", "一周的差会话和好会话，节选、打码，供培训用"),
    "calibrate": ("calibrate", "拿大家对事件的反馈校准风险分的权重和门槛，写成建议文件；不会自动启用"),
    "evidence": ("evidence", "一条提及的证据：网址、时间、版本、原始页面（校验哈希）、截图"),
    "audit": ("evidence", "校验采集审计记录的哈希链（全部、某天或某次运行），并统计采与不采的决定"),
    "purge": ("purge", "清除过了保留期的原始页面、正文、截图、样页和审计，以及原站已删除的内容"),
    "forget": ("purge", "按要求删除：写进拒绝采集名单，并删除已存的内容"),
    "doctor": ("doctor", "体检：安装、配置、数据库、浏览器、字体、时区、邮件、磁盘"),
    "sessions": ("sessions", "客服会话"),
    "query": ("query", "查询：提及、主题、事件"),
    "watch": ("watch", "监测词"),
    "topics": ("topics", "投诉主题"),
    "source": ("source", "来源"),
}
"""For each command the module below `vocwatch.cli` that registers it, and its line in the help."""


class _Commands(Mapping[str, Any]):
    """The commands by name, each made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            module, line = COMMANDS[name]
            part = typer.Typer(rich_markup_mode=None)
            import_module(f"vocwatch.cli.{module}").register(part)
            self._made[name] = typer.main.get_group(part).commands[name]
            self._made[name].help = line
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Lazy(TyperGroup):
    """The top of the command line."""

    def __init__(self, **attributes: Any):
        super().__init__(**{**attributes, "commands": _Commands()})

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands without making them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


app = typer.Typer(
    cls=_Lazy,
    name="vocwatch", no_args_is_help=True, add_completion=False, rich_markup_mode=None,
    pretty_exceptions_enable=False,  # a crash must not print local variables: they hold people's texts
    help="听品牌外面的声音，也听客服里面的坏会话，每天早上给出一份风险日报。",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _global(
    context: typer.Context,
    lang: Annotated[str, typer.Option(help="zh 或 en")] = "",
    now: Annotated[str, typer.Option(help="把时钟固定在这个时刻（ISO 8601），用于重现过去的一天")] = "",
    demo: Annotated[bool, typer.Option("--demo", help="用演示的数据和配置（先运行一次 vocwatch demo）")] = False,
    version: Annotated[bool, typer.Option("--version", help="显示版本")] = False,
) -> None:
    """听品牌外面的声音，也听客服里面的坏会话，每天早上给出一份风险日报。"""
    if version:
        typer.echo(__version__)
        raise typer.Exit
    state = Context(read_environment())
    set_language(lang or state.env.lang)
    if demo and context.invoked_subcommand != "demo":
        state = state.demonstrated()
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
