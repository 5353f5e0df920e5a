"""The digest as plain text: the whole of it, for readers without HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from reports.digest.figures import (
    emerging_line,
    heard_keywords,
    keyword_line,
    moved,
    rate_change,
    rate_value,
    rising_line,
    rising_topics,
    safe_url,
    shop_line,
    usual_line,
)
from reports.digest.labels import label
from reports.digest.people import Marks, mark_line, overdue_lines, precision_line
from reports.digest.subject import subject
from reports.digest.views import shows
from reports.say import word
from reports.shape import Facts, Indicator, Risk
from vocwatch.models import Level, SourceStatus
from vocwatch.plain import one_line

MAX_LINKS = 3


def render_text(facts: Facts, lang: str = "zh", marks: Marks | None = None) -> str:
    """Return the text part, sections in the digest's order; `marks` are the feedback links of one recipient."""
    lines: list[str] = []
    for number, section in enumerate(_sections(facts, lang, marks)):
        lines += ([""] if number else []) + [one_line(line, 600) if line else "" for line in section]
    return "\n".join(lines) + "\n"


def _sections(facts: Facts, lang: str, marks: Marks | None) -> Iterator[list[str]]:
    yield _verdict(facts, lang)
    yield _actions(facts, lang)
    yield _head("indicators", lang) + [indicator_line(i, lang) for i in facts.indicators]
    yield _risks(facts, lang, marks)
    if facts.to_check and shows(facts, "emerging"):
        yield _to_check(facts, lang)
    below: dict[str, Callable[[Facts, str], list[str]]] = {
        "shops": _shops, "emerging": _emerging, "internal": _internal, "trend": _trend, "words": _words, "health": _health,
        "followups": _followups, "cases": _cases,
    }
    for part, told in below.items():
        if shows(facts, part):
            section = told(facts, lang)
            if section:
                yield section
    yield _footer(facts, lang)


def _head(key: str, lang: str) -> list[str]:
    return [f"■ {label(key, lang)}"]


def level_words(level: str, lang: str) -> str:
    """Return “Ⅱ 橙色” (“Ⅱ orange”); unknown has no numeral."""
    return word(level, lang) if level == "灰" else f"{Level(level).roman} {word(level, lang)}"


def moment(value: dt.datetime) -> str:
    """Return “11-15 18:00”."""
    return f"{value:%m-%d %H:%M}"


def posted(value: dt.datetime) -> str:
    """Return “11-15 18:00”, or “11-15” of what was published with a date alone, which stands at midnight."""
    return f"{value:%m-%d}" if (value.hour, value.minute, value.second) == (0, 0, 0) else moment(value)


def span(window: tuple[dt.datetime, dt.datetime]) -> str:
    """Return “11-15 00:00–24:00” for a whole day, else both ends in full."""
    start, end = window
    whole = start.time() == end.time() == dt.time() and end.date() - start.date() == dt.timedelta(days=1)
    return f"{moment(start)}–24:00" if whole else f"{moment(start)} – {moment(end)}"


def incident_url(facts: Facts, incident: str) -> str:
    """Return an incident's page in the console, or nothing where there is no console."""
    return safe_url(f"{facts.console}/incidents/{incident}") if facts.console else ""


def number(value: float | None, lang: str) -> str:
    """Return a figure without needless decimals, or the word for a missing one."""
    return label("missing", lang) if value is None else f"{value:g}"


def _verdict(facts: Facts, lang: str) -> list[str]:
    lines = [
        subject(facts, lang),
        f"{level_words(facts.level, lang)}  {' '.join(s.text(lang) for s in facts.verdict)}",
        f"{label('window', lang)} {span(facts.window)}  "
        f"{label('generated', lang)} {moment(facts.generated_at)}  "
        f"{label('coverage', lang)} {facts.coverage.percent}%",
    ]
    return lines + [f"* {note.text(lang)}" for note in facts.notes]


def _actions(facts: Facts, lang: str) -> list[str]:
    lines = [
        f"{place}. [{level_words(a.level, lang)}] {a.what.text(lang)}"
        f"（{label('owner', lang)} {a.owner}{label('comma', lang)}{label('due', lang)} {moment(a.due)}）"
        for place, a in enumerate(facts.actions, 1)
    ]
    return _head("actions", lang) + (lines or [label("no_actions", lang)])


def indicator_line(indicator: Indicator, lang: str) -> str:
    """Return one figure with its comparison."""
    share = f"（{label('share', lang)} {indicator.share:.0%}）" if indicator.share is not None else ""
    partial = f" [{label('partial', lang)}]" if indicator.partial else ""
    base = (
        f"{label('median', lang)} {number(indicator.baseline, lang)}{label('comma', lang)}"
        if indicator.baseline is not None
        else ""
    )
    return (
        f"{word(indicator.name, lang)} {number(indicator.value, lang)}{share}{label('stop', lang)}{base}"
        f"{moved(indicator.name, indicator.judgement, lang, indicator.partial)}{partial}"
    )


