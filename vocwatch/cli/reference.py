"""The command reference, made from the commands themselves."""

from __future__ import annotations

from typing import Any

HEAD = """# Commands · 命令

Made from the command line's own help by `vocwatch doctor --write-docs`; a test fails when it is stale.
由命令行自己的帮助生成，过期时测试会失败。

`vocwatch [--lang zh|en] [--now ISO] [--demo] COMMAND …`

Exit codes · 退出码: 0 ok 正常 · 2 usage 用法 · 3 storage 存储 · 4 configuration 配置 · 5 blocked 受阻 · 6 incomplete data 数据不全 · 7 delivery 发送
"""


def reference(command: Any, name: str = "vocwatch") -> str:
    """Return the Markdown reference of a command and all below it."""
    return HEAD + "".join(_walk(command, name))


def _walk(command: Any, name: str) -> list[str]:
    if hasattr(command, "commands"):
        return [line for key in sorted(command.commands) for line in _walk(command.commands[key], f"{name} {key}")]
    lines = [f"\n## {name}\n\n{command.help or ''}\n\n"]
    for parameter in command.params:
        if parameter.param_type_name == "option":
            lines.append(f"- `{', '.join(parameter.opts)}` {parameter.help or ''}\n")
        else:
            lines.append(f"- `{parameter.name}`{'' if parameter.required else ' (optional)'}\n")
    return lines
