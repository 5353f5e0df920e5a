"""Who is speaking: buyers, and those who want something of them."""

from __future__ import annotations

from collections import Counter

import pytest

from sentiment.normalise import normal_form
from sentiment.training.corpus import own_texts
from sentiment.voice import voice_of

KINDS = {"comment": "comment", "review": "review", "complaint": "complaint"}
FLAGS = ("ad", "lottery", "resale", "recruit", "merchant", "media")


@pytest.mark.parametrize(("text", "kind", "voice"), [
    ("用了两天就坏了", "post", "customer"), ("领券领不了，客服也不理我", "post", "customer"),
    ("直播间买的，到手就坏，主播还说限时抢购", "post", "customer"), ("预售比现货还贵，老顾客活该吗", "post", "customer"),
    ("转发关注，周五抽三位送保温杯", "post", "lottery"), ("想要的加微信abc12345", "post", "ad"),
    ("全网最低，一件代发，招代理", "post", "ad"), ("出闲置水壶一个，九成新，同城自提，可小刀", "post", "resale"),
    ("代购可带，要的私聊报数量，现货看相册", "post", "resale"), ("诚聘店员两名，月薪5000，五险一金，包住", "post", "recruit"),
    ("招学徒，管吃管住，月休四天", "comment", "recruit"),
    ("亲，非常抱歉给您带来不便，请您联系客服为您处理", "comment", "merchant"), ("谢谢宝的喜欢～小店会继续努力哒", "comment", "merchant"),
    ("充到一半冒烟了，客服回复说正常", "post", "customer"), ("鼓包了，找客服就一句给您带来不便敬请谅解", "comment", "customer"),
    ("盖子一直渗水，卖家只会复制粘贴感谢您的支持", "post", "customer"), ("【商家回复】您好，已为您登记", "comment", "merchant"),
    ("客服回复：亲，感谢您的反馈，我们会为您核实", "comment", "merchant"),
    ("谢谢支持", "reply", "merchant"), ("产品下月上市", "article", "media"),
    ("本报讯 记者从市场监管部门获悉，抽检三批次不合格", "post", "media"), ("加微信abc12345", "complaint", "customer"),
])
def test_voices(text: str, kind: str, voice: str) -> None:
    assert voice_of(normal_form(text), kind) == voice


def test_internal_sessions_are_the_customers() -> None:
    assert voice_of("诚聘店员，五险一金，月薪5000", "session", about_brand=True) == "customer"


def test_the_held_out_fifth_of_the_corpus() -> None:
    seen: Counter[tuple[bool, bool]] = Counter()
    for text in own_texts():
        if text.held_out:
            flagged = any(f"?{flag}" in text.flags for flag in FLAGS)
            told = voice_of(normal_form(text.text), KINDS.get(text.voice, "post")) != "customer"
            seen[flagged, told] += 1
    right, missed, false = seen[True, True], seen[True, False], seen[False, True]
    assert right + missed >= 40
    assert right / (right + false) >= 0.75
    assert right / (right + missed) >= 0.50
    assert false / (false + seen[False, False]) <= 0.01  # a buyer taken for a seller is a complaint unheard
