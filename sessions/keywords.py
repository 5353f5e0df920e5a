"""内部舆情关键词: which classes of words a customer's turns hold, and the scan of what is stored.

A word counts wherever it stands, whatever its width, case and blanks; not where it is denied (不会曝光), unless the
denial is itself denied, asked or a threat (不得不曝光, 以为我不会曝光, 不是假货吧).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind

from vocwatch.models import Turn
from vocwatch.settings import Settings
from vocwatch.settings.keywords import KeywordClass, Keywords
from vocwatch.store import Store
from vocwatch.store import keywords as stored
from vocwatch.store.keywords import KeywordHit

BATCH = 500
_REACH = 12  # characters before and behind a word that may deny it
_PLAIN = re.compile("[a-z0-9\u4e00-\u9fff\uff0c\u3002]*")
_FILLER = "会|想|要|能|敢|打算|准备|用|必|需要?|是|有|去|再|说|过|被|什么|任何|出现|发生|收到|发现|买到|真的?|你们?|我|到|的是"
_UNSEEN = frozenset(("Cf", "Mn", "Cc", "Cs"))
_DENIED = re.compile(f"(?:没有?|不|别|勿|并?未|并?非|懒得|免得|以免|避免|省得|无需|谈不上|算不上)(?:{_FILLER}){{0,3}}$")
# What before a denial turns it round: 不是不, 以为我不会, 要不, 再不, 怕不; A不A is a question.
_TURNED = re.compile("(?:不是|不得|不能|不可能|没法|难道|以为(?:我们?|老?子)?|敢说我?|[要再怕非得可])$")
_ASKS = re.compile("^.{0,4}?(?:吧|吗|嘛|么|[?？])")
_THREAT = re.compile("^.{0,4}?(?:就不|都不|不行|不管|不处理|不给|是吧)")
_BEFORE_QUESTION = re.compile("(?:会不会|会|容易|是否|有没有|能不能|会有|万一|如果|要是|怕|担心)[^，。！]{0,6}$")
_BEHIND_QUESTION = re.compile("^[^，。！]{0,6}(?:吗|嘛|么|呢|吧|[?？])")
_SURE_QUESTION = re.compile("(?:会不会|是否|有没有|容不容易)[^，。！]{0,4}$")


@dataclass(frozen=True)
class _Folded:
    text: str
    places: Sequence[int]  # of each character in the original

    def span(self, start: int, end: int) -> tuple[int, int]:
        return self.places[start], self.places[end - 1] + 1


def _fold(original: str) -> _Folded:
    """Lower case, one width, no blanks and nothing invisible."""
    if _PLAIN.fullmatch(original):
        return _Folded(original, range(len(original)))
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(original):
        for form in unicodedata.normalize("NFKC", char).lower():
            if not form.isspace() and unicodedata.category(form) not in _UNSEEN:
                letters.append(form)
                places.append(place)
    return _Folded("".join(letters), places)


class Matcher:
    """Finds the keyword classes of a text."""

    def __init__(self, keywords: Keywords):
        self._classes = keywords.classes
        words: list[tuple[str, int, bool]] = []
        for number, item in enumerate(keywords.classes):
            words += [(_fold(word).text, number, True) for word in item.words]
            words += [(_fold(word).text, number, False) for word in item.unless]
        self._words = [word for word in words if word[0]]
        texts = [word for word, _, _ in self._words]
        self._automaton = AhoCorasick(texts, matchkind=MatchKind.Standard) if texts else None
        self._patterns = [
            (number, re.compile(pattern)) for number, item in enumerate(keywords.classes) for pattern in item.patterns
        ]

    def find(self, text: str, seq: int = 0) -> list[KeywordHit]:
        """Return the hits of one text, of those of a class that overlap only the longest."""
        folded = _fold(text)
        found: list[tuple[int, int, int]] = []
        spared: dict[tuple[int, int], int] = {}  # class and character -> how far what is spared there reaches
        if self._automaton is not None:
            for index, start, end in self._automaton.find_matches_as_indexes(folded.text, overlapping=True):
                _, number, counts = self._words[index]
                if counts:
                    found.append((number, start, end))
                for place in () if counts else range(start, end):
                    spared[number, place] = max(end, spared.get((number, place), 0))
        for number, pattern in self._patterns:
            found += [(number, *match.span()) for match in pattern.finditer(folded.text) if match.end() > match.start()]
        hits: list[KeywordHit] = []
        taken: set[tuple[int, int]] = set()  # class and character
        for number, start, end in sorted(found, key=lambda hit: (hit[0], hit[1] - hit[2], hit[1])):
            item = self._classes[number]
            if spared.get((number, start), 0) >= end or not taken.isdisjoint((number, place) for place in range(start, end)):
                continue
            if not _meant(item, folded.text, start, end):
                continue
            taken.update((number, place) for place in range(start, end))
            first, last = folded.span(start, end)
            hits.append(KeywordHit(seq, item.name, text[first:last][:80], first, last))
        return sorted(hits, key=lambda hit: (hit.start, hit.name))

    def find_in(self, turns: Sequence[Turn]) -> list[KeywordHit]:
        """Return the hits of a session: of what the customer said, never of what the shop answered."""
        return [hit for seq, turn in enumerate(turns) if turn.role == "customer" for hit in self.find(turn.text, seq)]


def _meant(item: KeywordClass, text: str, start: int, end: int) -> bool:
    """Whether the word at [start, end) says what it says: it is not denied, nor merely asked about."""
    before, behind = text[max(0, start - _REACH):start], text[end:end + _REACH]
    if not item.questions and _is_question(before, behind):
        return False
    denial = _DENIED.search(before) if item.negatable else None
    if denial is None:
        return True
    lead = before[:denial.start()]
    denied = denial.group()
    if lead and len(denied) > 1 and lead[-1] == denied.lstrip("不没")[:1]:
        return True  # 是不是, 有没有, 会不会
    if lead.endswith("有") and denied.startswith("没"):
        return True
    if _TURNED.search(lead) or _THREAT.search(behind):
        return True
    return item.questions and bool(_ASKS.search(behind))


def _is_question(before: str, behind: str) -> bool:
    if _SURE_QUESTION.search(before):
        return True
    return bool(_BEFORE_QUESTION.search(before) and _BEHIND_QUESTION.search(behind))


def scan(settings: Settings, store: Store, on_progress: Callable[[int], None] | None = None) -> int:
    """Search every stored session that was not searched with the present words; returns how many.

    Works in batches, one transaction each; can be killed and run again.
    """
    matcher, version = Matcher(settings.keywords), settings.keywords.version
    done = 0
    while True:
        with store.read() as connection:
            waiting = stored.pending(connection, version, BATCH)
        if not waiting:
            return done
        hits = {session: matcher.find_in(turns) for session, turns in waiting.items()}
        with store.begin() as connection:
            stored.save(connection, version, hits)
        done += len(waiting)
        if on_progress:
            on_progress(done)
