"""One small language for conditions over words: `漏水 NEAR/6 (杯 OR 壶) NOT "不漏水"`.

AND, OR, NOT and NEAR/n in capitals; blanks mean AND; quotes keep a phrase together; `@` is the watch's own name.
NOT binds tightest, then NEAR, AND, OR. NEAR/n: at most n characters between the two, in either order.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vocwatch.lang import tr

Span = tuple[int, int]
Find = Callable[[str], Sequence[Span]]
"""Says where a word stands; of `OWN` where the watch itself was found."""

OWN = "@"
NEAR = 10
"""Characters between the two sides of a NEAR without a number."""
_MAX_NEAR = 500
_MAX_LENGTH = 2_000
_MAX_DEPTH = 20
_TOKEN = re.compile(r"""\s*(?:(?P<open>[(（])|(?P<close>[)）])|["“”](?P<phrase>[^"“”]*)["“”]|(?P<word>[^\s()（）"“”]+))""")
_NEAR = re.compile(r"NEAR(?:/(\d{1,4}))?")


class GrammarError(ValueError):
    """An expression that cannot be read; the message says what and where."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word or phrase."""

    text: str

    def spans(self, find: Find) -> Sequence[Span]:
        """Where it stands."""
        return find(self.text)

    def holds(self, find: Find) -> bool:
        """Whether it stands anywhere."""
        return bool(find(self.text))


@dataclass(frozen=True, slots=True)
class Not:
    """The other one does not hold."""

    item: Node

    def spans(self, _find: Find) -> Sequence[Span]:
        """What is absent stands nowhere."""
        return ()

    def holds(self, find: Find) -> bool:
        """Whether the item does not hold."""
        return not self.item.holds(find)


@dataclass(frozen=True, slots=True)
class Both:
    """All hold."""

    items: tuple[Node, ...]

    def spans(self, find: Find) -> Sequence[Span]:
        """Where the parts stand, if all hold."""
        return _union(self.items, find) if self.holds(find) else ()

    def holds(self, find: Find) -> bool:
        """Whether all parts hold."""
        return all(item.holds(find) for item in self.items)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one holds."""

    items: tuple[Node, ...]

    def spans(self, find: Find) -> Sequence[Span]:
        """Where any part stands."""
        return _union(self.items, find)

    def holds(self, find: Find) -> bool:
        """Whether a part holds."""
        return any(item.holds(find) for item in self.items)


@dataclass(frozen=True, slots=True)
class Near:
    """Both stand within `distance` characters of each other."""

    left: Node
    right: Node
    distance: int

    def spans(self, find: Find) -> Sequence[Span]:
        """The spans of both sides that have the other one near."""
        lefts, rights = sorted(self.left.spans(find)), sorted(self.right.spans(find))
        near = {span for one, other in ((lefts, rights), (rights, lefts)) for span in self._with_company(one, other)}
        return sorted(near)

    def holds(self, find: Find) -> bool:
        """Whether they meet anywhere."""
        return bool(self.spans(find))

    def _with_company(self, spans: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
        widest = max((end - start for start, end in others), default=0)
        for start, end in spans:
            at = bisect_left(others, (start - self.distance - widest, 0))
            for left, right in others[at:]:
                if left > end + self.distance:
                    break
                if (right <= start and start - right <= self.distance) or left >= end:
                    yield start, end
                    break


Node = Word | Not | Both | Either | Near


def _union(items: Sequence[Node], find: Find) -> Sequence[Span]:
    return sorted({span for item in items for span in item.spans(find)})


def parse(text: str) -> Node:
    """Return the meaning of an expression. Raises GrammarError."""
    if len(text) > _MAX_LENGTH:
        raise GrammarError(tr(
            f"表达式太长（{len(text)} 个字），最多 {_MAX_LENGTH} 个",
            f"the expression is too long ({len(text)} characters), at most {_MAX_LENGTH}",
        ))
    return _Parser(text).whole()


def words_of(node: Node) -> Iterator[str]:
    """Yield the words that are asked for, not those behind a NOT."""
    if isinstance(node, Word):
        yield node.text
    elif isinstance(node, Near):
        yield from words_of(node.left)
        yield from words_of(node.right)
    elif isinstance(node, Both | Either):
        for item in node.items:
            yield from words_of(item)


def needs_a_word(node: Node) -> bool:
    """Whether a text without any of the words asked for can't satisfy the expression."""
    if isinstance(node, Not):
        return False
    if isinstance(node, Both):
        return any(needs_a_word(item) for item in node.items)
    if isinstance(node, Either):
        return all(needs_a_word(item) for item in node.items)
    return True


