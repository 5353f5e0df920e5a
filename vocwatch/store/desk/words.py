"""The words of texts as an index of character pairs, so that two-character words are found as fast as any.

A text is folded (NFKC, lower case, no invisible characters) and cut into runs of letters and digits. A run `掉色了`
becomes the tokens 掉色 色了 了: a word of two characters is one token, a longer one a phrase of neighbours, a single
one a prefix. The last character alone ends the run, so that no phrase reaches across a gap.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.settings.grammar import Both, Either, Near, Node, Not, Word

INDEXED = 16_000
"""Characters of a text that are indexed; PostgreSQL counts no further positions."""
_RUN = re.compile(r"(?:[^\W_]|[\u2600-\u27bf\U0001f000-\U0001faff])+")
_BARE = re.compile(r"[\u0000\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff\ud800-\udfff]")


def fold(text: str) -> str:
    """Return a text as it is searched."""
    return unicodedata.normalize("NFKC", _BARE.sub("", text[:INDEXED])).lower()[:INDEXED]


def tokens(folded: str) -> list[str]:
    """Return the tokens of a folded text, in order."""
    found: list[str] = []
    for match in _RUN.finditer(folded):
        run = match.group()
        found += [run[at:at + 2] for at in range(len(run))]
    return found


def searchable(word: str) -> bool:
    """Whether anything of a word can be found: it has a letter, a digit or a picture."""
    return _RUN.search(fold(word)) is not None


def add(connection: Connection, rows: Sequence[tuple[int, str]]) -> None:
    """Index (key, folded text) rows."""
    filled = [(key, text, tokens(text)) for key, text in rows if text]
    if not filled:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("INSERT INTO desk_words (rowid, words) VALUES (?, ?)", [(key, " ".join(own)) for key, _, own in filled])
        connection.exec_driver_sql("INSERT INTO desk_words_of (key, text) VALUES (?, ?)", [(key, text) for key, text, _ in filled])
        return
    connection.execute(  # these first: the index of the others is made of them
        sa.text("INSERT INTO desk_words_of (key, words) VALUES (:key, CAST(:words AS tsvector))"),
        [{"key": key, "words": _vector(own)} for key, _, own in filled],
    )
    connection.execute(sa.text("INSERT INTO desk_words (key) SELECT unnest(CAST(:keys AS bigint[]))"), {"keys": [key for key, _, _ in filled]})


def remove(connection: Connection, keys: Sequence[int]) -> None:
    """Take texts out of the index."""
    if not keys:
        return
    if connection.dialect.name != "sqlite":
        for table in ("desk_words", "desk_words_of"):
            connection.execute(sa.text(f"DELETE FROM {table} WHERE key = ANY(:keys)"), {"keys": list(keys)})  # noqa: S608 - constants
        return
    marks = ", ".join("?" * len(keys))
    stored = connection.exec_driver_sql(f"SELECT key, text FROM desk_words_of WHERE key IN ({marks})", tuple(keys)).all()  # noqa: S608 - marks
    if stored:
        connection.exec_driver_sql(
            "INSERT INTO desk_words (desk_words, rowid, words) VALUES ('delete', ?, ?)",
            [(key, " ".join(tokens(text))) for key, text in stored],
        )
        connection.exec_driver_sql(f"DELETE FROM desk_words_of WHERE key IN ({marks})", tuple(keys))  # noqa: S608 - marks


def compact(connection: Connection) -> None:
    """Merge SQLite's index into one piece: until then the words of texts that were taken out are still in the file."""
    connection.exec_driver_sql("INSERT INTO desk_words (desk_words) VALUES ('optimize')")


def _vector(own: Sequence[str]) -> str:
    """Tokens as the text of a tsvector; the database wants each one once, with its positions."""
    places: dict[str, list[str]] = {}
    for place, token in enumerate(own[:16_383], 1):
        places.setdefault(token, []).append(str(place))
    return " ".join(f"'{token}':{','.join(found[:255])}" for token, found in places.items())


# -- asking ---------------------------------------------------------------------------------------------------


