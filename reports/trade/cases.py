"""Bad and excellent sessions of a week, to train people with: chosen with a reason, excerpted, masked once more."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from vocwatch.clock import day_window
from vocwatch.lang import tr
from vocwatch.masking import mask
from vocwatch.models import Path, Sentiment
from vocwatch.plain import one_line
from vocwatch.ratings import SATISFIED, grade
from vocwatch.settings import Settings
from vocwatch.store import Store, facts, trade
from vocwatch.store.facts import ServiceSession
from vocwatch.store.trade import Line

LINES = 8
LETTERS = 100
SEVERE = 2
_ROLES = {"customer": ("买家", "Customer"), "agent": ("客服", "Agent"), "system": ("系统", "System")}


@dataclass(frozen=True)
class Case:
    """One session. `lines` are (role, masked words); `cut` tells that there is more of it."""

    session_id: str
    date: dt.date
    path: str
    product: str
    shop: str
    topics: tuple[str, ...]
    why: tuple[str, ...]
    lines: tuple[tuple[str, str], ...]
    cut: bool


@dataclass(frozen=True)
class Cases:
    """The cases of [since, until]; `sessions` is how many they were chosen from."""

    since: dt.date
    until: dt.date
    sessions: int
    bad: tuple[Case, ...]
    good: tuple[Case, ...]


def cases(settings: Settings, store: Store, since: dt.date, until: dt.date, each: int = 5) -> Cases:
    """Choose up to `each` bad and excellent sessions of [since, until]. Reads only."""
    zone = settings.app.zone
    with store.read() as connection:
        found = facts.service_sessions(connection, day_window(since, zone)[0], day_window(until, zone)[1])
        once = {s.native_id: s for s in sorted(found, key=lambda s: (s.path != Path.RED_LINE, s.ref_id), reverse=True)}
        bad = _varied([s for s in once.values() if is_bad(s)], each, _badness)
        good = _varied([s for s in once.values() if is_good(s)], each, _goodness)
        said = trade.dialogues(connection, [s.ref_id for s in (*bad, *good)])
    return Cases(
        since, until, len(once), tuple(_case(settings, s, said.get(s.ref_id, []), _why_bad(s)) for s in bad),
        tuple(_case(settings, s, said.get(s.ref_id, []), _why_good(s)) for s in good),
    )


def is_bad(session: ServiceSession) -> bool:
    """A violation, a red line, or a clear complaint."""
    return bool(session.violation) or session.path == Path.RED_LINE or (
        session.severity >= SEVERE and session.sentiment == Sentiment.NEGATIVE
    )


def is_good(session: ServiceSession) -> bool:
    """The customer said to be satisfied, nothing was left unsolved and nothing violated. Without a rating, only praise in
    a session that no 质检路径 calls bad counts: a polite farewell of a customer who leaves is no praise.
    """
    graded = grade(session.rating)
    praised = graded is None and session.path == Path.KEYWORD and session.sentiment == Sentiment.POSITIVE
    spotless = session.resolved is not False and not session.violation and session.path != Path.RED_LINE
    return (graded == SATISFIED or praised) and spotless and session.sentiment != Sentiment.NEGATIVE


def _badness(session: ServiceSession) -> tuple[object, ...]:
    violated = bool(session.violation) or session.path == Path.RED_LINE
    return (-int(violated), -session.severity, session.score or 0.0, session.native_id)


def _goodness(session: ServiceSession) -> tuple[object, ...]:
    signs = (grade(session.rating) == SATISFIED) + bool(session.resolved) + (session.sentiment == Sentiment.POSITIVE)
    return (-signs, -(session.score or 0.0), session.native_id)


def _varied(sessions: Iterable[ServiceSession], number: int, order: Any) -> list[ServiceSession]:
    """Take the first of each topic before a second of any."""
    seen: Counter[str] = Counter()
    ranked = []
    for session in sorted(sessions, key=order):
        topic = session.topics[0] if session.topics else ""
        ranked.append((seen[topic], order(session), session))
        seen[topic] += 1
    return [session for _, _, session in sorted(ranked, key=lambda one: one[:2])[:number]]


def _why_bad(session: ServiceSession) -> tuple[str, ...]:
    found = [tr(f"质检路径：{session.path}", f"path: {session.path}")]
    if session.violation:
        found.append(tr(f"违规：{session.violation}", f"violation: {session.violation}"))
    if session.severity >= SEVERE:
        found.append(tr(f"严重度 {session.severity}（满 3）", f"severity {session.severity} of 3"))
    if session.resolved is False:
        found.append(tr("没有解决", "not solved"))
    return tuple(found)


def _why_good(session: ServiceSession) -> tuple[str, ...]:
    found: list[str] = []
    if grade(session.rating) == SATISFIED:
        found.append(tr(f"评价：{session.rating}", f"rating: {session.rating}"))
    if session.sentiment == Sentiment.POSITIVE:
        found.append(tr("买家口气好", "the customer spoke well of it"))
    if session.resolved:
        found.append(tr("已解决", "solved"))
    if session.response_seconds is not None:
        found.append(tr(f"响应 {session.response_seconds:.0f} 秒", f"answered in {session.response_seconds:.0f} s"))
    return tuple(found)


def _case(settings: Settings, session: ServiceSession, said: Sequence[Line], why: tuple[str, ...]) -> Case:
    spoken = [(line.role, one_line(mask(line.text), LETTERS)) for line in said if line.text.strip()]
    begin = max(0, _key_line(said) - 1) if len(spoken) > LINES else 0
    begin = min(begin, max(0, len(spoken) - LINES))
    lines = spoken[begin : begin + LINES]
    name = next((w.name for w in settings.watches.watches if w.kind == "product" and session.sku in (w.sku, w.id)), None)
    return Case(
        session.native_id, session.started_at.astimezone(settings.app.zone).date(), session.path,
        name or session.product or session.sku or "", session.shop or "", session.topics, why, tuple(lines), len(lines) < len(spoken),
    )


def _key_line(said: Sequence[Line]) -> int:
    """Return the place of the customer's longest turn: there they say what it is about."""
    spoken = [line for line in said if line.text.strip()]
    own = [(len(line.text), -place) for place, line in enumerate(spoken) if line.role == "customer"]
    return -max(own)[1] if own else 0


