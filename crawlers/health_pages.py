"""Faults of whole pages: lists and posts that could not be read, that changed, or that all say the same."""

from __future__ import annotations

from collections.abc import Mapping

from crawlers.history import History
from crawlers.tally import SHAPELESS, Tally
from vocwatch.settings import Source

Fault = tuple[str, str]
# Kinds of error that are a fault of their own; the others are told as a list, or as posts, that could not be read.
PAGE_KINDS = {
    "drift": "drift", "partial_drift": "partial_drift", "extract_error": "drift", "hollow": "soft_empty",
    "listing": "listing", "details": "details", "unstable": "unstable",
}
CHANGED = ("drift", "extract_error", "charset", "hollow")  # the page itself is another than it was
UNSTABLE = 0.1  # of the requests had to be sent again
FAILING_SHARE = 0.05  # more than this many posts missing is no complete reading, whatever the history
FEW, FAILING_FEW = 2, 0.2  # one or two are an accident, unless there were not many more
MIN_FIRST_PAGE = 3  # with fewer entries than this on an ordinary first page, an empty one may well be true
MIN_EMPTY = 5  # so many post pages without a post are no accident even in the first run
MIN_REPEATED = 5
MIN_UNKEPT = 3
ODD = 0.003  # one run's changed pages
RARE = 0.001  # one run's empty, repeating or comment-less ones
ODD_POOLED = 0.008  # this run's together with the last two


def listing_faults(
    tally: Tally, history: History, source: Source, words: Mapping[str, str]
) -> list[Fault]:
    """Lists that failed, that are empty where they never were, or that fall short of what the source file expects."""
    faults = []
    if tally.listing_failed:
        kind, count = tally.listing_failed.most_common(1)[0]
        faults.append((
            PAGE_KINDS.get(kind, "listing"),
            f"有 {sum(tally.listing_failed.values())} 页列表没读出来：{words.get(kind, kind)} {count} 页",
        ))
    wanted, explicit = source.expect.min_links, "min_links" in source.expect.model_fields_set
    if tally.first_page == 0 and history.first_page >= MIN_FIRST_PAGE:
        faults.append(("soft_empty", f"列表突然是空的，平时第一页有 {history.first_page:.0f} 条，可能被限制"))
    elif tally.first_page < wanted and (tally.first_page or (explicit and wanted > 0)):
        faults.append(("few", f"第一页列表只有 {tally.first_page} 条，少于 expect.min_links 的 {wanted} 条"))
    return faults


def detail_faults(tally: Tally, history: History, words: Mapping[str, str]) -> list[Fault]:
    """Posts that could not be read, that changed their markup in part, or that are empty or gone all at once."""
    faults = _failed(tally, history, words)
    if not faults:
        faults = _drifted(tally, history, words) or _unstable(tally, words)
    broken = sum(tally.comments_failed.values())
    if broken > max(1, FAILING_SHARE * tally.details) or (broken and broken >= tally.details > 0):
        kind, count = tally.comments_failed.most_common(1)[0]
        faults.append(("comments", f"有 {broken} 次评论没读出来：{words.get(kind, kind)} {count} 次"))
    unkept, said = tally.promised
    if unkept >= MIN_UNKEPT and history.share_of("promised", unkept, said) < RARE:
        faults.append(("comments", f"{said} 篇写着有评论，{unkept} 篇一条也没读到，平时不是这样"))
    if tally.details_refused and tally.details_refused >= tally.details:
        faults.append(("robots", f"robots.txt 不允许读详情页，{tally.details_refused} 个都没有读"))
    if tally.listed_removed > max(2, 0.5 * tally.details):
        faults.append((
            "removed", f"列表上的 {tally.details} 个详情页有 {tally.listed_removed} 个说内容已删除，多半是访问受限"
        ))
    cut = tally.errors.get("truncated", 0)
    if cut and not any("没收全" in text for _, text in faults):
        faults.append(("truncated", f"{cut} 个页面没收全（长度少于 Content-Length）"))
    return [*faults, *_emptied(tally, history)]


def _failed(tally: Tally, history: History, words: Mapping[str, str]) -> list[Fault]:
    failed = sum(tally.details_failed.values())
    if failed <= FAILING_SHARE * tally.details or FEW >= failed < FAILING_FEW * tally.details:
        return []
    kind, count = tally.details_failed.most_common(1)[0]
    shapeless = sum(number for name, number in tally.details_failed.items() if name in SHAPELESS)
    alone = failed == 1 < tally.details  # a single page is an accident, unless it is all there was
    certain = history.shapeless("detail", shapeless, max(tally.details, shapeless)) < ODD
    if alone or (failed == 1 and not certain):
        return []
    code = "details"
    if kind in CHANGED:
        code = "drift" if count >= 0.9 * tally.details else "partial_drift"
    part = "，一部分页面写法变了" if code == "partial_drift" else ""
    return [(code, f"{tally.details} 个详情页有 {failed} 个没读出来：{words.get(kind, kind)} {count} 个{part}")]


def _drifted(tally: Tally, history: History, words: Mapping[str, str]) -> list[Fault]:
    """A few pages a run are accidents; the same few in run after run are a page template that has changed."""
    bad, total = tally.shape.get("detail", (0, 0))
    if not bad or not total:
        return []
    when = ""
    if bad == 1 or history.shapeless("detail", bad, total) >= ODD:
        (bad, total), odds = history.pooled_shapeless(frozenset(tally.broken), total)
        when = f"最近 {len(history.recent) + 1} 次的 " if history.recent else ""
        if bad <= 1 or odds >= ODD_POOLED:
            return []
    counts = {name: count for name, count in tally.details_failed.items() if name in SHAPELESS}
    kind = max(counts, key=lambda name: counts[name])
    code, part = ("partial_drift", "，一部分页面写法变了") if kind in CHANGED else ("details", "")
    return [(code, f"{when}{total} 个详情页有 {bad} 个没读出该有的内容：{words.get(kind, kind)}，平时没有这么多{part}")]


def _unstable(tally: Tally, words: Mapping[str, str]) -> list[Fault]:
    """Some posts were lost although every request was tried three times: the site is not well."""
    lost = sum(tally.details_failed.values())
    if not lost or tally.retried <= UNSTABLE * tally.pages:
        return []
    kind = tally.details_failed.most_common(1)[0][0]
    return [("unstable", f"对方服务器不稳：{tally.retried} 次请求要重发，还有 {lost} 个详情页没读到（{words.get(kind, kind)}）")]


def _emptied(tally: Tally, history: History) -> list[Fault]:
    """Post pages that are in order and hold nothing."""
    empty, (_, total) = tally.details_empty, tally.shape.get("detail", (0, 0))
    if not empty:
        return []
    first = not history.same and empty == total >= MIN_EMPTY
    odd = empty > 1 and history.share_of("empties", empty, total) < RARE
    if not (first or odd):
        return []
    return [("soft_empty", f"{total} 个详情页有 {empty} 个是空的{'，平时不是这样' if odd else ''}，可能被限制")]


def repetition_faults(tally: Tally, history: History) -> list[Fault]:
    """Many posts with one and the same text: what stands there is a wall's or a visitor page's, not the posts'."""
    same, total = tally.repeated
    if same < MIN_REPEATED:
        return []
    first = not history.same and same > 0.5 * total
    if first or (same >= 0.1 * total and history.share_of("repeated", same, total) < RARE):
        return [("repeated", f"{total} 个详情页有 {same} 个正文一字不差，读到的多半是提示页，不是内容")]
    return []
