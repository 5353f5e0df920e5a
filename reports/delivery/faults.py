"""Classes of failure, and what each means for the next try."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable

from vocwatch.plain import one_line

FIRST_WAIT = 30.0
LONGEST_WAIT = 900.0  # 15 minutes
FINAL = frozenset({"address", "refused"})
"""Trying again would bring the same answer: the recipient does not exist, the message is not wanted."""
WHOLE_CHANNEL = frozenset({"network", "tls", "login", "config", "limited"})
"""Nothing else would get through on this channel either: the rest waits without being tried."""
PEOPLE = frozenset({"address", "refused", "tls", "login", "config", "unknown", "expired"})
"""These do not mend themselves; an administrator is told."""
_LIMIT = re.compile(
    r"(?i)frequen|rate.?limit|quota|too (?:many|much|fast)|exceed\w* (?:the )?(?:limit|max)|sending limit|over limit|limit exceeded"
    r"|MI:SFQ|MI:CEL|MI:DMC|频率|频繁|上限|超限|超过限制"
)
_FULL = re.compile(r"(?i)\b[45]\.2\.2\b|mailbox (?:is )?full|over.?quota|quota exceeded.{0,20}mailbox|邮箱(?:已)?满|空间不足")
_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


class DeliveryError(Exception):
    """Nothing can be sent at all; the message says what to set."""


class LostClaim(Exception):
    """Another sender has taken the row over; nothing was handed over."""


class Failure(Exception):
    """A try that failed. `unknown`: it was handed over whole and no answer came, so it may have arrived.

    `wait` is how long the other side asks to be left alone, in seconds.
    """

    def __init__(self, fault: str, words: str, *, unknown: bool = False, wait: float = 0.0):
        super().__init__(words)
        self.fault = fault
        self.words = words
        self.unknown = unknown
        self.wait = wait


def backoff(message_id: str, attempts: int) -> dt.timedelta:
    """Return the wait after the `attempts`-th failure: 30 s doubled each time, at most 15 min, up to half less.

    The part that varies comes from the message itself: recipients are spread out, and each try can be reproduced.
    """
    digest = hashlib.sha256(f"{message_id}|{attempts}".encode()).digest()
    spread = 0.5 + int.from_bytes(digest[:4], "big") / 2**33
    return dt.timedelta(seconds=min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(attempts - 1, 10)) * spread)


def smtp_fault(code: int, words: str, stage: str) -> str:
    """Return the class of an SMTP answer. `stage` is sender, recipient or content.

    Chinese mail houses answer 550 also where a sender has been too fast; a full mailbox may be emptied.
    """
    if code in (530, 534, 535, 538):
        return "login"
    if _FULL.search(words):
        return "busy"
    if _LIMIT.search(words):
        return "limited"
    if code < 500:
        return "busy"
    if stage == "sender":
        return "config"
    told = _ENHANCED.search(words)
    if stage == "recipient" and not (told and told[2] == "7"):
        return "address"
    return "refused"


def without(words: str, secrets: Iterable[str]) -> str:
    """Return words on one line with every secret in them struck out."""
    for secret in sorted({s for s in secrets if s}, key=len, reverse=True):
        words = words.replace(secret, "***")
    return one_line(words, 300)
