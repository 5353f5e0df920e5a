from __future__ import annotations

import math

import pytest

from reports import score
from reports.advice import advice_for
from reports.say import TEXTS
from vocwatch.models import Level
from vocwatch.settings.app import Risk

RISK = Risk()


def test_the_formula_adds_up_to_a_hundred():
    assert score.total(score.Parts(1, 1, 1, 1, 1, 1), RISK) == 100
    assert score.total(score.Parts(1, 0, 0, 0, 0, 0), RISK) == 25
    assert score.total(score.Parts(0.9, 0.4, 0.8, 0.3, 0.9, 1.0), RISK) == pytest.approx(
        22.5 + 8 + 16 + 4.5 + 9 + 10
    )


def test_parts_follow_the_reference():
    assert score.intensity(3, 20) == pytest.approx(math.log(4) / math.log(21))
    assert score.intensity(500, 20) == 1
    assert score.evolution(1e-3) == pytest.approx(0.5)
    assert score.evolution(0.0) == 1 and score.evolution(None) == 0
    assert score.wilson_lower(8, 10) == pytest.approx(0.4902, abs=1e-4)
    assert score.wilson_lower(0, 0) == 0
    assert score.corroboration(2, 2) == pytest.approx(2 / 3)
    assert score.corroboration(0, 9) == 0 and score.corroboration(9, 0) == 0
    assert score.spread([(0.5, 1.0), (0.9, 0.2)]) == 0.5
    assert 0 <= score.reach(0, 0, 0, 0) < score.reach(100, 0, 0, 0) < score.reach(10**9, 0, 0, 0) == 1


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (80, Level.RED),
        (79.9, Level.ORANGE),
        (65, Level.ORANGE),
        (40, Level.YELLOW),
        (20, Level.BLUE),
        (19.9, None),
    ],
)
def test_levels(value, level):
    assert score.level_of(value, RISK) is level


BANNED = (
    "删帖",
    "删除帖",
    "压帖",
    "水军",
    "刷好评",
    "刷评",
    "控评",
    "沉帖",
    "撤稿",
    "公关费",
    "封口",
    "有偿",
    "pay",
    "delete",
)
TOPICS = (
    "商品安全/过敏",
    "宣传/假货",
    "隐私/信息泄露",
    "产品质量/掉色",
    "物流/丢件",
    "客服服务/态度差",
    "售后/退款难",
    "价格/降价",
    "维权/媒体",
    "别的/什么",
)


def test_advice_is_only_what_the_law_allows():
    for key, words in TEXTS.items():
        if key.startswith(("advice.", "action.")):
            assert not [bad for bad in BANNED for text in words if bad in text.lower()]


@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("level", list(Level))
def test_every_topic_has_advice(topic, level):
    for coordinated in (False, True):
        given = advice_for(topic, level, coordinated)
        assert 1 <= len(given) <= 4 and len(set(given)) == len(given)
        assert all(s.key.startswith("advice.") and s.text("zh") and s.text("en") for s in given)
