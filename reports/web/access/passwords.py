"""Passwords: argon2id by pwdlib, never more than a few at work at once, and an unknown name costs the same."""

from __future__ import annotations

import secrets
import threading
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from vocwatch.lang import tr
from vocwatch.store.access.users import UserError

SHORTEST, LONGEST = 10, 200
AT_ONCE = 2  # each needs 64 MiB
ADVISED = (3, 65536, 4)  # passes, KiB, lanes: RFC 9106, for a machine that does other things too
_cost = ADVISED
_GATE = threading.BoundedSemaphore(AT_ONCE)
_COMMON = frozenset({
    "1234567890", "0123456789", "12345678910", "password12", "password123", "qwertyuiop", "1q2w3e4r5t", "abcdefghij",
    "abc1234567", "admin12345", "administrator", "woaini1314", "iloveyou12", "letmein123", "1qaz2wsx3edc",
})


@lru_cache(maxsize=1)
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(*_cost),))


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that no password fits, of the same cost as everybody's."""
    return _hasher().hash(secrets.token_urlsafe(32))


def checked(password: str, name: str = "") -> str:
    """Return a password that may be taken. Raises UserError with what to do better."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserError(tr(f"密码要 {SHORTEST} 到 {LONGEST} 个字符，一句话就好", f"A password has {SHORTEST} to {LONGEST} characters: a sentence will do"))
    plain = password.casefold()
    if plain in _COMMON or len(set(plain)) < 4 or (len(name) >= SHORTEST - 4 and name.casefold() in plain):
        raise UserError(tr("这个密码太容易猜，换一个", "This password is too easily guessed; choose another"))
    return password


def hashed(password: str) -> str:
    """Return the argon2id hash."""
    with _GATE:
        return _hasher().hash(password)


def fits(password: str, known: str | None) -> bool:
    """Whether the password is the one that was hashed; with no hash (nobody of that name) it takes as long, and is not."""
    reference = known or _nobody()
    with _GATE:
        try:
            same = _hasher().verify(password[:LONGEST + 1], reference)
        except UnknownHashError:
            same = False
    return same and known is not None
