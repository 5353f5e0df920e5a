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
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rensa import RMinHash

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PERMUTATIONS = 64
SHORT = 8
"""Squeezed texts shorter than this are only ever equal or different."""
NEAR_DUPLICATE = 0.7
"""Similarity from which two texts count as copies of each other."""
BANDS = 16
_ROWS = PERMUTATIONS // BANDS
_SEED = 20_261
_MINHASH, _EXACT = b"\x01", b"\x00"
_FORMAT = struct.Struct(f"<{PERMUTATIONS}I")
_NOISE = re.compile(r"[\W_]+")
# What NFKC leaves alone, and punctuation, which goes anyway: most texts are made of it.
_PLAIN = re.compile(r"[\x00-\x7e\u00b7\u2018-\u201d\u2026\u3001-\u3011\u4e00-\u9fff！-／：-＠]*")
_MAX_CHARS = 20_000
_FX_LOW, _FX_HIGH, _FX_FACTOR = 0x243F6A8885A308D3, 0x13198A2E03707344, 0xF1357AEA2E62A9C5


def squeeze(text: str) -> str:
    """Return lower-cased letters, digits and characters of NFKC `text`, nothing else."""
    plain = text[:_MAX_CHARS]
    if not is_plain(plain):
        plain = unicodedata.normalize("NFKC", plain)
    plain = plain.lower()
    return _NOISE.sub("", plain)  # lone surrogates are no word characters either


def is_plain(text: str) -> bool:
    """Say whether a text has nothing that NFKC would change, but for punctuation."""
    return _PLAIN.fullmatch(text) is not None


def fingerprint(text: str) -> bytes:
    """Return the signature of a text: empty for a text without any letter, else 17 or 257 bytes."""
    bare = squeeze(text)
    if not bare:
        return b""
    if len(bare) < SHORT:
        return _EXACT + hashlib.blake2b(bare.encode(), digest_size=16).digest()
    sketch = RMinHash(num_perm=PERMUTATIONS, seed=_SEED)
    sketch.update([bare[i:i + 3] for i in range(len(bare) - 2)])
    return _MINHASH + _FORMAT.pack(*sketch.digest())


def fingerprints(texts: Sequence[str]) -> list[bytes]:
    """Return what `fingerprint` does for each text; the 3-grams of all are hashed at once."""
    bare = [squeeze(text) for text in texts]
    long = [text for text in bare if len(text) >= SHORT]
    if not long:
        return [fingerprint(text) for text in bare]
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(*_hashes(long), PERMUTATIONS, _SEED)
    rows = iter(matrix.to_rows())
    return [
        _MINHASH + _FORMAT.pack(*next(rows)) if len(text) >= SHORT else fingerprint(text) for text in bare
    ]


def _hashes(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """The hashes of all 3-grams as RMinHash makes them (FxHash, version 2, of their UTF-8 bytes: 3 to 12), and
    where each text's begin, with the end.
    """
    import numpy as np  # here: who only compares signatures does not need it

    data = np.frombuffer("".join(texts).encode() + bytes(16), dtype=np.uint8)
    lengths = np.array([len(text) for text in texts])
    ends = np.cumsum(lengths)
    inside = np.ones(int(ends[-1]), dtype=np.bool_)
    inside[ends - 1] = inside[ends - 2] = False  # where no 3-gram begins
    characters = np.flatnonzero((data[:-15] & 0xC0) != 0x80)  # and the end
    start, stop = characters[:-3], characters[3:]
    start, stop = start[inside[:-2]], stop[inside[:-2]]
    words = np.ndarray((len(data) - 7,), dtype="<u8", buffer=data, strides=(1,))
    size = (stop - start).astype(np.uint64)
    low, high = words[start].astype(np.uint64), words[np.maximum(stop - 8, 0)].astype(np.uint64)
    few = np.flatnonzero(size < 8)
    if len(few):
        low[few] &= np.uint64(0xFFFFFFFF)
        high[few] = words[stop[few] - np.minimum(size[few], 4).astype(np.int64)] & np.uint64(0xFFFFFFFF)
        three = few[size[few] == 3]
        low[three] = data[start[three]]
        high[three] = data[start[three] + 1] | (data[start[three] + 2].astype(np.uint64) << np.uint64(8))
    mixed = _folded(low ^ np.uint64(_FX_LOW), high ^ np.uint64(_FX_HIGH)) ^ size
    mixed *= np.uint64(_FX_FACTOR)
    hashes = (mixed << np.uint64(26)) | (mixed >> np.uint64(38))
    return hashes, np.concatenate([[0], np.cumsum(lengths - 2)]).astype(np.uint64)


def _folded(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The two halves of each 128-bit product, exclusive-or."""
    kind = a.dtype.type
    half, mask = kind(32), kind(0xFFFFFFFF)
    a_low, a_high, b_low, b_high = a & mask, a >> half, b & mask, b >> half
    one, other = a_low * b_high, a_high * b_low
    carry = ((a_low * b_low) >> half) + (one & mask) + (other & mask)
    found: npt.NDArray[np.uint64] = (
        a_high * b_high + (one >> half) + (other >> half) + (carry >> half)
    ) ^ (a * b)
    return found


def similarity(a: bytes, b: bytes) -> float:
    """Return the estimated similarity of two texts, 0 to 1 (standard error ≤ 0.063); 0 where one is empty."""
    if not a or not b or a[:1] != b[:1] or len(a) != len(b):
        return 0.0
    if a[:1] == _EXACT:
        return float(a == b)
    one, other = _FORMAT.unpack(a[1:]), _FORMAT.unpack(b[1:])
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
