"""Fitting a digest into a mail: three minutes to read, and small enough not to be clipped.

What is left out goes step by step, the least needed first: sessions for training, second quotes, quotes of the lower
cards, reasons behind the first, at last all quotes. The digest's JSON always has everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from reports.digest.people import Marks
from reports.digest.render import MAX_BYTES, render_html
from reports.digest.text import render_text
from reports.shape import Facts, Risk
from vocwatch.plain import one_line

MAX_HAN = 1500
MAX_WORDS = 750  # English; three minutes as well
FULL_CARDS = 2
_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[A-Za-z]{2,}")


def fitted(facts: Facts, lang: str = "zh", marks: Marks | None = None) -> Facts:
    """Return the facts with as much as a mail can hold (links of a recipient, `marks`, take room as well); `left_out` counts the steps that were needed."""
    for step, found in enumerate(_steps(facts)):
        shown = replace(found, left_out=step)
        if fits(shown, lang, marks):
            break
    return shown


def fits(facts: Facts, lang: str = "zh", marks: Marks | None = None) -> bool:
    """Whether a mail program shows all of it, and it is read in three minutes."""
    text = render_text(facts, lang, marks)
    long = len(_WORD.findall(text)) > MAX_WORDS if lang == "en" else len(_HAN.findall(text)) > MAX_HAN
    return not long and len(render_html(facts, lang, marks).encode()) <= MAX_BYTES


def _steps(facts: Facts) -> Iterator[Facts]:
    yield facts
    for step in _STEPS:
        facts = step(facts)
        yield facts


def _cards(first: Callable[[Risk], Risk], lower: Callable[[Risk], Risk]) -> Callable[[Facts], Facts]:
    """Return a step that treats the first cards one way and the lower ones another."""
    return lambda facts: replace(
        facts, risks=tuple((first if place < FULL_CARDS else lower)(r) for place, r in enumerate(facts.risks))
    )


def _short(quotes: int, reasons: int, advice: int) -> Callable[[Risk], Risk]:
    """Return a way to make a card shorter: so many quotes, reasons, and pieces of advice.

    A quote stays whole: when its author wants it deleted, it has to be found in the files.
    """
    return lambda risk: replace(
        risk,
        quotes=risk.quotes[:quotes],
        why=risk.why[:reasons],
        advice=risk.advice[:advice],
        topic=one_line(risk.topic, 40),
        product_name=one_line(risk.product_name, 40),
    )


def _fewer(facts: Facts) -> Facts:
    """At most so much of everything below the cards."""
    inside = replace(facts.internal, reasons=facts.internal.reasons[:3])
    return replace(
        facts, internal=inside, platforms=facts.platforms[:5], emerging=facts.emerging[:3], phrases=facts.phrases[:2],
        to_check=facts.to_check[:3],
    )


_STEPS: tuple[Callable[[Facts], Facts], ...] = (
    lambda facts: replace(facts, bad_cases=facts.bad_cases[:1], good_cases=facts.good_cases[:1]),
    lambda facts: replace(facts, bad_cases=(), good_cases=()),
    _cards(_short(2, 4, 4), _short(1, 3, 3)),
    _cards(_short(1, 4, 3), _short(1, 2, 2)),
    _cards(_short(1, 3, 3), _short(0, 2, 2)),
    _fewer,
    _cards(_short(1, 2, 2), _short(0, 1, 1)),
    _cards(_short(0, 2, 2), _short(0, 1, 1)),
    _cards(_short(0, 1, 1), _short(0, 1, 1)),
    lambda facts: replace(facts, risks=facts.risks[:5], more_risks=facts.more_risks + len(facts.risks[5:])),
)
