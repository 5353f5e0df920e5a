"""The list for the calibration meeting: what people disagreed on in a week, each with who said what."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vocwatch.clock import day_window
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store, cases, objections
from vocwatch.store.cases import CaseError
from vocwatch.store.feedback import INCIDENT
from vocwatch.store.objections import Dispute

DAYS = 7
CONFLICT = "conflict"
_STATES = {
    "open": ("待裁定", "to be settled"), "upheld": ("异议成立", "upheld"), "overruled": ("维持原判", "overruled"),
    "withdrawn": ("已撤回", "withdrawn"), CONFLICT: ("两人说法相反", "opposite words"),
}
_WORD = ("id", "verdict", "label", "who", "channel", "note")


@dataclass(frozen=True)
class Matter:
    """One disputed judgement. `state` is that of its last objection, or conflict; `objection` is None for the latter."""

    state: str
    subject_kind: str
    subject_id: str
    title: str
    judged: dict[str, Any]
    words: tuple[dict[str, Any], ...]
    objection: dict[str, Any] | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "state": self.state, "subject_kind": self.subject_kind, "subject_id": self.subject_id, "title": self.title,
            "judged": self.judged,
            "words": [{**{name: word[name] for name in _WORD}, "at": word["at"].isoformat()} for word in self.words],
            "objection": {
                key: value.isoformat() if isinstance(value, dt.datetime) else value for key, value in self.objection.items()
            } if self.objection else None,
        }


def matters(settings: Settings, store: Store, last: dt.date) -> list[Matter]:
    """Return what was disputed on the seven business dates up to `last`, and what is still open from before. Reads only."""
    zone = settings.app.zone
    since, until = day_window(last - dt.timedelta(days=DAYS - 1), zone)[0], day_window(last, zone)[1]
    with store.read() as connection:
        return [_matter(connection, one) for one in objections.disputes(connection, since, until)]


def _matter(connection: Connection, one: Dispute) -> Matter:
    state = one.objection["state"] if one.objection else CONFLICT
    return Matter(state, one.subject_kind, one.subject_id, _title(connection, one), one.judged, one.words, one.objection)


def _title(connection: Connection, one: Dispute) -> str:
    name = cases.of_incident(one.subject_id) if one.subject_kind == INCIDENT else one.subject_id
    try:
        return cases.find_subject(connection, name)[2] if one.subject_kind != "session" else ""
    except CaseError:
        return ""  # not stored any more


def _judged(one: Matter) -> str:
    known = [one.judged.get("level"), one.judged.get("sentiment"), one.judged.get("topic"), *(one.judged.get("topics") or ())]
    return tr("、", ", ").join(str(value) for value in known if value)


def as_lines(found: Sequence[Matter], last: dt.date) -> list[str]:
    """Return the list as it is read at the meeting."""
    first = last - dt.timedelta(days=DAYS - 1)
    lines = [tr(f"校准会清单 {first:%m-%d}–{last:%m-%d}：{len(found)} 条", f"Calibration meeting {first:%m-%d}–{last:%m-%d}: {len(found)}")]
    for place, one in enumerate(found, 1):
        lines += ["", f"{place}. [{tr(*_STATES[one.state])}] {one.subject_id} {one_line(one.title, 80)}",
                  tr("   系统判定：", "   Judged: ") + (_judged(one) or "-")]
        lines += [
            f"   #{word['id']} {one_line(word['who'], 60)}{tr('：', ': ')}{word['verdict']}"
            + (f"（{word['label']}）" if word["label"] else "") + (f" {one_line(word['note'], 120)}" if word["note"] else "")
            for word in one.words
        ]
        if one.objection:
            lines += _objection_lines(one.objection)
    return lines


def _objection_lines(objection: dict[str, Any]) -> list[str]:
    said = f"{one_line(objection['who'], 60)}{tr('：', ': ')}{one_line(objection['reason'], 160)}"
    lines = [tr(f"   异议 {objection['id']} ", f"   Objection {objection['id']} ") + said]
    if objection["settled_by"]:
        note = f" {one_line(objection['note'], 120)}" if objection["note"] else ""
        lines.append(tr("   裁定 ", "   Settled by ") + one_line(objection["settled_by"], 60) + note)
    return lines


def as_rows(found: Sequence[Matter]) -> list[list[str]]:
    """Return the list as a table, its head first."""
    head = [
        tr("状态", "State"), tr("对象", "Kind"), "ID", tr("标题", "Title"), tr("系统判定", "Judged"), tr("各方说法", "Words"),
        tr("异议编号", "Objection"), tr("异议人", "Raised by"), tr("理由", "Reason"), tr("裁定人", "Settled by"),
        tr("裁定备注", "Note"),
    ]
    rows = [head]
    for one in found:
        said = "; ".join(f"{word['who']}={word['verdict']}" + (f"({word['label']})" if word["label"] else "") for word in one.words)
        objection = one.objection or {}
        rows.append([
            tr(*_STATES[one.state]), one.subject_kind, one.subject_id, one.title, _judged(one), said,
            *(str(objection.get(key) or "") for key in ("id", "who", "reason", "settled_by", "note")),
        ])
    return rows
