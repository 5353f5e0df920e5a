"""The envelope of a model file: a line of JSON with everything small, then the weights as they are.

The same model gives the same bytes, so that a file can be rebuilt and compared, and named by its hash.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


class ModelError(Exception):
    """A model file can't be used; the message says which, why, and what to do."""


def pack(magic: str, version: int, small: dict[str, Any], *weights: bytes) -> bytes:
    """Return a file's bytes."""
    head = json.dumps(
        {"magic": magic, "format": version, **small}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return b"".join((head.encode(), b"\n", *weights))


def unpack(data: bytes, magic: str, version: int, name: str) -> tuple[dict[str, Any], bytes]:
    """Return the JSON and the weights of a file's bytes. Raises ModelError where it is another kind of file."""
    head, _, weights = data.partition(b"\n")
    try:
        small = json.loads(head)
        found = small["magic"], small["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise unusable(name, error) from None
    if found != (magic, version):
        raise ModelError(f"{name}：模型格式不对（{found[1]}，需要 {version}）。请运行 make model")
    return dict(small), weights


def unusable(name: str, error: Exception) -> ModelError:
    """Return the error for a file whose contents don't fit together."""
    return ModelError(f"{name}：不是可用的模型文件（{error}）")


def read(path: Path) -> bytes:
    """Return a file's bytes. Raises ModelError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"读不到模型文件 {path}：{error.strerror}。请运行 make model") from None


def short_hash(data: bytes) -> str:
    """Return a short name of exactly these bytes."""
    return hashlib.sha256(data).hexdigest()[:8]
