"""An incident's title in plain words: the product, and what people say happens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from reports.complaint import Complaint
from vocwatch.plain import one_line

MAX_LETTERS = 18
MIN_LETTERS = 3
_BREAK = re.compile(r"[，。！？；、,.!?;:：\n\r…~～\s]+")
_FILLER = re.compile(
    r"^(?:结果|居然|竟然|没想到|真的是|真的|就是|而且|但是|可是|然后|不过|因为|所以|还有|感觉|反正|那个|这个|我的|我|它|就|还|又|也|都|才)+"
)
_TAIL = re.compile(r"(?:了吧|的啊|了啊|啊|呢|吧|呀|哦|啦|了)+$")


def title(subject: str, topic: str, complaints: Iterable[Complaint], names: Iterable[str] = ()) -> str:
    """Return the subject and the most typical clause of the complaints, or the topic's own name.

    The most typical is the clause whose character pairs are shared by most others; `names` are cut out of it.
    """
    longest = sorted(names, key=len, reverse=True)
    clauses = [clause for c in complaints for clause in _clauses(c, topic, longest)]
    said = _medoid(clauses) or f"{topic.rsplit('/', 1)[-1]}集中反映"
    gap = " " if subject[-1:].isascii() and said[:1].isascii() else ""
    return one_line(f"{subject}{gap}{said}", 60)


def _clauses(complaint: Complaint, topic: str, names: Sequence[str]) -> list[str]:
    text = complaint.heard.text
    found = []
    for span in complaint.heard.spans:
        if span.get("topic") != topic:
            continue
        piece = one_line(text[int(span["start"]) : int(span["end"])], 200)
        for name in names:
            piece = piece.replace(name, "")
        found += [cut for part in _BREAK.split(piece) if (cut := _trim(part))]
    return found


def _trim(part: str) -> str | None:
    cut = _TAIL.sub("", _FILLER.sub("", part.strip("“”\"'（）()【】[]#@<>/ ")))
    if not MIN_LETTERS <= len(cut) <= MAX_LETTERS or cut[0] in "的地得了着过":
        return None
    return cut


def _medoid(clauses: list[str]) -> str | None:
    """Return the clause closest to all others by shared character pairs; of equals the shortest, then the
    first.
    """
    if not clauses:
        return None
    pairs = {clause: {clause[i : i + 2] for i in range(len(clause) - 1)} for clause in clauses}
    shared = Counter(pair for clause in clauses for pair in pairs[clause])
    seen = {clause: place for place, clause in reversed(list(enumerate(clauses)))}
    return max(pairs, key=lambda c: (sum(shared[p] for p in pairs[c]) / len(pairs[c]), -len(c), -seen[c]))
