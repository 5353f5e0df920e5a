"""Changing one value in a YAML file that a person wrote: comments, order and layout stay."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def set_key(path: Path, key: str, value: str | int | float | bool, note: str | None = None) -> None:
    """Set a top-level key, with a remark above it where one is given, and replace the file atomically. Raises OSError."""
    yaml = _yaml()
    tree = yaml.load(path.read_text(encoding="utf-8"))
    tree[key] = value
    if note is not None:
        tree.yaml_set_comment_before_after_key(key, before=note)
    write_tree(path, tree, nested=False)


def write_tree(path: Path, tree: Any, remark: str = "", nested: bool = True) -> None:
    """Write a tree as YAML, below a remark, and replace the file atomically. Raises OSError.

    `nested`: lists stand further in than their key, as in watches.yaml; source files keep them below it.
    """
    buffer = io.StringIO(remark)
    buffer.seek(0, io.SEEK_END)
    yaml = _yaml()
    if nested:
        yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.dump(tree, buffer)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(buffer.getvalue(), encoding="utf-8")
    draft.replace(path)


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