class _Parser:
    def __init__(self, text: str):
        self._tokens: list[tuple[str, str, int]] = []
        at = 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise GrammarError(tr(f"第 {at + 1} 个字处引号没有配对", f"at character {at + 1}: the quote is not closed"))
            kind = str(match.lastgroup)
            self._tokens.append((kind, match.group(kind), match.start(kind)))
            at = match.end()
        self._at = 0
        self._depth = 0

    def whole(self) -> Node:
        if not self._tokens:
            raise GrammarError(tr("表达式是空的", "the expression is empty"))
        node = self._either()
        if self._at < len(self._tokens):
            _, word, at = self._tokens[self._at]
            raise GrammarError(tr(f"第 {at + 1} 个字处多了一个“{word}”", f"at character {at + 1}: one “{word}” too many"))
        return node

    def _either(self) -> Node:
        items = [self._both()]
        while self._operator("OR"):
            items.append(self._both())
        return items[0] if len(items) == 1 else Either(tuple(items))

    def _both(self) -> Node:
        items = [self._near()]
        while self._at < len(self._tokens):
            kind, word, _ = self._tokens[self._at]
            if kind == "close" or (kind == "word" and word == "OR"):
                break
            self._operator("AND")
            items.append(self._near())
        return items[0] if len(items) == 1 else Both(tuple(items))

    def _near(self) -> Node:
        node = self._one()
        while self._at < len(self._tokens):
            kind, word, at = self._tokens[self._at]
            match = _NEAR.fullmatch(word) if kind == "word" else None
            if match is None:
                break
            self._at += 1
            distance = int(match.group(1) or NEAR)
            if distance > _MAX_NEAR:
                raise GrammarError(tr(
                    f"第 {at + 1} 个字处：NEAR 最多 {_MAX_NEAR} 个字", f"at character {at + 1}: NEAR takes at most {_MAX_NEAR} characters",
                ))
            right = self._one()
            if isinstance(node, Not) or isinstance(right, Not):
                raise GrammarError(tr(
                    f"第 {at + 1} 个字处：NEAR 两边要写词，不能写 NOT",
                    f"at character {at + 1}: NEAR stands between words, not beside NOT",
                ))
            node = Near(node, right, distance)
        return node

    def _one(self) -> Node:
        if self._at >= len(self._tokens):
            raise GrammarError(tr("表达式到末尾还缺一个词", "a word is missing at the end of the expression"))
        kind, word, at = self._tokens[self._at]
        self._at += 1
        if kind == "open":
            self._deeper(at)
            node = self._either()
            self._depth -= 1
            if self._at >= len(self._tokens) or self._tokens[self._at][0] != "close":
                raise GrammarError(tr(f"第 {at + 1} 个字处的括号没有配对", f"at character {at + 1}: the bracket is not closed"))
            self._at += 1
            return node
        if kind == "word" and word == "NOT":
            self._deeper(at)
            inner = self._one()
            self._depth -= 1
            return Not(inner)
        if kind == "close" or (kind == "word" and (word in ("AND", "OR") or _NEAR.fullmatch(word))):
            raise GrammarError(tr(f"第 {at + 1} 个字处应当是一个词，而不是“{word}”", f"at character {at + 1}: expected a word, not “{word}”"))
        if not word.strip():
            raise GrammarError(tr(f"第 {at + 1} 个字处的引号里是空的", f"at character {at + 1}: nothing stands between the quotes"))
        return Word(word.strip())

    def _operator(self, name: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][:2] == ("word", name):
            self._at += 1
            return True
        return False

    def _deeper(self, at: int) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise GrammarError(tr(
                f"第 {at + 1} 个字处：括号或 NOT 套了 {_MAX_DEPTH} 层以上",
                f"at character {at + 1}: brackets or NOT go deeper than {_MAX_DEPTH}",
            ))
