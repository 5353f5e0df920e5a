"""Rules of one watch: expressions, patterns, learned contexts, everyday names."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sentiment.contexts import LabelledHit, learn, places_of
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.suggest import Seen, suggest
from vocwatch.models import Hit, TextInput
from vocwatch.settings.watches import LearnedContext, Watch, Watches


def matcher(*watches: dict[str, object], learned: dict[str, LearnedContext] | None = None) -> Matcher:
    made = Watches.model_validate({"watches": watches})
    return Matcher(made.model_copy(update={"learned": learned or {}}))


def hits(one: Matcher, text: str, **more: object) -> list[Hit]:
    return list(one.match(TextInput("1", text, **more), normalise(text)).hits)  # type: ignore[arg-type]


def test_conditions_belong_to_one_watch() -> None:
    one = matcher(
        {"id": "a", "kind": "brand", "name": "松果匣", "require": {"all": ["@ NEAR/6 (漏水 OR 掉漆)"], "none": ["转让"]}},
        {"id": "b", "kind": "keyword", "name": "松果匣"},
        {"id": "c", "kind": "keyword", "name": "松果匣", "require": {"any": ["水壶"]}},
    )
    assert {hit.watch for hit in hits(one, "松果匣又漏水")} == {"a", "b"}
    assert {hit.watch for hit in hits(one, "松果匣的水壶用了一年才漏水，转让")} == {"b", "c"}
    assert {hit.watch for hit in hits(one, "松果匣挺好看，昨天家里的天花板一直漏水")} == {"b"}


def test_a_query_is_a_hit_of_its_own() -> None:
    one = matcher({"id": "leak", "kind": "keyword", "name": "漏水", "ambiguous": ["漏水"], "query": "(漏水 OR 渗水) NEAR/4 (杯 OR 壶)"})
    text = "这个壶有点ＳＨＥＮ，壶底渗水了"
    found = hits(one, text)
    assert {(hit.rule, hit.matched) for hit in found} == {("query", "壶"), ("query", "渗水")}
    assert not hits(one, "屋顶渗水了")


@pytest.mark.parametrize(("watch", "told"), [
    ({"name": "的"}, "只有一个字"), ({"name": "我们"}, "太常用"), ({"name": "松果匣", "aliases": ["。"]}, "没有文字"),
    ({"name": "松果匣", "query": "NOT 漏水"}, "不带 NOT"), ({"name": "松果匣", "query": "(漏水"}, "括号"),
    ({"name": "松果匣", "patterns": [".*"]}, "太宽"), ({"name": "松果匣", "patterns": ["(?<=松)果"]}, "正则"),
    ({"name": "松果匣", "patterns": ["x{5000}"]}, "正则"), ({"name": "松果匣", "require": {"all": ["OR"]}}, "应当是一个词"),
    ({"name": "松果匣", "variants": ["telepathy"]}, "telepathy|homophone"),
])
def test_what_would_hit_everything_or_nothing_is_refused(watch: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Watches.model_validate({"watches": [{"id": "a", "kind": "brand", **watch}]})


def test_variants_can_be_chosen() -> None:
    none = matcher({"id": "a", "kind": "brand", "name": "松果匣", "variants": False})
    some = matcher({"id": "a", "kind": "brand", "name": "松果匣", "variants": ["split"]})
    keyword = matcher({"id": "a", "kind": "keyword", "name": "松果匣"})
    for text, expected in (("宋果匣漏水", []), ("木公果匣漏水", ["split"])):
        assert not hits(none, text) and not hits(keyword, text)
        assert [hit.rule for hit in hits(some, text)] == expected


@pytest.mark.parametrize(("text", "rules"), [
    ("淞果匣漏水", ["homophone"]), ("sgx说明书丢了", []), ("SGX旗舰店发错货", ["initials+context"]),
    ("松果匣漏水，sgx还不承认", ["name", "initials+brand"]), ("松*匣的客服", ["masked+context"]), ("松*匣", []),
    ("木公果匣", ["split"]), ("🌲果匣漏水", ["emoji"]), ("匣果松品牌", ["reversed+context"]), ("匣果松", []),
    ("松果xia漏了", ["mixed-pinyin"]), ("song guo xia 好用", ["pinyin"]), ("松呆匣的客服", ["look-alike+context"]),
    ("松。果。匣好用", ["squeezed"]), ("ѕongguoxia", ["homoglyph"]), ("捡了松果下山，质量好", []),
    ("松\u0301果匣", ["name"]), ("ⓢⓖⓧ客服", ["initials+context"]),
])
def test_each_rule_says_what_it_saw(text: str, rules: list[str]) -> None:
    one = matcher({"id": "a", "kind": "brand", "name": "松果匣", "aliases": ["Songguoxia"]})
    found = hits(one, text)
    assert [hit.rule for hit in found] == rules
    assert all(text[hit.start:hit.end] == hit.matched for hit in found)


def test_weak_variants_count_where_the_page_or_the_post_above_names_the_brand() -> None:
    one = matcher({"id": "a", "kind": "brand", "name": "松果匣"})
    assert [hit.rule for hit in hits(one, "sgx又来了", parent="松果匣怎么样")] == ["initials+brand"]
    assert [hit.rule for hit in hits(one, "sgx又来了", about_brand=True)] == ["initials+brand"]
    assert not hits(one, "sgx又来了", parent="今天下雨")


def test_an_everyday_name_is_a_brand_only_where_it_is_used_as_one() -> None:
    one = matcher(
        {"id": "a", "kind": "brand", "name": "月光里", "aliases": ["月光"]},
        {"id": "p", "kind": "product", "name": "月光小夜灯", "aliases": ["小夜灯"], "brand": "a", "needs_brand": True},
    )
    for text in ("我们走在月光里，风很轻", "睡在月光里真好", "今晚的月光真亮"):
        assert not hits(one, text), text
    for text in ("月光里的客服不理人", "在月光里买的小夜灯坏了", "#月光里 开箱", "月光里小夜灯太亮", "投诉月光里"):
        assert {hit.watch for hit in hits(one, text)} >= {"a"}, text


def test_labelled_hits_teach_what_a_name_means() -> None:
    watch = Watch.model_validate({"id": "a", "kind": "brand", "name": "松果屋", "ambiguous": ["松果"]})
    brand = ["松果的杯子漏水了", "松果这个杯盖太松", "问下松果杯盖怎么拆", "新买松果杯子有味道"]
    other = ["捡了一袋松果做手工", "公园捡松果做手工去", "孩子捡松果回来", "松鼠抱着松果上树"]
    labelled = [
        LabelledHit(text, *places_of(watch, text)[0], is_brand) for texts, is_brand in ((brand, True), (other, False)) for text in texts
    ]
    taught = learn(labelled)
    assert taught is not None and (taught.brand, taught.other) == (4, 4) and taught.names == ("松果",)
    assert taught.words["捡~"] < 0 < taught.words["杯子"]
    one = matcher({"id": "a", "kind": "brand", "name": "松果屋", "ambiguous": ["松果"], "context": {"any": ["旗舰店"]}}, learned={"a": taught})
    assert [hit.rule for hit in hits(one, "松果的杯子颜色不错")] == ["ambiguous+learned"]
    assert not hits(one, "捡松果去")
    assert learn(labelled[:5]) is None


def test_a_plain_name_can_be_learned_to_mean_another() -> None:
    taught = LearnedContext(names=("松果屋",), bias=0, words={"露营": -4.0, "杯子": 2.0}, brand=9, other=9, accuracy=1)
    one = matcher({"id": "a", "kind": "brand", "name": "松果屋"}, learned={"a": taught})
    assert not hits(one, "松果屋露营地满员了") and hits(one, "松果屋的杯子") and hits(one, "松果屋")


def test_nicknames_are_suggested_from_texts_about_the_brand() -> None:
    watch = Watch.model_validate({"id": "a", "kind": "brand", "name": "松果匣"})
    one = matcher({"id": "a", "kind": "brand", "name": "松果匣"})
    texts = ["松果匣的小胖壶漏水", "小胖壶真好看，松果匣良心", "宋果匣的小胖壶退了", *["今天天气好"] * 5, *["快递好慢"] * 5]
    found = suggest(watch, [Seen(text, tuple(hits(one, text))) for text in texts])
    assert (found[0].word, found[0].rule) == ("宋果匣", "homophone")
    assert any("胖" in item.word for item in found[1:])


def test_a_sku_in_the_text_names_its_product() -> None:
    one = matcher({"id": "a", "kind": "brand", "name": "松果匣"}, {"id": "p", "kind": "product", "name": "小胖壶", "brand": "a", "sku": "SG-0102"})
    assert [(hit.watch, hit.rule) for hit in hits(one, "货号sg-0102的盖子裂了")] == [("p", "sku")]
