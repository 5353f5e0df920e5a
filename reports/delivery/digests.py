"""Putting a digest into the outbox: once for each recipient, business date and audience."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reports.delivery.compose import mail, message_id, sender_of, with_notes
from reports.delivery.faults import DeliveryError
from reports.delivery.marks import PersonalLinks
from reports.digest.fit import fitted
from reports.digest.render import render_html
from reports.digest.sheet import digest_sheet
from reports.digest.subject import subject
from reports.digest.text import render_text
from reports.digest.views import Reader, readers, view
from reports.shape import Facts
from vocwatch.lang import tr
from vocwatch.models import Level
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.settings.delivery import MAIL
from vocwatch.store import Store, digests, outbox, pauses
from vocwatch.store.outbox import Message

KIND = "digest"


@dataclass
class Enqueued:
    """Who gets the digest, who has it in the outbox or in the mailbox already, who has asked not to get it."""

    key: str
    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    paused: list[str] = field(default_factory=list)


def digest_key(facts: Facts) -> str:
    """Return what names a digest in the outbox."""
    return f"{facts.date.isoformat()}/{facts.audience}"


def enqueue_digest(
    settings: Settings, store: Store, facts: Facts, *, now: dt.datetime, only: Iterable[str] | None = None,
    lang: str = "zh", correction: str = "", reader: Reader | None = None,
) -> Enqueued:
    """Put the digest into the outbox for the recipients of its audience (or for `only`), each at most once. Each gets
    their view of it: their shops, their language, their degree of privacy (`reader` for those the configuration does
    not name).

    A second call adds whom the first did not know, and nobody else; what still waits becomes due now. With a
    `correction` (what was wrong), those who had the first one get one more mail that answers it. Raises DeliveryError
    when mail is not configured or nobody is to get it.
    """
    sender_of(settings.env.smtp)
    known = readers(settings, facts.audience, lang)
    to = {address: known.get(address, reader or Reader(lang)) for address in (only or known)}
    if not to:
        raise DeliveryError(tr(
            f"没有 {facts.audience} 日报的收件人。请在 config/vocwatch.yaml 的 digest.recipients 里填写，或用 --to 指定",
            f"Nobody is to get the {facts.audience} digest. Fill in digest.recipients in config/vocwatch.yaml, or use --to",
        ))
    done = Enqueued(digest_key(facts))
    with store.read() as connection:
        first = {row["recipient"]: row["state"] for row in outbox.listed(connection, kind=KIND, key=done.key, limit=10_000)}
        done.paused = [address for address in to if pauses.is_paused(connection, address, _list(facts), now)]
    views: dict[Reader, _View] = {}
    made = []
    for address, wanted in to.items():
        if address in done.paused:
            continue
        if wanted not in views:
            views[wanted] = _View.of(settings, view(facts, wanted), wanted.lang, to, now)
        wrong = correction if first.get(address) == "sent" else ""
        made.append(_composed(settings, views[wanted], address, done.key, now, wrong))
    with store.begin() as connection:
        done.new = [message.recipient for message in outbox.enqueue(connection, made, now)]
        done.known = [message.recipient for message in made if message.recipient not in done.new]
        outbox.hurry(connection, KIND, done.key, now)
        if only is None and not correction:  # what is sent to everybody stays as it is
            digests.seal(connection, facts.date, facts.audience, now)
    return done


def _list(facts: Facts) -> str:
    return f"digest/{facts.audience}"


@dataclass(frozen=True)
class _View:
    """One reader's digest, rendered once for all who read the same: all of it (`seen`), and what fits into a mail."""

    seen: Facts
    shown: Facts
    lang: str
    text: str
    page: str
    links: PersonalLinks

    @classmethod
    def of(cls, settings: Settings, seen: Facts, lang: str, to: Iterable[str], now: dt.datetime) -> _View:
        links = PersonalLinks(settings, seen, list(to), now)
        shown = fitted(seen, lang, links.marks)
        return cls(seen, shown, lang, render_text(shown, lang, links.marks), render_html(shown, lang, links.marks), links)


def _composed(settings: Settings, own: _View, address: str, key: str, now: dt.datetime, correction: str) -> Message:
    """Return one reader's mail; with a `correction`, the one that answers the first."""
    shown = own.shown
    message = mail(
        settings, kind=KIND, key=_corrected(shown, correction) if correction else key, recipient=address,
        which=_list(shown), now=now, subject=subject(shown, own.lang, settings.app.digest.subject_prefix),
        text=own.links.personal(own.text, address), page=own.links.personal(own.page, address),
        hours=settings.app.mail.digest_hours, extra={"X-Risk-Level": str(_rank(shown))},
        thread=message_id(KIND, key, MAIL, address, settings.env.smtp) if correction else "",
        sheet=digest_sheet(own.seen, own.lang) if settings.app.digest.attach_xlsx else None,
    )
    if not correction:
        return message
    words = tr(f"更正：{one_line(correction, 300)}", f"Correction: {one_line(correction, 300)}")
    return replace(message, body=with_notes(message.body, [tr("更正", "corrected")], [words]))


def _corrected(facts: Facts, correction: str) -> str:
    """The same correction is sent once, however often it is asked for."""
    return f"{facts.date.isoformat()}+{hashlib.sha256(correction.encode()).hexdigest()[:8]}/{facts.audience}"




def _rank(facts: Facts) -> int:
    return 0 if facts.level == "灰" else Level(facts.level).rank
