"""The Retry-After header, as websites and group chats send it."""

from __future__ import annotations

import datetime as dt
import email.utils


def asked_wait(value: str | None, now: dt.datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, from `now` (aware).

    RFC 9110 §10.2.3: a number of seconds, or a date. 0 for a date that has passed; None where it says nothing usable.
    There is no upper limit: whoever waits has to set one.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
