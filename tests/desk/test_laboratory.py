"""The laboratory's engine: what a rule would do to the stored texts."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.laboratory import Draft, try_out
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.specimens import Specimen, Specimens
from vocwatch.laboratory import Report
from vocwatch.models import TextInput
from vocwatch.settings.drafts import DraftError, with_watch
from vocwatch.settings.watches import Watches

NOW = dt.datetime(2026, 11, 16, 4, tzinfo=dt.UTC)
BRAND: dict[str, Any] = {"id": "sgx", "kind": "brand", "name": "松果匣", "ambiguous": ["松果"], "exclude": ["捡松果"],
                         "context": {"any": ["客服", "退货"]}}


def watches(*items: dict[str, Any]) -> Watches:
    return Watches.model_validate({"watches": items})


def specimen(ref: int, text: str, hours: float = 1, **known: Any) -> Specimen:
    at = NOW - dt.timedelta(hours=hours)
    item = TextInput(str(ref), text, context=known.pop("context", ()))
    return Specimen(ref, "forum", f"https://a.example/{ref}", at, at.date(), item, mark=known.pop("mark", "m"), **known)


def stored(texts: list[str], saved: Watches | None = None, hours: float = 1) -> Specimens:
    """Texts of one hour ago, with the hits of the saved watches as the store would hold them."""
    found = Specimens()
    matcher = Matcher(saved) if saved else None
    made = []
    for ref, text in enumerate(texts):
        item = TextInput(str(ref), text)
        hits = matcher.match(item, normalise(text)).hits if matcher else ()
        made.append(specimen(ref, text, hours, own={hit.watch: (hit.rule, hit.matched) for hit in reversed(hits)}))
    found.put(made)
    return found


def tried(texts: Specimens | list[str], watch: dict[str, Any], saved: Watches | None = None, **more: Any) -> Report:
    found = texts if isinstance(texts, Specimens) else stored(texts, saved)
    others = [one for one in (saved.watches if saved else ()) if one.id != watch["id"]]
    drafted = Watches.model_validate({"watches": [*(one.model_dump() for one in others), watch]})
    return try_out(found, Draft(drafted, watch["id"], saved), now=NOW, **more)


def ids(report: Report) -> set[int]:
    return {sample.id for sample in report.caught.samples}


PIECES = ["松果匣", "松果", "捡松果", "宋果匣", "松\u200b果匣", "松.果.匣", "songguoxia", "木公果匣", "松*匣", "SGX", "客服", "退货", "漏水", "杯", "，", "ａ", "aaa",
          "松@果匣", "🌰果匣", "\x00", "\ud800", "ɐ", "Ѕongguoxia", "的"]
RULES: list[dict[str, Any]] = [
    BRAND, {**BRAND, "variants": False}, {**BRAND, "require": {"all": ["@ NEAR/4 漏水"]}}, {**BRAND, "ambiguous": [], "context": {}},
    {"id": "k", "kind": "keyword", "name": "漏水", "query": "漏水 NEAR/3 杯"}, {"id": "p", "kind": "keyword", "name": "客服", "patterns": ["漏.{0,3}杯", "^松果"]},
    {"id": "l", "kind": "competitor", "name": "Songguoxia"},
]


@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join), min_size=1, max_size=12), st.sampled_from(RULES))
@settings(max_examples=60, deadline=None)
def test_the_laboratory_catches_what_the_judge_would(texts: list[str], rule: dict[str, Any]) -> None:
    judge = Matcher(watches(rule))
    expected = {
        ref for ref, text in enumerate(texts)
        if any(hit.watch == rule["id"] and hit.end > hit.start for hit in judge.match(TextInput("0", text), normalise(text)).hits)
    }
    assert ids(tried(texts, rule, looks=None, samples=50)) == expected


@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join), min_size=1, max_size=12), st.sampled_from(RULES[:4]),
       st.sampled_from(RULES[:4]), st.sampled_from([[], ["松果家"], ["漏水"]]))
@settings(max_examples=40, deadline=None)
def test_what_is_left_unread_would_not_have_changed(
    texts: list[str], before: dict[str, Any], after: dict[str, Any], aliases: list[str]
) -> None:
    saved, draft = watches(before), {**after, "aliases": aliases}
    was, will = ids(tried(texts, before, looks=None, samples=50)), ids(tried(texts, draft, looks=None, samples=50))
    report = tried(texts, draft, saved, looks=None, samples=50)
    assert ids(report) == will
    assert {one.id for one in report.gained.samples} == will - was and {one.id for one in report.lost.samples} == was - will


def test_a_change_shows_what_it_gains_and_loses() -> None:
    texts = ["松果匣漏水", "客服说松果会补寄", "松果家也漏", "公园捡松果", "今天晴"]
    report = tried(texts, {**BRAND, "aliases": ["松果家"], "ambiguous": []}, watches(BRAND))
    assert (report.caught.count, report.gained.count, report.lost.count) == (2, 1, 1)
    assert report.gained.samples[0].text == "松果家也漏" and report.lost.samples[0].text == "客服说松果会补寄"
    assert report.texts == 5 and report.hits_7_days == 2 and not report.estimated


def test_each_condition_says_what_it_keeps_out() -> None:
    texts = ["公园捡松果", "松果真好看", "松果匣转让", "松果匣旗舰店"]
    rule = {**BRAND, "require": {"none": ["转让"], "all": ["@ NEAR/4 旗舰店"]}}
    assert {one.what: one.texts for one in tried(texts, rule).killed} == {
        "排除：捡松果": 1, "require.none 成立：转让": 1, "require.all 不成立：@ NEAR/4 旗舰店": 1,
    }
    assert [one.what for one in tried(["松果真好看"], BRAND).killed] == ["有歧义的叫法，附近没有 context.any 里的词"]
    needs = {"id": "cup", "kind": "product", "name": "保温杯", "needs_brand": True}
    assert [one.what for one in tried(["保温杯不错"], needs).killed] == ["needs_brand：同一条里没提到品牌"]


def test_f37_disguises_in_the_data_are_suggested() -> None:
    texts = ["宋果匣漏水了客服不理", "买的松\u200b果匣子", "木公果匣这个牌子", "song guo xia 客服", "松*匣退货", "松🌰果匣好评"]
    report = tried([*texts, *["今天晴"] * 3], {**BRAND, "variants": False})
    missed = {hint.word for hint in report.hints if not hint.caught}
    assert {"宋果匣", "木公果匣", "song guo xia", "松*匣", "松🌰果匣"} <= missed
    caught = {hint.word: hint.caught for hint in tried(texts, {**BRAND, "variants": True}).hints if hint.rule}
    assert caught["宋果匣"] and caught["木公果匣"]


def test_words_that_only_its_texts_use_are_suggested() -> None:
    texts = [f"松果匣的小胖壶第{n}次漏" for n in range(6)] + [f"别家的杯子第{n}个" for n in range(12)]
    assert "小胖" in "".join(hint.word for hint in tried(texts, BRAND).hints if not hint.rule)


def test_f30_a_sample_answers_for_a_rule_that_is_too_broad() -> None:
    found = stored([f"客服说第{n}件{'漏水' if n % 4 == 0 else '好用'}" for n in range(4_000)])
    report = tried(found, {"id": "k", "kind": "keyword", "name": "客服"}, looks=200)
    assert report.estimated and report.looked == 200 and report.worth == 4_000
    assert report.caught.count == 4_000 and any("太宽" in line for line in report.warnings)
    quarter = tried(found, {"id": "k", "kind": "keyword", "name": "客服", "require": {"all": ["漏水"]}}, looks=200)
    assert abs(quarter.caught.count - 1_000) <= quarter.caught.margin and quarter.caught.margin > 0
    assert any("数字是估计" in line for line in quarter.warnings)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+b", "(.*)*c", "松(.?果?)+匣"])
def test_f30_a_catastrophic_pattern_is_answered(pattern: str) -> None:
    found = stored(["a" * 20_000 + "!" for _ in range(20)])
    began = time.process_time()
    report = tried(found, {"id": "k", "kind": "keyword", "name": "客服", "patterns": [pattern]})
    assert report.texts == 20 and time.process_time() - began < 20  # a backtracking engine would not end at all


def test_f30_ten_thousand_words_say_which_are_idle() -> None:
    words = [f"词{n:05d}号" for n in range(10_000)]
    report = tried(["词00007号坏了", "客服"], {"id": "k", "kind": "keyword", "name": "客服", "aliases": words})
    assert report.caught.count == 2 and len(report.idle) == 9_999 and {one.name for one in report.words} == {"客服", "词00007号"}


def test_f35_hostile_texts_and_words_do_no_harm() -> None:
    texts = ["\x01松果匣\x01", "\ud800松果匣", "\u202e松果匣", "\x00" * 50, "", "松果匣\x1b[31m", "e\u0301" * 500]
    assert tried(texts, BRAND).caught.count == 4
    assert tried(texts, {**BRAND, "name": "松\x01果匣"}).texts == 7
    with pytest.raises(DraftError) as refused:
        with_watch(watches(BRAND), {"id": "x", "kind": "brand", "name": "\ud800松果匣"})
    assert refused.value.problems[0].message == "名称：写法不对"


def test_alerts_are_counted_once_for_each_day_class_and_product() -> None:
    found = Specimens()
    found.put([specimen(n, f"松果匣烫伤{n}", hours=24 * (n // 3), red=("人身伤害",), voice="customer", product="P1") for n in range(6)])
    found.put([specimen(9, "松果匣有奖转发", red=("人身伤害",), voice="lottery")])
    report = tried(found, BRAND, days=7)
    assert (report.alerts_per_day, report.alerts_more) == (round(2 / 7, 2), round(2 / 7, 2))
    assert tried(found, {"id": "k", "kind": "keyword", "name": "烫伤"}, days=7).alerts_per_day == 0


def test_wrong_catches_examples_and_overlaps_are_told() -> None:
    found = Specimens()
    found.put([specimen(1, "松果匣山庄", wrong=True, own={"villa": ("name", "松果匣山庄")}), specimen(2, "松果匣漏水")])
    report = tried(found, {**BRAND, "examples": ["松果匣", "果匣"], "counter_examples": ["松果匣公园"]})
    assert report.wrong.count == 1 and report.overlaps[0].name == "villa"
    assert report.failing == ("例句没有命中：果匣", "反例命中了：松果匣公园")


def test_pages_that_speak_of_it_are_counted_apart() -> None:
    found = Specimens()
    found.put([specimen(1, "好用", context=("SG-C203",)), specimen(2, "松果匣好用", context=("SG-C203",))])
    report = tried(found, {**BRAND, "sku": "SG-C203"})
    assert (report.caught.count, report.page_texts) == (1, 1)


def test_only_the_newest_texts_are_kept_and_nothing_of_the_others() -> None:
    found = Specimens(most=50)
    found.put([specimen(n, f"松果匣{n}", hours=n + 1) for n in range(80)])
    report = tried(found, BRAND, samples=60)
    assert len(found) == 50 and found.left_out == 30 and ids(report) == set(range(50))
    assert any("更早的 30 条没有看" in line for line in report.warnings)


def test_f60_what_is_taken_away_is_nowhere_any_more() -> None:
    found = Specimens()
    found.put([specimen(1, "松果匣秘密一"), specimen(2, "松果匣秘密二")])
    found.keep(lambda one: one.id == 2)
    assert ids(tried(found, BRAND)) == {2} and "秘密一".encode() not in b"".join(block._plain._bytes for block in found._blocks)
    found.drop([2])
    assert not ids(tried(found, BRAND)) and tried(found, BRAND).texts == 0


def test_a_text_that_changed_is_read_anew() -> None:
    found = Specimens()
    found.put([specimen(1, "今天晴", mark="a")])
    found.put([specimen(1, "松果匣漏水", mark="b")])
    assert ids(tried(found, BRAND)) == {1} and len(found) == 1


def test_a_pattern_that_runs_over_the_border_misses_nothing() -> None:
    texts = ["杯子", "盖子漏水", "杯盖漏"]
    report = tried(texts, {"id": "k", "kind": "keyword", "name": "客服", "patterns": ["杯[^。]{0,9}漏", "子[^。]*盖"]}, looks=None)
    assert ids(report) == {2}
    assert ids(tried(["杯", "盖漏水，杯盖漏"], {"id": "k", "kind": "keyword", "name": "客服", "patterns": ["杯[^。]{0,9}漏"]}, looks=None)) == {1}
