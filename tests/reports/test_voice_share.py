"""The brand beside its competitors, and the cases of a week."""

from __future__ import annotations

import pytest

from reports.trade.cases import as_dict as cases_as_dict
from reports.trade.cases import cases, markdown
from reports.trade.voice_share import Subject, VoiceShare, about, as_dict, voice_share
from tests.reports.factory import Text, World, day
from vocwatch.settings import Settings
from vocwatch.store import schema
from vocwatch.store.incidents import WatchHit
from vocwatch.store.trade import Judged

LEAK, COLOUR = "产品质量/漏水", "产品质量/掉漆"
OURS, RIVAL = ("songguoxia", "brand", 0), ("rival", "competitor", 0)
NOW = day(24)


def speak(world: World, names: list[tuple[str, str, int]], topic: str = "", author: str | None = "", source: str = "notes") -> int:
    said = world.complaint(topic, "杯盖漏水") if topic else Text(world.dress("还不错"), (), "positive", 0)
    ours = any(kind != "competitor" for _, kind, _ in names)
    return world.mention(day(24), said, source, None, author, hits=names, brand_match=ours)


def of(found: VoiceShare, watch: str) -> Subject:
    return next(s for s in found.subjects if s.watch == watch)


def test_voices_are_shared_and_complaints_set_side_by_side(small: World, cups: Settings) -> None:
    rows = [speak(small, [RIVAL], LEAK) for _ in range(6)]
    for _ in range(2):
        speak(small, [RIVAL])
    for number in range(40):
        speak(small, [OURS], LEAK if number < 2 else "")
    speak(small, [OURS], LEAK, author="loud")
    speak(small, [OURS], LEAK, author="loud")
    speak(small, [OURS], LEAK, source="reviews")
    small.mention(day(24), small.complaint(LEAK, "漏水"), "notes", "PC-B2")
    small.save()
    found = voice_share(cups, small.store, NOW, NOW)
    mine, rival = of(found, "songguoxia"), of(found, "rival")
    assert (mine.voice.part, mine.voice.whole, rival.voice.part) == (41, 49, 8)
    assert (mine.complaining.part, rival.complaining.part) == (3, 6)
    [leak] = [t for t in rival.topics if t.topic == LEAK]
    assert (leak.share.part, leak.share.whole, leak.differs) == (6, 8, "高") and sorted(leak.mention_ids) == sorted(rows)
    assert found.sources == ("notes",) and found.left_out == ("reviews",) and found.unread == {"notes": 1} and found.on_pages == 1
    told = as_dict(found)
    assert told["subjects"][0]["ours"] and [t["name"] for t in told["subjects"][0]["topics"]] == [LEAK]
    assert not of(voice_share(cups, small.store, NOW, NOW, "物流"), "rival").topics


def judged(topics: tuple[str, ...], *spans: tuple[str, str, int, int], **more: object) -> Judged:
    values = {"sku": None, "brand_match": True, **more}
    return Judged("mention", 1, "1", "notes", None, None, product=None, shop=None, sentiment="negative", severity=1,  # type: ignore[arg-type]
                  topics=topics, spans=spans, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "names", "told"),
    [
        (judged((LEAK,), (LEAK, "negative", 10, 14)), [("songguoxia", 0), ("rival", 5)], {"": [], "rival": [LEAK]}),
        (judged((LEAK, COLOUR), (LEAK, "negative", 3, 5), (COLOUR, "negative", 9, 12)), [("songguoxia", 0), ("rival", 6)],
         {"": [LEAK], "rival": [COLOUR]}),
        (judged((LEAK,), (LEAK, "positive", 10, 14)), [("songguoxia", 0), ("rival", 5)], {"": [], "rival": []}),
        (judged((LEAK,), brand_match=False), [("rival", 0)], {"rival": [LEAK]}),
        (judged((LEAK,)), [], {"": [LEAK]}),
        (judged((LEAK, "其他/其他"), brand_match=False), [], {}),
    ],
)
def test_a_clause_belongs_to_the_name_before_it(text: Judged, names: list[tuple[str, int]], told: dict[str, list[str]]) -> None:
    hits = [WatchHit(watch, "brand", start) for watch, start in names]
    assert about(text, hits, {"songguoxia": "", "rival": "rival"}) == told


def converse(world: World, ref: int, *turns: tuple[str, str]) -> None:
    world.rows["turns"] = [row for row in world.rows["turns"] if row["session_id"] != ref]
    world.rows["turns"] += [{"session_id": ref, "seq": n, "role": role, "text": text, "at": None} for n, (role, text) in enumerate(turns)]


def test_cases_are_varied_told_with_reasons_and_masked(small: World, cups: Settings) -> None:
    with small.store.begin() as connection:
        connection.execute(schema.turns.delete())
        connection.execute(schema.sessions.delete())
    for severity in (3, 3, 2):
        small.session(NOW, small.complaint(LEAK, "漏水", severity), "品退")
    rude = small.session(NOW, small.complaint("客服服务/态度差", "态度差", 1), "服务红线", violation="辱骂")
    converse(small, rude, *[("agent", f"第{n}句") for n in range(20)], ("customer", "我电话13800138000，你们这个态度我要投诉到底"), ("agent", "随便你"))
    kind = small.session(NOW, Text("谢谢你", (), "positive", 0), "舆情关键词", rating="非常满意", resolved=True, response_seconds=12.4)
    small.session(NOW, Text("谢谢，再见", (), "positive", 0), "流失")  # a customer lost is no example
    small.session(NOW, Text("没解决", (), "positive", 0), "舆情关键词", rating="满意", resolved=False)
    small.session(NOW, Text("不满意", (), "negative", 0), "非满意", rating="非常不满意")
    small.save()
    found = cases(cups, small.store, NOW, NOW, 3)
    assert found.sessions == 8 and [case.topics[0] for case in found.bad] == ["客服服务/态度差", LEAK, LEAK]
    first = found.bad[0]
    assert any("违规：辱骂" in why for why in first.why) and first.cut and len(first.lines) == 8
    text = " ".join(words for _, words in first.lines)
    assert "投诉到底" in text and "13800138000" not in text and first.lines[-1] == ("agent", "随便你")
    assert [case.session_id for case in found.good] == [f"KF{kind:05d}"] and "响应 12 秒" in found.good[0].why
    assert cases_as_dict(found)["bad"][0]["session"] == f"KF{rude:05d}"


def test_a_customers_words_are_no_markup_and_missing_cases_are_said(small: World, cups: Settings) -> None:
    ref = small.session(NOW, small.complaint(LEAK, "漏水", 3), "品退")
    converse(small, ref, ("customer", "# 标题 [链接](http://x.example) <script>"))
    small.save()
    page = markdown(cases(cups, small.store, NOW, NOW))
    assert "\\# 标题 \\[链接\\]" in page and "<script" not in page.replace("\\<script", "") and "选不出好案例" in page
    assert "没有够得上的差案例" in markdown(cases(cups, small.store, day(30), day(30)))
