"""The digest as a workbook: the same facts in tables, for those who sort and filter.

No cell is ever a formula or a link, whatever was written in it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import xlsxwriter

from reports.digest.figures import moved, rate_change, rate_value
from reports.digest.labels import label
from reports.digest.text import level_words, moment
from reports.digest.views import shows
from reports.say import word
from reports.shape import Facts
from vocwatch.plain import safe_cell

CELL = 32_767  # letters, the format's own limit
_OPTIONS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
Cell = str | int | float | None


def digest_sheet(facts: Facts, lang: str = "zh") -> tuple[str, bytes]:
    """Return a name for the file and its bytes; the same facts give the same tables."""
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw, _OPTIONS) as book:
        book.set_properties({"created": facts.generated_at.replace(tzinfo=None)})
        bold = book.add_format({"bold": True})
        for key, head, rows in _tables(facts, lang):
            sheet = book.add_worksheet(label(key, lang)[:31])
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, len(head) - 1, 18)
            for column, title in enumerate(head):
                sheet.write_string(0, column, title, bold)
            for line, row in enumerate(rows, 1):
                for column, value in enumerate(row):
                    _write(sheet, line, column, value)
    return f"digest-{facts.date.isoformat()}.xlsx", raw.getvalue()


def _write(sheet: xlsxwriter.worksheet.Worksheet, line: int, column: int, value: Cell) -> None:
    if isinstance(value, str):
        sheet.write_string(line, column, str(safe_cell(value))[:CELL])
    elif value is not None:
        sheet.write_number(line, column, value)


def _tables(facts: Facts, lang: str) -> Iterable[tuple[str, Sequence[str], Sequence[Sequence[Cell]]]]:
    def t(*keys: str) -> list[str]:
        return [label(key, lang) for key in keys]

    yield "actions", t("level", "actions", "owner", "due", "incident"), [
        (level_words(a.level, lang), a.what.text(lang), a.owner, moment(a.due), a.incident) for a in facts.actions
    ]
    yield "indicators", [*t("indicators", "value", "share", "median", "judgement")], [
        (word(i.name, lang), i.value, i.share, i.baseline, moved(i.name, i.judgement, lang, i.partial)) for i in facts.indicators
    ]
    yield "risks", t("level", "state", "incident", "title", "topic", "product", "owner", "score", "authors", "mentions",
                     "sessions", "first_seen", "why", "advice", "quotes_column"), [
        (
            level_words(r.level, lang), word(r.state, lang), r.incident, r.title, r.topic, word(r.product_name, lang),
            r.owner, r.score, r.authors, len(r.mention_urls), len(r.session_ids), moment(r.first_seen),
            "\n".join(s.text(lang) for s in r.why), "\n".join(s.text(lang) for s in r.advice),
            "\n".join(q.text for q in r.quotes),
        )
        for r in (*facts.risks, *facts.others)
    ]
    if shows(facts, "shops"):
        yield "shop", t("shop", "sessions", "median", "judgement", "paths"), [
            (
                s.name, s.total, s.baseline, moved("客服差评会话", s.judgement, lang),
                " · ".join(f"{word(path, lang)} {count}" for path, count in s.paths.items()),
            )
            for s in facts.shops
        ]
    if shows(facts, "trend"):
        yield "trend", t("date", "negative_column", "mentions", "sessions"), [
            (d.date.isoformat(), d.negative, d.total, d.sessions) for d in facts.trend
        ]
    if shows(facts, "internal") and facts.internal.rates:
        yield "rates", t("rates", "value", "judgement"), [
            (word(r.name, lang), rate_value(r, lang), rate_change(r, lang)) for r in facts.internal.rates
        ]
    if shows(facts, "health"):
        yield "health", t("source", "status", "cause"), [
            (s.title, word(s.status.value, lang), s.why.text(lang) if s.why else None) for s in facts.coverage.sources
        ]