def _risks(facts: Facts, lang: str, marks: Marks | None) -> list[str]:
    lines = _head("risks", lang)
    if not facts.risks:
        return [*lines, label("no_risks" if facts.coverage.calm else "no_risks_blind", lang)]
    for risk in facts.risks:
        lines += [*_risk(facts, risk, lang), f"   {mark_line(risk, facts, marks, lang)}"]
        if incident_url(facts, risk.incident):
            lines.append(f"   {label('open', lang)}{label('colon', lang)}{incident_url(facts, risk.incident)}")
    if facts.more_risks and not shows(facts, "emerging"):
        lines.append(label("more_risks", lang, count=facts.more_risks))
    return lines


def _risk(facts: Facts, risk: Risk, lang: str) -> list[str]:
    parts = "  ".join(f"{label(name, lang)} {value:.2f}" for name, value in risk.parts.items())
    lines = [
        f"{risk.rank}. [{level_words(risk.level, lang)}·{word(risk.state, lang)}] {risk.title}  "
        f"{label('score', lang)} {risk.score:g}  {risk.incident}",
        "   "
        + " · ".join(
            x
            for x in (
                risk.topic,
                word(risk.product_name, lang),
                risk.shop or "",
                f"{label('owner', lang)} {risk.owner}",
            )
            if x
        ),
        "   "
        + label(
            "volume",
            lang,
            mentions=len(risk.mention_urls),
            authors=risk.authors,
            sessions=len(risk.session_ids),
        )
        + label("stop", lang)
        + label("today_new", lang, mentions=risk.today.mentions, sessions=risk.today.sessions),
        f"   {label('first_seen', lang)} {posted(risk.first_seen)} {word(risk.first_source, lang)}"
        f"{label('stop', lang)}{label('sources', lang)} {label('list', lang).join(risk.sources) or '-'}",
        *(f"   - {s.text(lang)}" for s in risk.why),
        f"   {parts}",
        *(f"   “{q.text}” {q.source} {q.url}" for q in risk.quotes),
    ]
    if risk.quotes:
        lines.append(f"   （{label('quotes', lang)}）")
    shown = [url for url in risk.mention_urls if url not in {q.url for q in risk.quotes}][
        : 0 if facts.private else MAX_LINKS - len(risk.quotes)
    ]
    lines += [f"   {label('evidence', lang)} {url}" for url in shown]
    advice = label("stop", lang).join(s.text(lang) for s in risk.advice)
    lines.append(f"   {label('advice', lang)}{label('colon', lang)}{advice}")
    return lines


def _to_check(facts: Facts, lang: str) -> list[str]:
    return [*_head("to_check", lang), label("to_check_note", lang)] + [
        f"· {r.title}{label('colon', lang)}{r.why[0].text(lang)} · {label('owner', lang)} {r.owner}"
        + "".join(f" {url}" for url in r.mention_urls[: 0 if facts.private else 2])
        for r in facts.to_check
    ]


def _emerging(facts: Facts, lang: str) -> list[str]:
    found, colon = rising_topics(facts), label("colon", lang)
    lines = [f"[{label('rising', lang)}] {r.title(lang)}{colon}{rising_line(r, lang)}" for r in found.rising]
    lines += [f"[{level_words(e.level, lang)}] {e.title}{colon}{emerging_line(e, lang)}" for e in found.emerging]
    lines += [
        f"[{label('new_phrase', lang)}] {label('list', lang).join(p.words)}{colon}"
        + label("phrase_line", lang, authors=p.authors, texts=p.texts, before=p.before)
        + f" {p.mention_urls[0]}"
        for p in found.phrases
    ]
    lines += [label("more_rising", lang, count=found.more)] if found.more else []
    lines += [label("more_risks", lang, count=facts.more_risks)] if facts.more_risks else []
    return _head("emerging", lang) + lines if lines else []


def _shops(facts: Facts, lang: str) -> list[str]:
    lines = [f"- {shop.name}{label('colon', lang)}{shop_line(shop, lang)}" for shop in facts.shops]
    return [*_head("shops", lang), *lines] if lines else []


