"""The feedback links of a digest: each recipient has their own, so that a word has somebody who said it.

A digest is rendered once, with stand-ins that no console would take, and these are replaced for each recipient.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from reports.digest.people import Marks
from reports.links import link_secret, sign
from reports.shape import Facts
from vocwatch.settings import Settings
from vocwatch.store.feedback import DAY_MARK

LINK_DAYS = 30
_STAND_IN = "stand-in"


class PersonalLinks:
    """Makes the stand-ins for rendering, and puts a recipient's own links in their place."""

    def __init__(self, settings: Settings, facts: Facts, recipients: Sequence[str], now: dt.datetime):
        self._secret = link_secret(settings.env)
        self._expires = now + dt.timedelta(days=LINK_DAYS)
        self._risks = [(risk.incident, facts.date) for risk in facts.risks]
        # As long as the longest address, so that the size of the page is known before it is made for each.
        self._widest = max(recipients, key=lambda address: len(address.encode()), default="")
        token = partial(self._token, _STAND_IN, self._widest)
        self.marks = Marks(settings.env.console_url, token) if settings.env.console_url else None

    def _token(self, purpose: str, to: str, incident: str, date: dt.date) -> str:
        data = {"s": f"{incident}{DAY_MARK}{date.isoformat()}", "to": to}
        return sign(purpose, data, self._secret, expires=self._expires)

    def personal(self, text: str, to: str) -> str:
        """Return a rendered digest with the links of one recipient."""
        if self.marks is None:
            return text
        for incident, date in self._risks:
            stand_in = self._token(_STAND_IN, self._widest, incident, date)
            text = text.replace(stand_in, self._token("feedback", to, incident, date))
        return text