def as_dict(found: Cases) -> dict[str, Any]:
    """Return the cases as JSON."""
    return {
        "since": found.since.isoformat(), "until": found.until.isoformat(), "sessions": found.sessions,
        "bad": [_told(case) for case in found.bad], "good": [_told(case) for case in found.good],
    }


def _told(case: Case) -> dict[str, Any]:
    return {
        "session": case.session_id, "date": case.date.isoformat(), "path": case.path, "product": case.product, "shop": case.shop,
        "topics": list(case.topics), "why": list(case.why),
        "lines": [{"role": role, "text": text} for role, text in case.lines], "cut": case.cut,
    }


def markdown(found: Cases) -> str:
    """Return the cases as a Markdown page in the chosen language; a customer's words can't become markup."""
    parts = [tr(f"# 客服案例 {found.since} 至 {found.until}", f"# Service cases {found.since} to {found.until}"), ""]
    parts += [tr(f"从 {found.sessions} 个会话里选出，个人信息已打码。", f"Chosen from {found.sessions} sessions; personal data is masked."), ""]
    for title, chosen, nothing in (
        (tr("差案例", "Bad"), found.bad, tr("这段时间没有够得上的差案例。", "None in these days.")),
        (tr("好案例", "Excellent"), found.good,
         tr("导出里没有满意的会话：只导入差会话时选不出好案例。", "No satisfied session in the exports: bad sessions alone hold none.")),
    ):
        parts += [f"## {title}", ""]
        for number, case in enumerate(chosen, 1):
            head = " · ".join(_escaped(word) for word in (case.session_id, case.path, case.product, *case.topics) if word)
            parts += [f"### {number}. {head}", "", tr("为什么选：", "Why: ") + tr("；", "; ").join(_escaped(each) for each in case.why), ""]
            parts += [f"> {tr(*_ROLES.get(role, (role, role)))}{tr('：', ': ')}{_escaped(text)}  " for role, text in case.lines]
            parts += ["> …", ""] if case.cut else [""]
        if not chosen:
            parts += [nothing, ""]
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|!~" else letter for letter in text)
