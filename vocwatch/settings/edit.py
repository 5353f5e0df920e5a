"""Changing one value in a YAML file that a person wrote: comments, order and layout stay."""

from __future__ import annotations

import io
from pathlib import Path

from ruamel.yaml import YAML


def set_key(path: Path, key: str, value: str | int | float | bool, note: str | None = None) -> None:
    """Set a top-level key, with a remark above it where one is given, and replace the file atomically. Raises OSError."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    tree = yaml.load(path.read_text(encoding="utf-8"))
    tree[key] = value
    if note is not None:
        tree.yaml_set_comment_before_after_key(key, before=note)
    buffer = io.StringIO()
    yaml.dump(tree, buffer)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(buffer.getvalue(), encoding="utf-8")
    draft.replace(path)
