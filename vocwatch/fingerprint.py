"""Near-duplicate signatures: made once for a text, stored as bytes, compared without the text.

A signature is the MinHash (64 permutations) of the character 3-grams of what is left when blanks, punctuation
and emoji are taken away. The share of equal places estimates the Jaccard similarity of two texts' 3-grams
(Broder 1997). Texts too short for that are compared for being the same. The same text gives the same bytes in
every process and on every machine.
"""

from __future__ import annotations

import hashlib
import re
import struct
import unicodedata

from rensa import RMinHash

PERMUTATIONS = 64
SHORT = 8
"""Squeezed texts shorter than this are only ever equal or different."""
NEAR_DUPLICATE = 0.7
"""Similarity from which two texts count as copies of each other."""
BANDS = 16
_ROWS = PERMUTATIONS // BANDS
_SEED = 20_261
_MINHASH, _EXACT = b"\x01", b"\x00"
_FORMAT = f"<{PERMUTATIONS}I"
_NOISE = re.compile(r"[\W_]+")
_MAX_CHARS = 20_000


def squeeze(text: str) -> str:
    """Return lower-cased letters, digits and characters of NFKC `text`, nothing else."""
    plain = unicodedata.normalize("NFKC", text[:_MAX_CHARS]).lower()
    return _NOISE.sub("", plain).encode("utf-8", "ignore").decode()


def fingerprint(text: str) -> bytes:
    """Return the signature of a text: empty for a text without any letter, else 17 or 257 bytes."""
    bare = squeeze(text)
    if not bare:
        return b""
    if len(bare) < SHORT:
        return _EXACT + hashlib.blake2b(bare.encode(), digest_size=16).digest()
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    sketch.update([bare[i:i + 3] for i in range(len(bare) - 2)])
    return _MINHASH + struct.pack(_FORMAT, *sketch.digest())


def similarity(a: bytes, b: bytes) -> float:
    """Return the estimated similarity of two texts, 0 to 1 (standard error ≤ 0.063); 0 where one is empty."""
    if not a or not b or a[:1] != b[:1] or len(a) != len(b):
        return 0.0
    if a[:1] == _EXACT:
        return float(a == b)
    one, other = struct.unpack(_FORMAT, a[1:]), struct.unpack(_FORMAT, b[1:])
    return float(sum(x == y for x, y in zip(one, other, strict=True)) / PERMUTATIONS)


def band_keys(signature: bytes) -> list[str]:
    """Return the keys under which near-duplicates meet: two texts of similarity s share one with
    probability 1 − (1 − s⁴)¹⁶ (0.64 at 0.5, 0.99 at 0.7). Exact signatures have one key, empty ones none.
    """
    if not signature:
        return []
    if signature[:1] == _EXACT:
        return [f"x{signature[1:].hex()}"]
    width = 4 * _ROWS
    body = signature[1:]
    return [
        f"{band:02d}{hashlib.blake2b(body[band * width:(band + 1) * width], digest_size=8).hexdigest()}"
        for band in range(BANDS)
    ]
