"""The digest as JSON: the contract that console, exports and other programs read."""

from __future__ import annotations

from typing import Any

import orjson

from reports.shape import Facts, Risk


def as_dict(facts: Facts) -> dict[str, Any]:
    """Return the digest's JSON value. Sentences are Chinese; times carry their offset; nothing is left
    out.
    """
    return {
        "date": facts.date.isoformat(),
        "brand": facts.brand,
        "audience": facts.audience,
        "level": facts.level,
        "verdict": "".join(s.text() for s in facts.verdict),
        "window": {"from": facts.window[0].isoformat(), "to": facts.window[1].isoformat()},
        "generated_at": facts.generated_at.isoformat(timespec="seconds"),
        "coverage": {
            "percent": facts.coverage.percent,
            "sources": {
                s.name: {
                    "title": s.title,
                    "status": s.status.value,
                    "why": s.why.text() if s.why else None,
                    "expected": s.expected,
                    "read": s.read,
                    "since": s.since.isoformat() if s.since else None,
                }
                for s in facts.coverage.sources
            },
        },
        "indicators": [
            {
                "name": i.name,
                "value": i.value,
                "baseline": i.baseline,
                "judgement": i.judgement,
                "share": round(i.share, 4) if i.share is not None else None,
                "partial": i.partial,
            }
            for i in facts.indicators
        ],
        "actions": [
            {
                "what": a.what.text(),
                "owner": a.owner,
                "due": a.due.isoformat(timespec="minutes"),
                "incident": a.incident,
            }
            for a in facts.actions
        ],
        "risks": [_risk(r) for r in facts.risks],
        "more_risks": facts.more_risks,
        "alerts": [
            {
                "time": a.time.isoformat(timespec="seconds"),
                "incident": a.incident,
                "level": a.level,
                "title": a.title,
                "mention_urls": list(a.mention_urls),
                "session_ids": list(a.session_ids),
            }
            for a in facts.alerts
        ],
        "emerging": [
            {
                "incident": e.incident,
                "level": e.level,
                "title": e.title,
                "topic": e.topic,
                "seen": e.seen,
                "expected": e.expected,
                "p_value": e.p_value,
            }
            for e in facts.emerging
        ],
        "internal": _internal(facts),
        "trend": [
            {
                "date": d.date.isoformat(),
                "total": d.total,
                "negative": d.negative,
                "sessions": d.sessions,
                "partial": d.partial,
            }
            for d in facts.trend
        ],
        "platforms": [
            {"source": p.name, "title": p.title, "status": p.status, "total": p.total, "negative": p.negative}
            for p in facts.platforms
        ],
        "words": [{"word": w.word, "z": w.z, "authors": w.authors, "texts": w.texts} for w in facts.words],
        "followups": [
            {
                "incident": f.incident,
                "title": f.title,
                "level": f.level,
                "owner": f.owner,
                "today": f.today.text(),
            }
            for f in facts.followups
        ],
        "cases": {
            kind: [
                {"session_id": c.session_id, "path": c.path, "product": c.product_name, "text": c.text}
                for c in cases
            ]
            for kind, cases in (("bad", facts.bad_cases), ("good", facts.good_cases))
        },
        "exposures": _exposures(facts),
        "notes": [s.text() for s in facts.notes],
        "versions": dict(facts.versions),
    }


def to_json(facts: Facts) -> str:
    """Return the digest's JSON text (UTF-8, two-space indent)."""
    return orjson.dumps(as_dict(facts), option=orjson.OPT_INDENT_2).decode() + "\n"


def _risk(r: Risk) -> dict[str, Any]:
    return {
        "rank": r.rank,
        "incident": r.incident,
        "level": r.level,
        "state": r.state,
        "title": r.title,
        "topic": r.topic,
        "product": r.product,
        "product_name": r.product_name,
        "shop": r.shop,
        "owner": r.owner,
        "score": r.score,
        "formula": r.formula,
        "parts": r.parts,
        "why": [s.text() for s in r.why],
        "authors": r.authors,
        "copies": r.copies,
        "mention_urls": list(r.mention_urls),
        "session_ids": list(r.session_ids),
        "sources": list(r.sources),
        "lead_days": r.lead_days,
        "first_seen": r.first_seen.isoformat(timespec="seconds"),
        "first_source": r.first_source,
        "recurs_of": r.recurs_of,
        "today": {
            "voices": r.today.voices,
            "mentions": r.today.mentions,
            "sessions": r.today.sessions,
            "expected": r.today.expected,
            "p_value": r.today.p_value,
        },
        "quotes": [
            {
                "text": q.text,
                "url": q.url,
                "evidence": q.evidence,
                "source": q.source,
                "published_at": q.published_at.isoformat(timespec="seconds"),
            }
            for q in r.quotes
        ],
        "advice": [s.text() for s in r.advice],
    }


def _internal(facts: Facts) -> dict[str, Any]:
    inside = facts.internal
    return {
        "missing": inside.missing,
        "total": inside.total,
        "paths": inside.paths,
        "reasons": [
            {
                "reason": r.reason,
                "product": r.product,
                "product_name": r.product_name,
                "sessions": r.sessions,
                "mentions": r.mentions,
                "both": r.both,
                "safety": r.safety,
                "session_ids": list(r.session_ids),
                "mention_urls": list(r.mention_urls),
            }
            for r in inside.reasons
        ],
        "csi": round(inside.csi, 4) if inside.csi is not None else None,
        "csi_note": inside.csi_note.text(),
        "rates_note": inside.rates_note.text(),
    }


def _exposures(facts: Facts) -> dict[str, Any]:
    told = facts.exposures
    return {
        "threats": len(told.session_ids),
        "session_ids": list(told.session_ids),
        "links": [
            {
                "session_id": made.session_id,
                "words": list(made.words),
                "threatened_at": made.threatened_at.isoformat(timespec="seconds"),
                "url": made.url,
                "source": made.source,
                "appeared_at": made.appeared_at.isoformat(timespec="seconds"),
                "lag_hours": made.lag_hours,
                "probability": made.probability,
                "shared": list(made.shared),
            }
            for made in told.links
        ],
    }
