"""The clauses of a text, by which texts made to one template are told: word for word the same but for blanks and signs."""

from __future__ import annotations

import hashlib
import re

from vocwatch.fingerprint import is_plain, squeeze

MIN_CLAUSE = 5  # letters: shorter ones everybody says
MAX_CLAUSES = 40
MAX_LETTERS = 1000
_BREAK = re.compile(r"[，。！？；、,.!?;:：…~～\s]+")


def clauses(text: str) -> set[str]:
    """Return the clauses of a text, squeezed, without those too short to tell anything."""
    start = text[:MAX_LETTERS]
    plain = is_plain(start)
    pieces = _BREAK.split(start.lower() if plain else start, maxsplit=MAX_CLAUSES)
    # Of a plain text most pieces are letters alone: nothing is left to squeeze out of them.
    bare = (piece if plain and piece.isalnum() else squeeze(piece) for piece in pieces)
    return {piece for piece in bare if len(piece) >= MIN_CLAUSE}


def clause_marks(text: str) -> bytes:
    """Return the clauses of a text as hashes of 8 bytes each."""
    return b"".join(hashlib.blake2b(c.encode("utf-8", "replace"), digest_size=8).digest() for c in sorted(clauses(text)))
