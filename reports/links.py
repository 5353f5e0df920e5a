"""Signed links: what a mail may ask the console to do without a login, and for how long.

A token is the data as JSON and an HMAC-SHA256 over purpose and data, both base64url. The data can be read by whoever
holds the link, and can't be changed. A token for one purpose is no token for another.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import json
from collections.abc import Mapping
from typing import Any

from vocwatch.lang import tr
from vocwatch.pseudonym import load_key
from vocwatch.settings import Environment

MAX_TOKEN = 2000
PATHS = {"unsubscribe": "u", "alert": "a", "feedback": "f"}
"""The first part of the console's path for each purpose."""


class LinkError(ValueError):
    """The token is not one of ours, is for something else, or has expired (`expired`)."""

    def __init__(self, message: str, expired: bool = False):
        super().__init__(message)
        self.expired = expired


def link_secret(env: Environment) -> bytes:
    """Return the key that links are signed with: derived from the installation's secret, and not it itself."""
    return hmac.digest(load_key(env), b"vocwatch links", "sha256")


def sign(purpose: str, data: Mapping[str, Any], secret: bytes, *, expires: dt.datetime) -> str:
    """Return a token that `read` takes until `expires` (aware). `data` holds plain JSON values."""
    content = json.dumps(
        {**data, "exp": int(expires.timestamp())}, ensure_ascii=False, separators=(",", ":"), sort_keys=True
    ).encode()
    return f"{_text(content)}.{_text(_mac(purpose, content, secret))}"


def read(purpose: str, token: str, secret: bytes, *, now: dt.datetime) -> dict[str, Any]:
    """Return the data of a token. Raises LinkError for one that is forged, for another purpose, or expired."""
    first, dot, second = token.partition(".")
    try:
        if not dot or len(token) > MAX_TOKEN:
            raise ValueError
        content, mac = _bytes(first), _bytes(second)
    except (ValueError, binascii.Error):
        raise LinkError(tr("链接不完整，请从邮件里重新点开", "The link is not whole; open it from the mail again")) from None
    if not hmac.compare_digest(mac, _mac(purpose, content, secret)):
        raise LinkError(tr("链接无效：不是本系统签发的，或被改动过", "Not a link of this installation, or it was changed"))
    data: dict[str, Any] = json.loads(content)
    if now.timestamp() >= data.pop("exp"):
        raise LinkError(tr("链接已过期，请用最新一封邮件里的", "The link has expired; use the newest mail's"), expired=True)
    return data


def link(
    env: Environment, purpose: str, data: Mapping[str, Any], *, expires: dt.datetime
) -> str | None:
    """Return the whole address in the console, or None where no VOCWATCH_CONSOLE_URL is set."""
    if not env.console_url:
        return None
    return f"{env.console_url}/{PATHS[purpose]}/{sign(purpose, data, link_secret(env), expires=expires)}"


def _mac(purpose: str, content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, purpose.encode() + b"\0" + content, "sha256")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
