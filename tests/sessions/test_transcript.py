"""Turns out of cells."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions.transcript import People, parse_transcript
from tests.sessions.samples import utc
from vocwatch.settings import load_settings, read_environment
from vocwatch.settings.session_maps import SessionMap, Transcript

ZONE = ZoneInfo("Asia/Shanghai")
START = utc(2026, 9, 14, 4, 3)  # 12:03 in Shanghai
PEOPLE = People("爱吃西柚", "小七")


@pytest.fixture(scope="module")
def shipped() -> dict[str, SessionMap]:
    return load_settings(read_environment({})).session_maps


def turns(cell: object, spec: Transcript | None = None, start: dt.datetime = START) -> list[tuple[str, str]]:
    return [
        (turn.role, turn.text)
        for turn in parse_transcript(cell, spec or Transcript(), PEOPLE, start, ZONE)[0]
    ]


def test_heads_with_role_and_time() -> None:
    cell = "爱吃西柚（买家）12:03:11\n壶盖烫手\n真的很差（无语）\n\n小七（客服）12:04\n亲亲\n"
    found, told = parse_transcript(cell, Transcript(), PEOPLE, START, ZONE)
    assert told
    assert [(t.role, t.name, t.text) for t in found] == [
        ("customer", "爱吃西柚", "壶盖烫手\n真的很差（无语）"),
        ("agent", "小七", "亲亲"),
    ]
    assert [t.at for t in found] == [utc(2026, 9, 14, 4, 3, 11), utc(2026, 9, 14, 4, 4)]


def test_times_cross_midnight() -> None:
    cell = "甲（买家）23:59:00\n在吗\n小七（客服）00:01:00\n在"
    found, _ = parse_transcript(cell, Transcript(), PEOPLE, utc(2026, 9, 14, 15, 59), ZONE)
    assert [t.at for t in found] == [utc(2026, 9, 14, 15, 59), utc(2026, 9, 14, 16, 1)]


@pytest.mark.parametrize(
    "cell",
    [
        "爱吃西柚 2026-09-14 12:03:11\n烫手\n小七 2026-09-14 12:04:00\n亲",
        "2026-09-14 12:03:11 爱吃西柚：烫手\n2026-09-14 12:04:00 小七：亲",
        "[12:03:11] 爱吃西柚: 烫手\n[12:04:00] 小七: 亲",
        "爱吃西柚 12:03:11\n烫手\n小七 12:04:00\n亲",
        "买家：烫手\n客服：亲",
        "【买家】烫手\n【客服】亲",
        "客户(爱吃西柚)：烫手\n客服(小七)：亲",
        '[{"role": "buyer", "content": "烫手"}, {"sender": "小七", "message": "亲"}]',
        [{"author": {"role": "customer"}, "plain_body": "烫手"}, {"from": "agent", "body": "亲"}],
        {"messages": [{"role": "买家", "text": "烫手"}, {"role": "客服", "text": "亲"}]},
    ],
)
def test_other_ways_of_writing_a_chat(cell: object, shipped: dict[str, SessionMap]) -> None:
    assert turns(cell, shipped["qc-cn"].transcript) == [("customer", "烫手"), ("agent", "亲")]


def test_a_quoted_head_inside_a_message_is_no_turn(shipped: dict[str, SessionMap]) -> None:
    cell = "爱吃西柚（买家）12:03:11\n你们写着\n客服：二十四小时在线"
    assert turns(cell, shipped["qc-cn"].transcript) == [("customer", "你们写着\n客服：二十四小时在线")]


def test_text_without_speakers_is_the_customers() -> None:
    found, told = parse_transcript("壶盖烫手，不想要了", Transcript(), PEOPLE, START, ZONE)
    assert not told and [(t.role, t.text) for t in found] == [("customer", "壶盖烫手，不想要了")]
    assert parse_transcript("", Transcript(), PEOPLE, START, ZONE) == ([], True)
    assert parse_transcript(None, Transcript(), PEOPLE, START, ZONE) == ([], True)


HEAD = st.sampled_from(
    [
        "爱吃西柚（买家）12:03:11",
        "小七（客服）99:99:99",
        "系统(系统)",
        "买家：在吗",
        "[12:03] 小七: 亲",
        "[{",
        "（",
        "a 12:00:00",
    ]
)


@settings(max_examples=200, deadline=None)
@given(
    cell=st.one_of(
        st.text(max_size=100),
        st.lists(st.one_of(HEAD, st.text(max_size=20)), max_size=8).map("\n".join),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from(["text", "role", "time", "author", "x"]), inner, max_size=4)
            ),
        ),
    )
)
def test_nothing_breaks_the_parser(cell: object, shipped: dict[str, SessionMap]) -> None:
    for mapping in shipped.values():
        found, _ = parse_transcript(cell, mapping.transcript, PEOPLE, START, ZONE)
        assert all(turn.role in ("customer", "agent", "system") and turn.text.strip() for turn in found)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["买家", "客服"]), st.text("烫手亲在吗，。 \n", min_size=1).filter(str.strip)
        ),
        min_size=1,
        max_size=8,
    )
)
def test_what_is_written_is_read_back(said: list[tuple[str, str]]) -> None:
    cell = "\n".join(f"某人（{role}）12:03:11\n{text}" for role, text in said)
    expected = [
        (
            "customer" if role == "买家" else "agent",
            "\n".join(line.rstrip() for line in text.split("\n")).strip(),
        )
        for role, text in said
    ]
    assert turns(cell) == expected
