"""Reading YAML so that every complaint can name its file and line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from vocwatch.lang import tr

MAX_BYTES = 2_000_000
MAX_ALIASES = 50
_PLACEHOLDER = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")
_Model = TypeVar("_Model", bound=BaseModel)


class ConfigError(Exception):
    """Configuration that cannot be used; the message has one line per fault, each with file:line."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


def read_yaml(path: Path) -> Any:
    """Return the file's round-trip tree (it knows its lines). Raises ConfigError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError([tr(f"{path}: 读不到文件（{error.strerror}）。请确认路径和权限", f"{path}: cannot be read ({error.strerror}). Check path and permissions")]) from error
    if len(raw) > MAX_BYTES:
        raise ConfigError([tr(f"{path}: 文件有 {len(raw)} 字节，上限 {MAX_BYTES}。请拆成几个文件", f"{path}: {len(raw)} bytes, at most {MAX_BYTES}. Split it")])
    if len(re.findall(rb"(?m)(?:^|[\s\[,{-])\*[A-Za-z0-9_]+", raw)) > MAX_ALIASES:
        raise ConfigError([tr(f"{path}: YAML 别名（*名字）超过 {MAX_ALIASES} 处，拒绝展开。请直接写内容", f"{path}: more than {MAX_ALIASES} YAML aliases, not expanded. Write the content out")])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError([tr(f"{path}: 不是 UTF-8 编码（第 {error.start} 字节）。请另存为 UTF-8", f"{path}: not UTF-8 (byte {error.start}). Save it as UTF-8")]) from error
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError([tr(f"{path}:{line}: YAML 写法有误：{error.problem}", f"{path}:{line}: not valid YAML: {error.problem}")]) from error


def load_model(path: Path, model: type[_Model], variables: Mapping[str, str]) -> _Model:
    """Read, fill `${NAME:-default}` from `variables`, and validate. Raises ConfigError naming each line."""
    tree = read_yaml(path)
    if not isinstance(tree, CommentedMap):
        raise ConfigError([tr(f"{path}:1: 应为“键: 值”的写法，文件现在是空的或不是映射", f"{path}:1: expected “key: value” lines; the file is empty or no mapping")])
    missing: list[str] = []
    plain = _plain(tree, variables, missing)
    if missing:
        raise ConfigError([
            tr(f"{path}: 环境变量 {name} 没有设置，也没有默认值。请设置，或写成 ${{{name}:-默认值}}",
               f"{path}: environment variable {name} is not set and has no default. Set it, or write ${{{name}:-default}}")
            for name in missing
        ])
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise ConfigError([_explain(path, tree, model, fault) for fault in error.errors()]) from error


def _plain(node: Any, variables: Mapping[str, str], missing: list[str]) -> Any:
    """Turn the round-trip tree into plain Python values."""
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value, variables, missing) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value, variables, missing) for value in node]
    if isinstance(node, str):
        def fill(match: re.Match[str]) -> str:
            value = variables.get(match.group(1)) or match.group(2)
            if value is None:
                missing.append(match.group(1))
                return ""
            return value

        return _PLACEHOLDER.sub(fill, str(node))
    return node


def _explain(path: Path, tree: Any, model: type[BaseModel], fault: Any) -> str:
    where = tuple(part for part in fault["loc"])
    line = line_of(tree, where)
    dotted = ".".join(str(part) for part in where if not _is_union_tag(part))
    if fault["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(where[-1]), list(_known_keys(model, where[:-1])), n=1, cutoff=0.5)
        if near:
            hint = tr(f"最接近的是 {near[0]}", f"The nearest is {near[0]}")
        else:
            hint = tr("请删去，或对照 config/schema/ 里的说明", "Remove it, or see config/schema/")
        return tr(f"{path}:{line}: 不认识的键 {dotted}。{hint}", f"{path}:{line}: unknown key {dotted}. {hint}")
    if fault["type"] == "missing":
        return tr(f"{path}:{line}: 缺少 {dotted}。请补上", f"{path}:{line}: {dotted} is missing. Add it")
    message = str(fault["msg"]).removeprefix("Value error, ")
    shown = repr(fault.get("input"))
    return tr(f"{path}:{line}: {dotted or '文件'}：{message}（现在是 {shown[:80]}）",
              f"{path}:{line}: {dotted or 'file'}: {message} (now {shown[:80]})")


def _is_union_tag(part: object) -> bool:
    return isinstance(part, str) and ("[" in part or ("-" in part and "function" in part))


def line_of(tree: Any, where: tuple[object, ...]) -> int:
    """Return the 1-based line of the deepest part of `where` that the file has."""
    line, node = 1, tree
    for part in where:
        try:
            if isinstance(node, CommentedMap) and part in node:
                line = node.lc.key(part)[0] + 1
                node = node[part]
            elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
                line = node.lc.item(part)[0] + 1
                node = node[part]
        except (KeyError, TypeError, AttributeError):
            break
    return line


def _known_keys(model: type[BaseModel], where: tuple[object, ...]) -> Iterator[str]:
    """Yield the keys that are valid at `where`, found by walking the JSON Schema."""
    schema = model.model_json_schema()
    nodes = [schema]
    for part in where:
        nodes = [found for node in _resolve(schema, nodes) for found in _step(node, part)]
    for node in _resolve(schema, nodes):
        yield from node.get("properties", {})


def _resolve(schema: dict[str, Any], nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if "$ref" in node:
            yield from _resolve(schema, [schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]])
        elif "anyOf" in node:
            yield from _resolve(schema, node["anyOf"])
        else:
            yield node


def _step(node: dict[str, Any], part: object) -> Iterator[dict[str, Any]]:
    if isinstance(part, int):
        items = node.get("items")
        if isinstance(items, dict):
            yield items
    elif part in node.get("properties", {}):
        yield node["properties"][part]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]
