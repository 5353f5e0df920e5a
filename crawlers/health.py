"""How a source's run ended: ok, degraded, blocked, empty or not-run, with a reason in plain words.

Blind is never shown as quiet: whatever keeps pages from being read makes the run something other than ok. And a
healthy site is never accused: single removed or broken pages are everyday life, and what counts as odd is measured
against the source's own history where it has one.
"""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.health_fields import field_faults
from crawlers.health_pages import PAGE_KINDS, detail_faults, listing_faults, repetition_faults
from crawlers.health_volume import canary_faults, relevance_faults, volume_faults
from crawlers.history import History, mode_of
from crawlers.tally import Tally
from vocwatch.models import SourceStatus
from vocwatch.settings import Source

BLOCKING = frozenset({"captcha", "blocked", "login", "forbidden", "rate_limited"})
UNREACHED = frozenset({"dns", "refused", "timeout", "tls", "network", "server_error", "redirects", "browser"})
UNASKED = frozenset({"robots", "robots_unreachable", "private", "scheme", "address", "downgrade", "refused_list"})
SAID = 3  # faults that a reason names; all of them are in the statistics


def judge(
    tally: Tally, history: History, source: Source, words: Mapping[str, str], incremental: bool = False
) -> tuple[SourceStatus, str | None]:
    """Return the one outcome of a run and why; `words` gives each error kind in plain Chinese.

    The kinds of fault are noted in `tally.faults`, gravest first.
    """
    status, faults = _verdict(tally, history, source, words, incremental)
    tally.faults = list(dict.fromkeys(kind for kind, _ in faults))
    if status is SourceStatus.OK and tally.unseen:  # all that is shown was read; what is not shown is said
        return status, "；".join(f"{count} 页写有{what}，未登录看不到，没有读" for what, count in tally.unseen.items())
    return status, "；".join(text for _, text in faults[:SAID]) or None


def _verdict(
    tally: Tally, history: History, source: Source, words: Mapping[str, str], incremental: bool
) -> tuple[SourceStatus, list[tuple[str, str]]]:
    if tally.halted:
        kind, reason = tally.halted
        if kind in BLOCKING:
            return SourceStatus.BLOCKED, [(kind, reason)]
        return (SourceStatus.DEGRADED if tally.records else SourceStatus.NOT_RUN), [(kind, reason)]
    if not tally.starts_read:
        return _nothing_read(tally, words)
    faults = [
        *canary_faults(tally), *listing_faults(tally, history, source, words),
        *detail_faults(tally, history, words), *repetition_faults(tally, history),
        *field_faults(tally, history, source), *relevance_faults(tally, history, source),
    ]
    if not any(kind in PAGE_KINDS for kind, _ in faults):  # little was read, and it has been said why
        faults += volume_faults(tally, history, mode_of(incremental))
    faults += _limits(tally)
    if faults:
        return SourceStatus.DEGRADED, faults
    if not tally.first_page:
        proved = "（探针词 expect.canary_query 有结果，搜索本身正常）" if tally.canary_found else ""
        return SourceStatus.EMPTY, [("empty", f"列表是空的，以往也没有读到过内容{proved}")]
    return SourceStatus.OK, []


def _nothing_read(tally: Tally, words: Mapping[str, str]) -> tuple[SourceStatus, list[tuple[str, str]]]:
    """No start page could be read: not run if we never got through, degraded if something unusable came back."""
    kinds = tally.errors
    if not kinds:
        return SourceStatus.NOT_RUN, [("budget", tally.budget or "没有可以读的起始地址")]
    main = kinds.most_common(1)[0][0]
    sample = tally.samples.get(main, "")
    if main in UNASKED:
        return SourceStatus.NOT_RUN, [(main, f"{words[main]}：{sample}")]
    if main in UNREACHED:
        return SourceStatus.NOT_RUN, [(main, f"连不上：{words[main]}（{sample}）")]
    return SourceStatus.DEGRADED, [(PAGE_KINDS.get(main, main), f"列表页没读出来：{words.get(main, main)}（{sample}）")]


def _limits(tally: Tally) -> list[tuple[str, str]]:
    """What our own limits cut off."""
    faults = []
    if tally.budget:
        faults.append(("budget", tally.budget))
    if tally.gap:
        faults.append(("gap", "列表翻到 max_pages 还没接上上次读过的内容，中间可能有遗漏；请调大 max_pages 或加密采集"))
    if tally.capped:
        faults.append((
            "capped", f"{tally.capped} 段搜索在最短时间段（split.min_hours）里仍达到条数上限（split.cap），可能有遗漏"
        ))
    if tally.cut:
        what, count = tally.cut.most_common(1)[0]
        faults.append(("cut", f"{count} 个页面没有读完：{what}"))
    if tally.scroll_cut:
        faults.append(("scroll", f"{tally.scroll_cut} 个页面滚到上限还没到底（browser.max_scrolls）"))
    return faults
