"""内部舆情关键词: which sentences count for a class, and which only hold its letters."""

from __future__ import annotations

import pytest

from sessions.keywords import Matcher
from tests.conftest import ROOT
from vocwatch.models import Turn
from vocwatch.settings.keywords import Keywords
from vocwatch.settings.yamlfile import load_model

MEANT = [
    ("再不处理我就曝光", "曝光维权"), ("信不信我曝光你们", "曝光维权"), ("不得不曝光了", "曝光维权"), ("别以为我不会曝光", "曝光维权"),
    ("我要发小红书", "曝光维权"), ("聊天我都截图了", "曝光维权"), ("不给个说法没完", "曝光维权"), ("回头发条视频讲讲", "曝光维权"),
    ("我有3万粉", "曝光维权"), ("让更多人知道你们", "曝光维权"), ("曝 光", "曝光维权"), ("我去抖音上说道说道", "曝光维权"), ("要不要投诉一下", "监管投诉"), ("打１２３１５", "监管投诉"),
    ("不投诉就不管是吧", "监管投诉"), ("已经向消协举报", "监管投诉"), ("能不能投诉", "监管投诉"), ("我认识电视台的记者", "媒体"),
    ("等着收律师函吧", "律师法律"), ("孩子用完过敏了", "人身伤害"), ("插上就冒烟", "人身伤害"), ("是不是假货", "假货"),
    ("这不是假货吗", "假货"), ("不会是假货吧", "假货"), ("收到三无产品", "假货"), ("凭什么不给退", "退款纠纷"),
    ("你们就是骗子", "退款纠纷"), ("垃圾店铺", "辱骂"), ("不是垃圾是什么", "辱骂"),
]
NOT_MEANT = [
    ("放心，我不会曝光的", "曝光维权"), ("我要发视频给你看看", "曝光维权"), ("货发出去了吗", "曝光维权"), ("挂在墙上正好", "曝光维权"),
    ("截图发你了", "曝光维权"), ("没有投诉你们的意思", "监管投诉"), ("我不想投诉", "监管投诉"), ("不用投诉了，已经解决", "监管投诉"),
    ("工商银行的卡能付吗", "监管投诉"), ("看博主推荐来的", "媒体"), ("买个网红款", "媒体"), ("用了没有过敏", "人身伤害"),
    ("敏感肌用会过敏吗", "人身伤害"), ("会不会漏电", "人身伤害"), ("不是假货，放心了", "假货"), ("没发现是假货", "假货"),
    ("套个垃圾袋寄回", "辱骂"), ("你妈妈用着挺好", "辱骂"), ("今天天气不错", ""),
]


@pytest.fixture(scope="module")
def shipped() -> Keywords:
    return load_model(ROOT / "config" / "keywords.yaml", Keywords, {})


@pytest.mark.parametrize(("text", "name"), MEANT)
def test_meant(shipped: Keywords, text: str, name: str) -> None:
    hits = [hit for hit in Matcher(shipped).find(text) if hit.name == name]
    assert hits and all(text[hit.start:hit.end] == hit.word for hit in hits)


@pytest.mark.parametrize(("text", "name"), NOT_MEANT)
def test_not_meant(shipped: Keywords, text: str, name: str) -> None:
    hits = [hit for hit in Matcher(shipped).find(text) if hit.name == name or not name]
    assert not hits, hits


def test_there_are_eight_classes_and_agents_are_not_searched(shipped: Keywords) -> None:
    assert len(shipped.classes) == 8
    turns = [Turn("agent", "您可以投诉"), Turn("customer", "好的"), Turn("system", "投诉电话"), Turn("customer", "我要投诉")]
    assert [(hit.seq, hit.name) for hit in Matcher(shipped).find_in(turns)] == [(3, "监管投诉")]


def test_hostile_text_neither_raises_nor_stalls(shipped: Keywords) -> None:
    matcher = Matcher(shipped)
    for text in ("", "\ud800曝光", "不" * 50_000, "投诉" * 20_000, "\u200b曝\u200b光\u200b", "去小红书" * 9000):
        for hit in matcher.find(text):
            assert 0 <= hit.start < hit.end <= len(text)