def _internal(facts: Facts, lang: str) -> list[str]:
    inside = facts.internal
    lines = _head("internal", lang)
    if inside.missing:
        return [*lines, label("missing", lang)]
    lines.append(
        f"{label('paths', lang)}{label('colon', lang)}"
        + "  ".join(f"{word(p, lang)} {n}" for p, n in inside.paths.items())
    )
    for r in sorted(inside.reasons, key=lambda r: not r.safety):
        both = f" · {label('both', lang, count=r.mentions)}" if r.both else ""
        safety = f" · {label('safety', lang)}" if r.safety else ""
        count = label("sessions_n", lang, count=r.sessions)
        lines.append(f"- {r.reason} × {r.product_name or '-'}{label('colon', lang)}{count}{both}{safety}")
    if not inside.reasons:
        lines.append(label("no_reasons", lang))
    csi = f"{inside.csi:.1%} " if inside.csi is not None else ""
    return [
        *lines,
        *_keywords(facts, lang),
        *_rates(facts, lang),
        f"{label('csi', lang)}{label('colon', lang)}{csi}{inside.csi_note.text(lang)}",
        inside.rates_note.text(lang),
    ]


def _rates(facts: Facts, lang: str) -> list[str]:
    stop = label("stop", lang)
    return [
        f"- {word(r.name, lang)} {rate_value(r, lang)}{stop if r.value is not None else ''}{rate_change(r, lang)}"
        for r in facts.internal.rates
    ]


def _keywords(facts: Facts, lang: str) -> list[str]:
    inside = facts.internal
    heard = [f"{k.name} {keyword_line(k, lang)}" for k in heard_keywords(inside)]
    lines = [f"{label('keywords', lang)}{label('colon', lang)}{label('list', lang).join(heard)}"] if heard else []
    return lines + ([label("keywords_waiting", lang, count=inside.unsearched)] if inside.unsearched else [])


def _trend(facts: Facts, lang: str) -> list[str]:
    lines = [f"{_head('trend', lang)[0]}（{label('trend_note', lang)}）"]
    lines.append(
        "  ".join(
            f"{d.date:%m-%d} {number(d.negative, lang)}/{number(d.total, lang)}{'*' if d.partial else ''}"
            for d in facts.trend
        )
    )
    lines += [f"- {p.title} {number(p.negative, lang)}/{number(p.total, lang)}" for p in facts.platforms]
    return [*lines, f"* {label('partial', lang)}"] if any(d.partial for d in facts.trend) else lines


def _words(facts: Facts, lang: str) -> list[str]:
    shown = label("list", lang).join(
        f"{w.word}({label('words_note', lang, authors=w.authors)})" for w in facts.words
    )
    return [*_head("words", lang), shown or label("no_words", lang)]


def _health(facts: Facts, lang: str) -> list[str]:
    lines, blind = _head("health", lang), facts.coverage.blind
    for s in blind:
        why = f"{label('colon', lang)}{s.why.text(lang)}" if s.why else ""
        since = (
            f"{label('comma', lang)}{label('since', lang, date=s.since.strftime('%m-%d'))}" if s.since else ""
        )
        usual = usual_line(facts.usual.get(s.name), lang)
        lines.append(
            f"- {s.title} {word(s.status.value, lang)}{since}{why}{label('stop', lang) if usual else ''}{usual}"
        )
    lines += [
        f"- {u.title} {label('few', lang)}{label('colon', lang)}{usual_line(u, lang)}"
        for u in facts.usual.values() if u.few
    ]
    well = sum(s.status is SourceStatus.OK for s in facts.coverage.sources)
    told = "others_ok" if blind else "all_ok" if facts.coverage.sources else "no_source"
    return [*lines, label(told, lang, count=well)]


def _followups(facts: Facts, lang: str) -> list[str]:
    lines = [
        f"- [{level_words(f.level, lang)}] {f.title}{label('colon', lang)}{f.today.text(lang)}（{f.owner}）"
        for f in facts.followups
    ]
    lines += [f"- [{label('overdue', lang)}] {line}" for line in overdue_lines(facts, lang)]
    return _head("followups", lang) + (lines or [label("no_followups", lang)])


def _cases(facts: Facts, lang: str) -> list[str]:
    lines = _head("cases", lang)
    for kind, cases in (("bad_case", facts.bad_cases), ("good_case", facts.good_cases)):
        lines += [
            f"- {label(kind, lang)} [{word(c.path, lang)}] {c.session_id}{label('colon', lang)}“{c.text}”"
            for c in cases
        ]
    return lines if len(lines) > 1 else []


def _footer(facts: Facts, lang: str) -> list[str]:
    return [
        "—" * 20,
        f"{label('method', lang)}{label('colon', lang)}{label('method_text', lang)}",
        precision_line(facts, lang),
        label("versions", lang, **facts.versions),
        label("notice", lang) + label("kept", lang),
        *([label("private", lang)] if facts.private else []),
        *([label("shortened", lang)] if facts.left_out else []),
        label("feedback", lang),
        label("received", lang),
    ]
