"""Putting a digest into the outbox: once for each recipient, business date and audience."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from reports.delivery.compose import mail, message_id, sender_of, with_notes
from reports.delivery.faults import DeliveryError
from reports.delivery.marks import PersonalLinks
from reports.digest.people import Marks
from reports.digest.render import MAX_BYTES, render_html
from reports.digest.subject import subject
from reports.digest.text import render_text
from reports.shape import Facts, Risk
from vocwatch.lang import tr
from vocwatch.models import Level
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.settings.delivery import MAIL
from vocwatch.store import Store, digests, outbox, pauses

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
    lang: str = "zh", correction: str = "",
) -> Enqueued:
    """Put the digest into the outbox for the recipients of its audience (or for `only`), each at most once.

    A second call adds whom the first did not know, and nobody else; what still waits becomes due now. With a
    `correction` (what was wrong), those who had the first one get one more mail that answers it. Raises DeliveryError
    when mail is not configured or nobody is to get it.
    """
    sender_of(settings.env.smtp)
    to = list(dict.fromkeys(
        only or [r.email for r in settings.app.digest.recipients if r.audience == facts.audience]
    ))
    if not to:
        raise DeliveryError(tr(
            f"没有 {facts.audience} 日报的收件人。请在 config/vocwatch.yaml 的 digest.recipients 里填写，或用 --to 指定",
            f"Nobody is to get the {facts.audience} digest. Fill in digest.recipients in config/vocwatch.yaml, or use --to",
        ))
    which = f"digest/{facts.audience}"
    done = Enqueued(digest_key(facts))
    links = PersonalLinks(settings, facts, to, now)
    text, page = render_text(facts, lang, links.marks), _page(facts, lang, links.marks)
    title = subject(facts, lang, settings.app.digest.subject_prefix)
    with store.begin() as connection:
        first = {row["recipient"]: row["state"] for row in outbox.listed(connection, kind=KIND, key=done.key, limit=10_000)}
        made = []
        for address in to:
            if pauses.is_paused(connection, address, which, now):
                done.paused.append(address)
                continue
            again = bool(correction) and first.get(address) == "sent"
            message = mail(
                settings, kind=KIND, key=_corrected(facts, correction) if again else done.key, recipient=address,
                which=which, now=now, subject=title, text=links.personal(text, address),
                page=links.personal(page, address), hours=settings.app.mail.digest_hours,
                thread=message_id(KIND, done.key, MAIL, address, settings.env.smtp) if again else "",
                extra={"X-Risk-Level": str(_rank(facts))},
            )
            if again:
                words = tr(f"更正：{one_line(correction, 300)}", f"Correction: {one_line(correction, 300)}")
                message = replace(message, body=with_notes(message.body, [tr("更正", "corrected")], [words]))
            made.append(message)
        done.new = [message.recipient for message in outbox.enqueue(connection, made, now)]
        done.known = [message.recipient for message in made if message.recipient not in done.new]
        outbox.hurry(connection, KIND, done.key, now)
        if only is None and not correction:  # what is sent to everybody stays as it is
            digests.seal(connection, facts.date, facts.audience, now)
    return done


def _corrected(facts: Facts, correction: str) -> str:
    """The same correction is sent once, however often it is asked for."""
    return f"{facts.date.isoformat()}+{hashlib.sha256(correction.encode()).hexdigest()[:8]}/{facts.audience}"


def _page(facts: Facts, lang: str, marks: Marks | None) -> str:
    """The page, with shorter quotes or none where it would be clipped by mail programs; the text part has them all."""
    page = render_html(facts, lang, marks)
    for length in (60, 0):
        if len(page.encode()) <= MAX_BYTES:
            break
        page = render_html(replace(facts, risks=tuple(_quoting(r, length) for r in facts.risks)), lang, marks)
    return page


def _quoting(risk: Risk, length: int) -> Risk:
    if not length:
        return replace(risk, quotes=())
    return replace(risk, quotes=tuple(replace(quote, text=one_line(quote.text, length)) for quote in risk.quotes))


def _rank(facts: Facts) -> int:
    return 0 if facts.level == "灰" else Level(facts.level).rank
