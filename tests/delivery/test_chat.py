"""Group-chat robots: real HTTP servers on loopback that count, refuse, ban and hang up."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
from urllib.parse import parse_qs, urlsplit

import pytest

from reports.delivery import deliver
from reports.delivery.chat import cut, pieces
from reports.delivery.compose import chat
from tests.delivery.kit import HOUR, MINUTE, NOW, Robot, configured, rows, text_of
from vocwatch.clock import FixedClock
from vocwatch.store import outbox

ENV = "VOCWATCH_CHANNEL_ONCALL"


def settings_for(base, robot, kind="wecom", inbox=None, *, channel=None, variables=None, **sections):
    return configured(
        base, inbox, variables={ENV: robot.url(), **(variables or {})},
        channels=[{"name": "oncall", "kind": kind, "url_env": ENV, **(channel or {})}], **sections,
    )


def put(settings, store, texts, now=NOW, kind="alert", key="inc"):
    with store.begin() as connection:
        outbox.enqueue(connection, [
            chat(settings, kind=kind, key=f"{key}-{number}/1", channel="oncall", subject="题", text=text, now=now, hours=24)
            for number, text in enumerate(texts)
        ], now)


def work(settings, store, robot, until, now=NOW, step=dt.timedelta(seconds=10)):
    while now <= until:
        robot.now = now
        deliver(settings, store, now=now)
        now += step


@pytest.mark.parametrize(("kind", "field"), [("wecom", "errcode"), ("dingtalk", "errcode"), ("feishu", "code")])
def test_f53_sixty_texts_are_merged_below_the_limit_and_none_is_refused(base, store, kind, field):
    robot = Robot(per_minute=20, field=field)
    settings = settings_for(base, robot, kind)
    texts = [f"第{number:03}件：" + "甲" * 300 for number in range(60)]
    put(settings, store, texts)
    work(settings, store, robot, NOW + 3 * MINUTE, step=MINUTE / 4)
    assert robot.rejected == 0
    said = "\n\n".join(robot.texts)
    assert [said.count(text) for text in texts] == [1] * 60  # none dropped, none twice
    assert {row["state"] for row in rows(store, limit=300)} == {"sent"}
    most = {"wecom": 2048, "dingtalk": 20_000, "feishu": 20_000}[kind]
    assert max(len(text.encode()) for text in robot.texts) <= most and len(robot.texts) <= 30
    robot.close()


def test_f53_short_texts_that_come_one_by_one_stay_below_twenty_a_minute(base, store):
    robot = Robot(per_minute=20)
    settings = settings_for(base, robot)
    now = NOW
    for number in range(60):  # one every second
        put(settings, store, [f"第{number}件"], now, key=f"k{number}")
        robot.now = now
        deliver(settings, store, now=now)
        now += dt.timedelta(seconds=1)
    work(settings, store, robot, now + MINUTE, now, MINUTE / 4)
    assert robot.rejected == 0 and all(f"第{number}件" in "\n".join(robot.texts) for number in range(60))
    robot.close()


def test_f53_a_ban_of_ten_minutes_is_waited_out_and_mail_goes_instead(base, store, robot, inbox):
    settings = settings_for(base, robot, "dingtalk", inbox, alerts={"to": ["oncall"], "second": ["duty@example.com"]})
    robot.answers = [(200, {"errcode": 130101, "errmsg": "send too fast"}, {})]
    put(settings, store, ["一", "二"])
    deliver(settings, store, now=NOW)
    assert len(robot.paths) == 1 and {mail["To"] for mail in inbox.mails} == {"duty@example.com"} and len(inbox.mails) == 2
    for minute in range(1, 10):
        deliver(settings, store, now=NOW + minute * MINUTE)
    assert len(robot.paths) == 1  # not a single call within the ban
    deliver(settings, store, now=NOW + 12 * MINUTE)
    assert "一" in robot.texts[0] and "二" in robot.texts[0]


@pytest.mark.parametrize(("answer", "fault"), [
    ((429, {}, {"Retry-After": "120"}), "limited"), ((500, {}, {}), "busy"), ((403, {}, {}), "config"),
    ((200, {"errcode": 93000, "errmsg": "invalid webhook url"}, {}), "config"), ((200, {"errcode": 45009, "errmsg": "freq"}, {}), "limited"),
    ((200, ["strange"], {}), "busy"), ((302, {}, {"Location": "http://127.0.0.1:1/"}), "config"), ("drop", "unknown"),
])
def test_answers_have_their_class_and_200_alone_is_no_success(base, store, robot, answer, fault):
    settings = settings_for(base, robot)
    robot.answers = [answer]
    put(settings, store, ["一"])
    (tried,) = deliver(settings, store, now=NOW).tried
    assert (tried.state, tried.fault) == ("retry", fault)
    deliver(settings, store, now=NOW + HOUR)
    assert robot.texts[-1].endswith("一") or "一\n" in robot.texts[-1]
    assert ("可能重复" in robot.texts[-1]) is (fault == "unknown")


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("asked", "minutes"), [
    ("300", 5), ("Mon, 16 Nov 2026 01:20:00 GMT", 20),  # NOW is 01:00 GMT
    ("99999999999999999999", 60), ("Fri, 16 Nov 2126 01:00:00 GMT", 60),  # an hour at most
    ("Mon, 16 Nov 99999999999999999999 01:00:00 GMT", 1), ("²", 1), ("Mon, 16 Nov 2020 01:00:00 GMT", 1),
])
def test_f53_retry_after_is_obeyed_in_every_form_and_absurd_ones_have_an_end(base, sqlite_store, robot, status, asked, minutes):
    settings = settings_for(base, robot).with_clock(FixedClock(NOW))
    robot.answers = [(status, {}, {"Retry-After": asked})]
    put(settings, sqlite_store, ["一"])
    (tried,) = deliver(settings, sqlite_store, now=NOW).tried
    assert tried.fault == ("limited" if status == 429 else "busy")
    if minutes > 1:
        put(settings, sqlite_store, ["二"], NOW + MINUTE, key="more")  # nor is anything else sent there meanwhile
        deliver(settings, sqlite_store, now=NOW + (minutes - 1) * MINUTE)
        assert len(robot.paths) == 1
    deliver(settings, sqlite_store, now=NOW + (minutes + 1) * MINUTE)
    assert "一" in robot.texts[0]


def test_signatures_are_those_that_the_platforms_check(base, store, robot):
    for kind in ("dingtalk", "feishu"):
        settings = settings_for(base, robot, kind, channel={"secret_env": "VOCWATCH_CHANNEL_SIGN"}, variables={"VOCWATCH_CHANNEL_SIGN": "SEC123"})
        bodies = []
        robot.answer = lambda body, bodies=bodies: (bodies.append(body), (200, {"errcode": 0, "code": 0}, {}))[1]
        put(settings, store, ["一"], key=kind)
        deliver(settings, store, now=NOW)
        if kind == "dingtalk":
            query = parse_qs(urlsplit(robot.paths[-1]).query)
            stamp, sign = query["timestamp"][0], query["sign"][0]
            wanted = hmac.digest(b"SEC123", f"{stamp}\nSEC123".encode(), "sha256")
            assert query["key"] and len(stamp) == 13
        else:
            stamp, sign = bodies[-1]["timestamp"], bodies[-1]["sign"]
            wanted = hmac.digest(f"{stamp}\nSEC123".encode(), b"", "sha256")
            assert len(stamp) == 10
        assert sign == base64.b64encode(wanted).decode()


def test_everything_else_goes_through_apprise(base, store, robot):
    class Plain(Robot):
        def answer(self, body):
            self.texts.append(body["message"])
            return 200 if len(self.texts) > 1 else 503, {}, {}

    plain = Plain()
    port = plain.server.server_address[1]
    settings = configured(base, variables={ENV: f"json://127.0.0.1:{port}/hook"}, channels=[{"name": "oncall", "kind": "apprise", "url_env": ENV}])
    put(settings, store, ["【红色预警】<b>一</b>"])
    (tried,) = deliver(settings, store, now=NOW).tried
    assert (tried.state, tried.fault) == ("retry", "busy")
    assert deliver(settings, store, now=NOW + HOUR).of("sent") and "<b>一</b>" in plain.texts[-1]
    plain.close()


@pytest.mark.parametrize(("kind", "url", "words"), [
    ("apprise", "wecombot://abcdefgh", "kind: wecom"), ("apprise", "nonsense://x", "Apprise"),
    ("wecom", "wecombot://abcdefgh", "webhook"), ("wecom", "", ENV), ("wecom", "http://[", "webhook"),
])
def test_an_address_that_can_not_be_used_is_said_in_words(base, store, kind, url, words):
    settings = configured(base, variables={ENV: url}, channels=[{"name": "oncall", "kind": kind, "url_env": ENV}])
    put(settings, store, ["一"])
    (tried,) = deliver(settings, store, now=NOW).tried
    assert tried.fault == "config" and words in tried.error


def test_a_channel_that_was_taken_out_of_the_configuration_is_said(base, store):
    put(configured(base), store, ["一"])
    (tried,) = deliver(configured(base), store, now=NOW).tried
    assert tried.fault == "config" and "oncall" in tried.error


def test_an_alert_held_up_by_a_days_quota_goes_to_the_second_channel(base, store, robot, inbox):
    settings = settings_for(base, robot, inbox=inbox, channel={"per_day": 1}, alerts={"to": ["oncall"], "second": ["duty@example.com"]})
    put(settings, store, ["一"])
    deliver(settings, store, now=NOW)
    put(settings, store, ["二"], key="more")
    assert deliver(settings, store, now=NOW + MINUTE).held == 1
    assert robot.texts == ["一"] and [text_of(mail).strip() for mail in inbox.mails] == ["二"]


def test_texts_are_packed_in_order_and_cut_between_characters():
    assert pieces(["甲" * 100, "乙" * 100, "丙" * 300], 700) == [
        ("甲" * 100 + "\n\n" + "乙" * 100, [0, 1]), *[(text, [2]) for text, _ in pieces(["丙" * 300], 700)]]
    parts = cut("丁" * 1000 + "\n" + "戊" * 1000, 2000)
    assert "".join(parts).replace("\n", "") == "丁" * 1000 + "戊" * 1000
    assert all(len(part.encode()) <= 2000 for part in parts)
    numbered = pieces(["己" * 2000], 2000)
    assert all(len(text.encode()) <= 2000 for text, _ in numbered) and numbered[0][0].startswith("(1/")
