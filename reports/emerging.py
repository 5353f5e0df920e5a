"""Complaints that the taxonomy has no leaf for: phrases that are new today, proposed as topics.

Heard are the clauses of the day's complaints that no topic covers. A phrase counts once for each person; near-copies,
long clauses word for word the same, and texts that look arranged (`reports.bursts`) count for nobody. What is new is
told by the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008, “Fightin' Words”, eq. 16
and 22) of the people who use it among the day's complaints, against the texts of the 28 days before.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from reports.baseline import BASE_DAYS
from reports.bursts import coordination
from reports.clusters import collapse
from reports.phrases import MIN_AUTHORS, candidates, each_holding, holding
from reports.traces import Kept
from reports.words import MIN_Z, log_odds
from vocwatch.clock import day_window
from vocwatch.fingerprint import squeeze
from vocwatch.models import OTHER_TOPIC
from vocwatch.plain import one_line
from vocwatch.settings import Settings
from vocwatch.store import Connection, incidents
from vocwatch.store.incidents import Heard

MAX_PHRASES = 5
MAX_WORDS = 6
MAX_PIECES = 4000  # texts of the day that phrases are looked for in; all are counted
MAX_REFERENCE = 2000
MAX_SAMPLE = 20_000
MAX_LETTERS = 1500
TEMPLATE_LETTERS = 12  # two people do not write so many characters alike
SENTENCE_LETTERS, MAX_SENTENCES = 4, 20  # clauses that a template is known by
TOGETHER = 0.5  # of their people: two phrases speak of one thing
MAX_PRIOR = 500.0  # people: the prior weighs no more than the day itself
_BREAK = re.compile(r"[，。！？；、,.!?;:：\n\r…~～]+")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Phrase:
    """A proposed topic: its phrase, others of the same people, the log-odds z, and the rows behind.

    `authors` independent people wrote it today in `texts` texts (`mention_ids`, `mention_urls`); `before` texts of the
    28 days before hold it.
    """

    phrase: str
    words: tuple[str, ...]
    z: float
    authors: int
    texts: int
    before: int
    mention_ids: tuple[int, ...]
    mention_urls: tuple[str, ...]

    @property
    def snippet(self) -> str:
        """The topic as it may be pasted under `topics:` in config/topics.yaml."""
        words = ", ".join(self.words)
        return (
            f"  - name: 新发现\n    sensitivity: 0.3\n    leaves:\n      - name: {self.phrase}\n        words: [{words}]\n"
            "        severity: 2\n"
        )


@dataclass(frozen=True)
class _Open:
    """A text with the clauses that no topic covers."""

    heard: Heard
    clauses: tuple[str, ...]

    @property
    def author(self) -> str:
        return f"{self.heard.channel}:{self.heard.author or self.heard.ref_id}"


def emerging(settings: Settings, today: Sequence[Heard], before: Sequence[str]) -> tuple[Phrase, ...]:
    """Return up to five proposals, most surprising first. `today` are the day's complaints of customers and press;
    `before` the negative texts of the 28 days before.
    """
    opened = [one for heard in today if heard.brand_match and heard.sentiment == "negative" and (one := _open(heard)).clauses]
    pieces = [(one.author, "\n".join(one.clauses)) for one in _spread(opened, MAX_PIECES)]
    reference = list(_spread(before, MAX_REFERENCE))
    known = _Known(settings)
    grams = [g for g in candidates(pieces, reference) if not known.has(g)]
    users = _users(grams, opened)
    people = len({f"{h.channel}:{h.author or h.ref_id}" for h in today if h.sentiment == "negative"})

    def surprising(rows: Mapping[str, Sequence[_Open]], texts: Sequence[str], least: float) -> list[tuple[str, float, int]]:
        authors = {gram: len({one.author for one in own}) for gram, own in rows.items()}
        most = {gram: most_before(own, people, len(texts), least) for gram, own in authors.items()}
        past = holding([gram for gram in rows if most[gram] >= 0], texts, most)
        likely = (gram for gram in rows if past[gram] <= most[gram])
        told = ((gram, surprise(authors[gram], people, past[gram], len(texts)), past[gram]) for gram in likely)
        return [(gram, z, heard) for gram, z, heard in told if z >= least]

    likely = surprising(users, _spread(before, MAX_SAMPLE), MIN_Z / 2)  # most are everyday: a sample says so
    behind = {gram: _independent(gram, users[gram]) for gram, _, _ in likely}
    found = [_phrase(gram, round(z, 1), heard, behind[gram]) for gram, z, heard in surprising(behind, before, MIN_Z)]
    return _merged(found, behind)


def surprise(authors: int, people: int, there: int, of_there: int) -> float:
    """The log-odds of a phrase's people among all of today's; nothing for fewer than 3."""
    return log_odds(authors, people, there, of_there, min(MAX_PRIOR, people)) if authors >= MIN_AUTHORS else 0.0


def most_before(authors: int, people: int, of_there: int, least: float) -> int:
    """Return in how many texts of before a phrase may stand and still be surprising; −1 where in none at all.

    From the share that today has of it on, the log-odds are 0 or less; its pseudo-counts move that up, by twice the
    prior at most.
    """
    if authors < MIN_AUTHORS:
        return -1
    equal = max(authors, ((of_there + 2 * MAX_PRIOR) * authors + of_there / 2) / max(1, people))
    return next(
        (n for n in range(min(of_there, int(equal) + 1), -1, -1) if surprise(authors, people, n, of_there) >= least), -1
    )


def read_emerging(
    settings: Settings, connection: Connection, date: dt.date
) -> tuple[tuple[Phrase, ...], dict[int, Heard]]:
    """Return the proposals of a business date and the day's complaints by row id."""
    start, end = day_window(date, settings.app.zone)
    today = incidents.complaints(connection, start, end)
    before = Kept(settings, connection, date - dt.timedelta(days=BASE_DAYS), date).negative_texts(date)
    return emerging(settings, today, before), {heard.ref_id: heard for heard in today}


