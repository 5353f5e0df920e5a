"""Faults of amount and meaning: suspiciously little, canaries that fall silent, results that miss the question."""

from __future__ import annotations

from crawlers.history import History
from crawlers.tally import Tally
from vocwatch.settings import Source

Fault = tuple[str, str]
SURPRISE = 0.001  # Poisson: so little, or less, in fewer than one run of a thousand
LOW = 0.25  # a dip is no silence
STEADY = 5  # good runs that a short list must have been there in to be missed
MIN_STEADY = 3
MIN_DECOYS = 20  # results that may all miss their keyword in a first run before that is odd
MIN_JUDGED = 5


def canary_faults(tally: Tally) -> list[Fault]:
    """The page that must be readable, and the word that must be found."""
    faults = []
    if tally.canary:
        faults.append(("canary", f"探针页（expect.canary）没读出内容：{tally.canary}"))
    if tally.canary_query and not tally.first_page:
        faults.append(("canary_query", f"搜索被限制：探针词（expect.canary_query）也没有结果，{tally.canary_query}"))
    return faults


def volume_faults(tally: Tally, history: History, mode: str) -> list[Fault]:
    """Nothing, or next to nothing, where the good runs make that more than bad luck."""
    expected = history.expected(mode)
    if tally.records == 0 and tally.details and expected is not None and history.none_of(expected) < SURPRISE:
        return [("soft_empty", f"一条内容也没读到，平时每次约 {expected} 条，可能被限制")]
    faults = _starts(tally, history)
    flow = history.flow(tally.new) if mode == "incremental" and not faults else None
    if flow and flow[1] < SURPRISE and tally.new <= LOW * flow[0]:
        faults.append((
            "volume", f"只有 {tally.new} 条新内容，照平时这段时间该有约 {flow[0]:.0f} 条，可能被限制或列表不再更新"
        ))
    return faults


def _starts(tally: Tally, history: History) -> list[Fault]:
    """Start addresses whose first page is empty, or nearly so, against their own past."""
    quiet = []
    for key, start in tally.by_start.items():
        usual, odds = history.start_surprise(key, start.first)
        before = history.first_of(key)
        vanished = start.first == 0 and len(before) >= STEADY and min(before) >= MIN_STEADY
        if (start.first <= LOW * usual and odds < SURPRISE / max(1, len(tally.by_start))) or vanished:
            quiet.append((start.first, usual))
    if not quiet or not tally.first_page:  # a list that is empty as a whole is told as such
        return []
    read, usual = sum(first for first, _ in quiet), sum(usual for _, usual in quiet)
    return [(
        "soft_empty",
        f"{len(tally.by_start)} 个起始地址有 {len(quiet)} 个突然没有内容（共 {read} 条，平时约 {usual:.0f} 条），可能被限制",
    )]


def relevance_faults(tally: Tally, history: History, source: Source) -> list[Fault]:
    """Search results that do not hold the word that was asked for: a site that shows anything to whom it mistrusts."""
    matched, judged = tally.relevance
    missed, usual = judged - matched, history.usual_relevance()
    if usual is None:
        odd = matched == 0 and judged >= MIN_DECOYS and source.detail is not None
        before = ""
    else:
        odd = judged >= MIN_JUDGED and matched <= 0.5 * usual * judged and history.relevance(missed, judged) < SURPRISE
        before = f"，平时 {usual:.0%}"
    if not odd:
        return []
    return [("decoy", f"{judged} 条搜索结果只有 {matched} 条含有关键词{before}，搜索给的多半是凑数内容")]
