"""What did not happen to the thing is no complaint; what its words don't say a turn of speech may."""

from __future__ import annotations

import pytest

from sentiment.clauses import split
from sentiment.frames import frames
from sentiment.idioms import enquires, leaning


@pytest.mark.parametrize("text", [
    "如出现刺痛请立即停用", "任何木头晒久了都会开裂", "群里传的那个事已经辟谣了", "等打完折再入手", "师傅提醒我们水管别冻着",
])
def test_what_did_not_happen_is_told_apart(text: str) -> None:
    assert frames(text, split(text)).unreal


@pytest.mark.parametrize("text", ["用了三天就开裂了", "任何问题都推给厂家", "请勿购买这家的东西"])
def test_what_happened_stays(text: str) -> None:
    assert not frames(text, split(text)).unreal


def test_what_was_expected_ends_where_it_came_otherwise() -> None:
    text = "本来担心会掉色，结果洗了一点没掉"
    clauses = split(text)
    assert frames(text, clauses).expected == {clauses[0].start}


@pytest.mark.parametrize(("text", "side"), [
    ("拿次品糊弄人，良心不会痛吗", -1), ("还有比这更软的被子吗", 1), ("还有比这更坑的店吗", -1), ("周三到的货", 0),
])
def test_a_turn_of_speech_leans(text: str, side: int) -> None:
    assert leaning(text) == side


def test_a_reproach_is_no_enquiry() -> None:
    assert enquires("请问能开票吗")
    assert not enquires("请问你们好意思吗")
