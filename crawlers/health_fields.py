"""Faults of fields: missing more often than they should, or there and senseless."""

from __future__ import annotations

from crawlers.history import History
from crawlers.tally import Tally
from vocwatch.settings import Source

Fault = tuple[str, str]
REQUIRED_SHARE = 0.5
MIN_FIRST = 5  # so few records prove nothing without a history
USUAL = 0.5  # a field that is missing half the time says nothing by missing
MIN_DROP, MIN_DROP_POOLED = 0.03, 0.02
ALWAYS = 0.97  # a field that is there this often is not optional
ODD, ODD_ALWAYS, ODD_POOLED = 0.0002, 0.001, 0.006  # a few pooled optional fields have to be as odd as those of one run
MIN_POOLED = 3
# Of what was there when the source was described, half has to be readable even in the first run.
MUST_PARSE = ("published_at", "rating")


def field_faults(tally: Tally, history: History, source: Source) -> list[Fault]:
    """Fields that are missing, or can't be read, more often than in this source's good runs."""
    required = _required(source)
    faults = []
    for name, (filled, total) in sorted(tally.coverage.items(), key=lambda entry: entry[0] not in required):
        if not total:
            continue
        if name in required and filled < REQUIRED_SHARE * total and (total >= MIN_FIRST or filled == 0 < total - 1):
            faults.append(("drift", f"{total} 条里只有 {filled} 条读到了 {name}，页面写法可能变了"))
        elif fault := _fallen(history, "coverage", name, filled, total):
            faults.append(fault)
    for name, (valid, total) in sorted(tally.validity.items()):
        if fault := _fallen(history, "validity", name, valid, total):
            faults.append(fault)
        elif name.endswith(MUST_PARSE) and total >= MIN_FIRST and valid < 0.5 * total and not history.same:
            faults.append(("invalid", f"{total} 个 {name} 只看懂 {valid} 个，写法和来源文件里的不一样"))
    return faults


def _required(source: Source) -> frozenset[str]:
    return frozenset(
        f"{role}.{name}"
        for role, step in (("listing", source.listing), ("detail", source.detail), ("comments", source.comments))
        if step for record in step.records for name in record.required
    )


def _fallen(history: History, group: str, name: str, hits: int, total: int) -> Fault | None:
    """Compare one field with its own past: this run alone, then together with the last two."""
    usual, missing = history.share(group, name), total - hits
    if usual is None or usual < USUAL or not missing:
        return None
    kind = "fields" if group == "coverage" else "invalid"
    verb = "读到" if group == "coverage" else "看得懂"
    odd = ODD_ALWAYS if usual >= ALWAYS else ODD
    if usual - hits / total >= MIN_DROP and missing > 1 and history.lack(group, name, missing, total) < odd:
        return kind, f"{name} 只有 {hits / total:.0%} {verb}，平时 {usual:.0%}，页面写法可能变了"
    (missing, total), odds = history.pooled_lack(group, name, missing, total)
    if missing >= MIN_POOLED and usual - (1 - missing / total) >= MIN_DROP_POOLED and odds < (ODD_POOLED if usual >= ALWAYS else ODD):
        runs = len(history.recent) + 1
        return f"partial_{kind}", (
            f"最近 {runs} 次 {name} 只有 {1 - missing / total:.0%} {verb}，平时 {usual:.0%}，一部分页面写法变了"
        )
    return None
