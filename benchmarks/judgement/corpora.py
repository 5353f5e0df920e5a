"""The labelled texts that measure: real reviews, posts and clauses outside the repository. Nothing is trained on them
that is shipped."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT.parent / "shared" / "corpora"
CLASSES = ("negative", "neutral", "positive")
REVIEWS, WEIBO, CLAUSES, TARGETS, OTHER = "reviews", "weibo", "clauses", "targets", "other"
KINDS = {
    "ChnSentiCorp_htl_all": REVIEWS, "online_shopping_10_cats": REVIEWS, "waimai_10k": REVIEWS,
    "zhijiang_makeup2019": REVIEWS, "clue_emotion": WEIBO, "smp2020_virus": WEIBO, "weibo2018": WEIBO,
    "weibo_senti_100k_2400": WEIBO, "jd_surface_clause": CLAUSES, "jd_surface_topic": CLAUSES,
    "peng_absa_car": TARGETS, "peng_absa_notebook": TARGETS, "peng_absa_phone": TARGETS,
    "aic2018_finegrained_2k": OTHER, "bdci_car2018": OTHER,
}
SMALLEST = 100
"""A domain with fewer texts of two classes is left out of the tables."""


class NoCorporaError(Exception):
    """The corpora are not on this machine."""


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text; `label` is one of CLASSES or None."""

    text: str
    label: str | None
    domain: str
    aspects: Mapping[str, str]
    topic: str | None
    stars: float | None


@dataclass(frozen=True, slots=True)
class Domain:
    """The texts of one corpus (of the shop reviews: of one category)."""

    name: str
    corpus: str
    kind: str
    rows: tuple[Row, ...]

    def labelled(self, *classes: str) -> list[tuple[str, int]]:
        """Return (text, number of its class) of the rows that have one of these classes."""
        return [(row.text, CLASSES.index(row.label)) for row in self.rows if row.label and row.label in classes]


def names() -> list[str]:
    """Return the corpora that are there. Raises NoCorporaError where there are none."""
    found = sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))
    if not found:
        raise NoCorporaError(f"没有评测语料：{FOLDER}")
    return found


@lru_cache(maxsize=32)
def read(name: str) -> tuple[Row, ...]:
    """Return a corpus, in a fixed random order, without what SnowNLP was trained on."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [_row(name, json.loads(line)) for line in lines]
    kept = [row for row in rows if row is not None]
    random.Random(name).shuffle(kept)
    return tuple(kept)


def _row(corpus: str, fields: Mapping[str, Any]) -> Row | None:
    if fields.get("in_snownlp_train"):
        return None
    domain = corpus
    if corpus == "online_shopping_10_cats":
        domain = f"shop:{fields['category']}"
    return Row(
        fields["text"], fields["label"], domain, fields.get("aspects") or {}, fields.get("topic"),
        fields.get("stars"),
    )


def domains(limit: int | None = None, only: Iterable[str] = ()) -> list[Domain]:
    """Return every domain with enough labelled texts; at most `limit` texts each."""
    wanted = set(only)
    found: list[Domain] = []
    for corpus in names():
        by_name: dict[str, list[Row]] = {}
        for row in read(corpus):
            by_name.setdefault(row.domain, []).append(row)
        for name, rows in sorted(by_name.items()):
            domain = Domain(name, corpus, KINDS.get(corpus, OTHER), tuple(rows[:limit]))
            if len(domain.labelled("negative", "positive")) >= SMALLEST and (not wanted or name in wanted):
                found.append(domain)
    return found