def matching(dialect: str, node: Node, key: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    """Return the condition that the text under `key` satisfies an expression without NEAR."""
    found = index(dialect, node)
    if found is not None:
        table, own, holds = found
        return key.in_(sa.select(own).select_from(table).where(holds))
    if isinstance(node, Not):
        return sa.not_(matching(dialect, node.item, key))
    parts = [matching(dialect, item, key) for item in (node.items if isinstance(node, Both | Either) else ())]
    return sa.or_(*parts) if isinstance(node, Either) else sa.and_(*parts)


def index(dialect: str, node: Node) -> tuple[sa.TableClause, sa.ColumnElement[int], sa.ColumnElement[bool]] | None:
    """Return the index itself, its key and the condition on it; None where the expression has a NOT that stands alone."""
    if dialect != "sqlite":
        table = sa.table("desk_words", sa.column("key", sa.BigInteger))
        vector: sa.ColumnElement[Any] = sa.func.desk_vector(table.c.key)
        return table, table.c.key, vector.op("@@")(sa.cast(sa.literal(_tsquery(node)), _TsQuery()))
    expression = _fts(node)
    if expression is None:
        return None
    fts = sa.table("desk_words", sa.column("rowid", sa.Integer), sa.column("desk_words"))
    return fts, fts.c.rowid, fts.c.desk_words.op("MATCH")(expression)


def exact(node: Node) -> bool:
    """Whether the index alone settles an expression: it holds no NEAR."""
    if isinstance(node, Near):
        return False
    if isinstance(node, Not):
        return exact(node.item)
    return all(exact(item) for item in node.items) if isinstance(node, Both | Either) else True


def prefilter(node: Node) -> Node | None:
    """Return an expression without NEAR that holds wherever this one does; None where that is everywhere."""
    if exact(node):
        return node
    if isinstance(node, Near):
        return Both((node.left, node.right))
    if not isinstance(node, Both | Either):
        return None
    parts = [prefilter(item) for item in node.items]
    kept = tuple(part for part in parts if part is not None)
    if not kept or (isinstance(node, Either) and len(kept) < len(parts)):
        return None
    return kept[0] if len(kept) == 1 else type(node)(kept)


def holds(node: Node, folded: str) -> bool:
    """Whether a folded text satisfies an expression."""
    return node.holds(lambda word: spans(word, folded))


def spans(word: str, folded: str) -> list[tuple[int, int]]:
    """Return where a word stands in a folded text; what is no letter or digit between its parts does not matter."""
    runs = [re.escape(match.group()) for match in _RUN.finditer(fold(word))]
    return [match.span() for match in re.finditer(r"[\W_]+".join(runs), folded)] if runs else []


def _fts(node: Node) -> str | None:
    if isinstance(node, Word):
        return _phrase(node.text)
    if isinstance(node, Either):
        parts = [_fts(item) for item in node.items]
        return None if None in parts else "(" + " OR ".join(str(part) for part in parts) + ")"
    if isinstance(node, Both):
        wanted = [_fts(item) for item in node.items if not isinstance(item, Not)]
        denied = [_fts(item.item) for item in node.items if isinstance(item, Not)]
        if not wanted or None in wanted or None in denied:
            return None
        found = "(" + " AND ".join(str(part) for part in wanted) + ")"
        for part in denied:
            found = f"({found} NOT {part})"
        return found
    return None


def _phrase(word: str) -> str:
    whole, last = _parts(word)
    if last:
        return " + ".join([*(f'"{token}"' for token in whole), f'"{last}" *'])
    return '"' + " ".join(whole) + '"'


def _parts(word: str) -> tuple[list[str], str]:
    """The tokens of a word that stand as they are, and the one that may go on. Only the last run may go on."""
    runs = [match.group() for match in _RUN.finditer(fold(word))]
    *before, last = runs or [""]
    whole = [run[at:at + 2] for run in before for at in range(len(run))]
    if len(last) == 1:
        return whole, last
    return [*whole, *(last[at:at + 2] for at in range(len(last) - 1))], ""


def _tsquery(node: Node) -> str:
    if isinstance(node, Word):
        whole, last = _parts(node.text)
        return "(" + " <-> ".join([*(f"'{token}'" for token in whole), *([f"'{last}':*"] if last else [])]) + ")"
    if isinstance(node, Not):
        return f"!({_tsquery(node.item)})"
    assert isinstance(node, Both | Either)
    return "(" + (" | " if isinstance(node, Either) else " & ").join(map(_tsquery, node.items)) + ")"


class _TsQuery(sa.types.UserDefinedType[str]):
    """PostgreSQL's type of full-text questions."""

    cache_ok = True

    def get_col_spec(self, **_more: Any) -> str:
        return "tsquery"
