"""`vocwatch.yaml` as a form: every key of the model, what the file says of it, and what somebody typed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from ruamel.yaml import YAML

from vocwatch.settings import App, ConfigError
from vocwatch.settings.changes import PLACE, plain_tree

ADMIN = ("console", "llm", "crawler.allow_private_hosts")
"""Who may log in, where texts are sent, which hosts inside may be reached: for administrators."""
_UNSET = object()


@dataclass(frozen=True)
class Field:
    """One key. `kind`: text, number, flag, choice, yaml. `value` is what the file says, empty where it says nothing."""

    key: str
    kind: str
    value: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    admin: bool = False


@dataclass(frozen=True)
class Block:
    """The keys of one section."""

    name: str
    fields: tuple[Field, ...]
    used: bool


def blocks(tree: Mapping[str, Any]) -> list[Block]:
    """Return the form for what a file says."""
    made: list[Block] = []
    plain: list[Field] = []
    for name, info in App.model_fields.items():
        section = _section(info)
        if section is None:
            plain.append(_field(name, info, tree.get(name, _UNSET)))
            continue
        said = tree.get(name)
        inner = said if isinstance(said, dict) else {}
        fields = tuple(_field(f"{name}.{key}", one, inner.get(key, _UNSET)) for key, one in section.model_fields.items())
        made.append(Block(name, fields, bool(inner)))
    return [Block("", tuple(plain), True), *made]


def _section(info: FieldInfo) -> type[BaseModel] | None:
    kind = info.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _field(key: str, info: FieldInfo, value: Any) -> Field:
    kind, choices = _kind(info.annotation)
    default = "" if info.is_required() else _shown(info.get_default(call_default_factory=True), kind)
    return Field(
        key, kind, "" if value is _UNSET else _shown(value, kind), default, info.description or "", choices,
        any(key == one or key.startswith(f"{one}.") for one in ADMIN),
    )


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(one) for one in get_args(annotation))
    if annotation is bool:
        return "flag", ("true", "false")
    if annotation in (int, float):
        return "number", ()
    inner = [one for one in get_args(annotation) if one is not type(None)]
    if annotation is str or (inner and inner[0] is str and get_origin(annotation) not in (tuple, list, dict)):
        return "text", ()
    return "yaml", ()


def _shown(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "yaml":
        return _yaml(_plain(value)).strip()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return {str(key): _plain(one) for key, one in value.items()} if isinstance(value, dict) else value


def _yaml(value: Any) -> str:
    if value in ([], {}, ""):
        return ""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 200
    buffer = io.StringIO()
    yaml.dump(json.loads(json.dumps(value, default=str)), buffer)
    return buffer.getvalue()


class FormFaults(Exception):
    """Fields that can't be read; `faults` maps the key to why."""

    def __init__(self, faults: dict[str, str]):
        super().__init__("; ".join(faults.values()))
        self.faults = faults


def changes(tree: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """Return dotted key -> value (None takes it out) for what the form says otherwise than the file. Raises FormFaults."""
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for one in (field for block in blocks(tree) for field in block.fields):
        if one.key not in form or form[one.key].replace("\r\n", "\n").strip() == one.value.strip():
            continue
        try:
            found[one.key] = _read(one, form[one.key].replace("\r\n", "\n").strip())
        except (ConfigError, ValueError) as error:
            faults[one.key] = str(error).replace(f"{PLACE}:", "")
    if faults:
        raise FormFaults(faults)
    return found


def _read(field: Field, text: str) -> Any:
    if not text:
        return None
    if field.kind == "yaml":
        return plain_tree(text)
    if field.kind == "flag" and text in ("true", "false"):
        return text == "true"
    if field.kind == "number" and "$" not in text:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    return text


def needs_admin(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether anything differs that is for administrators."""
    return any(_at(before, key) != _at(after, key) for key in ADMIN)


def _at(tree: Any, dotted: str) -> Any:
    for part in dotted.split("."):
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def faulty_lines(problems: Iterable[str], file: str, lines: int) -> dict[int, str]:
    """Return line -> what is wrong there, of a file's problems as the loader tells them; a fault behind its end is in the last."""
    found: dict[int, str] = {}
    for problem in problems:
        head, _, rest = problem.partition(f"{file}:")
        number = rest.partition(":")[0]
        if head and number.isdigit():
            found[max(1, min(int(number), lines))] = rest.partition(":")[2].strip()
    return found
