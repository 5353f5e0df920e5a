"""Keyed pseudonyms: the same person gets the same code, and the code leads back to nobody."""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from vocwatch.settings.env import Environment


class Pseudonyms:
    """Turns names and order numbers into 16-character codes with HMAC-SHA256 under one secret key."""

    def __init__(self, key: bytes):
        self._keyed = hmac.new(key, digestmod="sha256")
        self._code = lru_cache(maxsize=20_000)(self._make)  # the same people write again and again

    def of(self, scope: str, value: str | None) -> str | None:
        """Return the code of `value` within `scope` (a source, or order, agent, buyer); None for nothing."""
        if value is None or not value.strip():
            return None
        return self._code(f"{scope}\0{value.strip()}")

    def _make(self, text: str) -> str:
        keyed = self._keyed.copy()
        keyed.update(text.encode("utf-8", "replace"))
        return base64.b32encode(keyed.digest()[:10]).decode().lower()


def load_pseudonyms(env: Environment) -> Pseudonyms:
    """Return the pseudonyms under the installation's secret key."""
    return Pseudonyms(load_key(env))


def load_key(env: Environment) -> bytes:
    """Return VOCWATCH_SECRET, or a key made once and kept in the data folder, readable by its owner only."""
    if env.secret:
        return env.secret.encode()
    path = env.data / "secret.key"
    if not path.exists():
        _create_once(path)
    return path.read_bytes()


def _create_once(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(32).encode())
    try:
        os.link(draft, path)  # fails if another process was first: its key stands
    except FileExistsError:
        pass
    finally:
        draft.unlink()