def _open(heard: Heard) -> _Open:
    """The clauses of a text outside every span that has a topic of its own; copies of one clause once."""
    covered = [
        (int(span["start"]), int(span["end"])) for span in heard.spans if span.get("topic") not in (None, "", OTHER_TOPIC)
    ]
    clauses, start = [], 0
    text = heard.text[:MAX_LETTERS]
    for stop in [*(match for match in _BREAK.finditer(text)), None]:
        end = stop.start() if stop else len(text)
        if end > start and not any(first < end and start < last for first, last in covered):
            clauses.append(text[start:end])
        start = stop.end() if stop else end
    return _Open(heard, tuple(dict.fromkeys(clauses)))


def _spread(items: Sequence[_Item], most: int) -> Sequence[_Item]:
    """At most so many, evenly taken from all: the same ones each time."""
    step = -(-len(items) // most) if items else 1
    return items[::step]


class _Known:
    """What has a name already: watches, shops, and the words of the taxonomy."""

    def __init__(self, settings: Settings):
        names = {name for w in settings.watches.watches for name in (w.name, *w.aliases, *w.ambiguous)}
        names |= {shop.name for shop in settings.app.shops} | {settings.app.brand.name}
        leaves = [leaf for group in settings.topics.topics for leaf in group.leaves]
        for leaf in leaves:
            names |= {leaf.name, *leaf.words, *leaf.cancel, *leaf.praise}
        for line in settings.topics.red_lines:
            names |= {*line.words, *line.cancel}
        self._names = {name for name in names if len(name) > 1}
        self._about = {name for leaf in leaves for name in leaf.about}

    def has(self, gram: str) -> bool:
        """Whether a phrase is a known name, part of one, or holds one."""
        return gram in self._about or any(gram in name or name in gram for name in self._names)


def _users(grams: Sequence[str], opened: Sequence[_Open]) -> dict[str, list[_Open]]:
    """The texts that use each phrase, oldest first."""
    used: dict[str, list[_Open]] = {gram: [] for gram in grams}
    ordered = sorted(opened, key=lambda one: (one.heard.at, one.heard.order))
    for one, held in zip(ordered, each_holding(grams, ("\n".join(one.clauses) for one in ordered)), strict=True):
        for gram in held:
            used[gram].append(one)
    return used


def _independent(gram: str, used: Sequence[_Open]) -> list[_Open]:
    """Of the texts that use a phrase the originals, a long clause word for word the same once, texts put together from
    the same clauses once; none where they look arranged.
    """
    if coordination([one.heard for one in used]):
        return []
    origins = collapse([one.heard for one in used])
    made = set(_from_template(used)[1:])
    seen: set[str] = set()
    kept = []
    for one in used:
        if one.heard.ref_id in made:
            continue
        long = {squeeze(clause) for clause in one.clauses if gram in clause and len(squeeze(clause)) >= TEMPLATE_LETTERS}
        if origins[one.heard.ref_id] == one.heard.ref_id and not long & seen:
            kept.append(one)
        seen |= long
    return kept


def _from_template(used: Sequence[_Open]) -> list[int]:
    """The row ids of texts that share two whole clauses with a text of somebody else, oldest first: people who have the
    same trouble share its name, not their sentences.
    """
    writers: dict[tuple[str, str], set[str]] = defaultdict(set)
    pairs: dict[int, list[tuple[str, str]]] = {}
    for one in used:
        clauses = {squeeze(clause) for clause in _BREAK.split(one.heard.text[:MAX_LETTERS])}
        own = sorted(clause for clause in clauses if len(clause) >= SENTENCE_LETTERS)[:MAX_SENTENCES]
        pairs[one.heard.ref_id] = list(combinations(own, 2))
        for pair in pairs[one.heard.ref_id]:
            writers[pair].add(one.author)
    return [ref for ref, own in pairs.items() if any(len(writers[pair]) > 1 for pair in own)]


def _phrase(gram: str, z: float, before: int, rows: Sequence[_Open]) -> Phrase:
    return Phrase(
        gram, (gram,), z, len({one.author for one in rows}), len(rows), before,
        tuple(one.heard.ref_id for one in rows), tuple(dict.fromkeys(one.heard.url for one in rows)),
    )


def _merged(found: Sequence[Phrase], behind: Mapping[str, Sequence[_Open]]) -> tuple[Phrase, ...]:
    """Let phrases that the same people use be the words of one proposal: that of most people, then the longest."""
    order = sorted(found, key=lambda p: (-p.authors, -p.z, -len(p.phrase), p.phrase))
    words: dict[str, list[str]] = defaultdict(list)
    heads: list[Phrase] = []
    for phrase in order:
        who = {one.author for one in behind[phrase.phrase]}
        head = next((h for h in heads if _overlap(who, {one.author for one in behind[h.phrase]}) >= TOGETHER), None)
        if head is None:
            heads.append(phrase)
        words[(head or phrase).phrase].append(phrase.phrase)
    proposed = [
        Phrase(h.phrase, tuple(words[h.phrase][:MAX_WORDS]), h.z, h.authors, h.texts, h.before, h.mention_ids, h.mention_urls)
        for h in heads
    ]
    return tuple(sorted(proposed, key=lambda p: (-p.z, p.phrase))[:MAX_PHRASES])


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


def clause_of(phrase: str, text: str) -> str:
    """Return the clause of a text that holds a phrase, for people to read."""
    return next((one_line(clause, 60) for clause in _BREAK.split(text) if phrase in clause), one_line(text, 60))
