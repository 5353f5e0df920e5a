"""The digest as JSON: the contract that console, exports and other programs read."""

from __future__ import annotations

from typing import Any

import orjson

from reports.emerging import Phrase
from reports.rates import Rate
from reports.shape import Facts, Risk
from reports.usual import Usual


def as_dict(facts: Facts, lang: str = "zh") -> dict[str, Any]:
    """Return the digest's JSON value. Times carry their offset; nothing is left out. What is kept and exported has
    Chinese sentences, what the console shows those of its reader.
    """
    return {
        "date": facts.date.isoformat(),
        "brand": facts.brand,
        "audience": facts.audience,
        "level": facts.level,
        "verdict": "".join(s.text(lang) for s in facts.verdict),
        "window": {"from": facts.window[0].isoformat(), "to": facts.window[1].isoformat()},
        "generated_at": facts.generated_at.isoformat(timespec="seconds"),
        "coverage": {
            "percent": facts.coverage.percent,
            "sources": {
                s.name: {
                    "title": s.title,
                    "status": s.status.value,
                    "why": s.why.text(lang) if s.why else None,
                    "expected": s.expected,
                    "read": s.read,
                    "since": s.since.isoformat() if s.since else None,
                    **_usual(facts.usual.get(s.name)),
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
                "what": a.what.text(lang),
                "owner": a.owner,
                "due": a.due.isoformat(timespec="minutes"),
                "incident": a.incident,
            }
            for a in facts.actions
        ],
        "risks": [_risk(r, lang) for r in facts.risks],
        "more_risks": facts.more_risks,
        "others": [_risk(r, lang) for r in facts.others],
        "to_check": [_risk(r, lang) for r in facts.to_check],
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
                "kind": "incident",
                "incident": e.incident,
                "level": e.level,
                "title": e.title,
                "topic": e.topic,
                "seen": e.seen,
                "expected": e.expected,
                "p_value": e.p_value,
            }
            for e in facts.emerging
        ]
        + [_phrase(p) for p in facts.phrases],
        "movers": [r.as_dict() for r in facts.rising],
        "internal": _internal(facts, lang),
        "shops": [
            {"shop": s.shop, "name": s.name, "owner": s.owner, "sessions": s.total, "baseline": s.baseline,
             "judgement": s.judgement, "paths": s.paths}
            for s in facts.shops
        ],
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
                "today": f.today.text(lang),
            }
            for f in facts.followups
        ],
        "overdue": [one.as_dict() for one in facts.overdue],
        "cases": {
            kind: [
                {"session_id": c.session_id, "path": c.path, "product": c.product_name, "text": c.text}
                for c in cases
            ]
            for kind, cases in (("bad", facts.bad_cases), ("good", facts.good_cases))
        },
        "exposures": _exposures(facts),
        "precision": facts.precision.as_dict() if facts.precision else None,
        "notes": [s.text(lang) for s in facts.notes],
        "versions": dict(facts.versions),
    }


def to_json(facts: Facts) -> str:
    """Return the digest's JSON text (UTF-8, two-space indent)."""
    return orjson.dumps(as_dict(facts), option=orjson.OPT_INDENT_2).decode() + "\n"


def _risk(r: Risk, lang: str) -> dict[str, Any]:
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
        "why": [s.text(lang) for s in r.why],
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
        "advice": [s.text(lang) for s in r.advice],
    }


def _usual(u: Usual | None) -> dict[str, Any]:
    """What was heard of a source, what is usual, and what was to be expected of the part that was read."""
    if u is None:
        return {}
    return {"heard": u.heard, "usual": u.usual, "usual_days": u.days, "usual_read": u.expected, "p_low": u.p_low, "few": u.few}


def _phrase(p: Phrase) -> dict[str, Any]:
    return {
        "kind": "phrase",
        "title": p.phrase,
        "words": list(p.words),
        "z": p.z,
        "authors": p.authors,
        "texts": p.texts,
        "before": p.before,
        "mention_urls": list(p.mention_urls),
        "snippet": p.snippet,
    }


def _internal(facts: Facts, lang: str) -> dict[str, Any]:
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
        "csi_note": inside.csi_note.text(lang),
        "rates_note": inside.rates_note.text(lang),
        "rates": [_rate(r, lang) for r in inside.rates],
        "keywords": [
            {
                "name": k.name,
                "level": k.level,
                "sessions": k.sessions,
                "expected": k.expected,
                "p_value": k.p,
                "judgement": k.judgement,
                "words": list(k.words),
                "session_ids": list(k.session_ids),
            }
            for k in inside.keywords
        ],
        "keywords_unsearched": inside.unsearched,
    }


def _rate(r: Rate, lang: str) -> dict[str, Any]:
    """A rate with its counts, the rows of totals or the sessions they were counted in, and the days it lacks."""
    return {
        "name": r.name,
        "over": r.over,
        "under": r.under,
        "numerator": r.numerator,
        "denominator": r.denominator,
        "basis": r.basis,
        "value": _rounded(r.value),
        "low": _rounded(r.low),
        "high": _rounded(r.high),
        "judgement": r.judgement,
        "change": _rounded(r.change),
        "base": {
            "numerator": r.base.numerator,
            "denominator": r.base.denominator,
            "value": _rounded(r.base.rate),
            "days": [day.isoformat() for day in r.base.days],
            "missing": [day.isoformat() for day in r.base.missing],
        },
        "note": r.note.text(lang) if r.note else None,
        "totals": [
            {"day": t.day.isoformat(), "shop": t.shop, "what": t.what, "value": t.value, "basis": t.basis} for t in r.rows
        ],
        "session_ids": list(r.session_ids),
    }


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 5)


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
