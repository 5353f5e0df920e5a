"""Red-line alerts: what is said when, to whom, and what keeps still. Channels are real servers on loopback."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from reports.alerting import notify
from reports.delivery import deliver
from reports.facts import build_facts
from reports.links import link_secret, read
from reports.run import build_incidents
from tests.delivery.kit import HOUR, MINUTE, NOW, configured, rows, text_of
from tests.delivery.plant import FIRST, alarm, at
from tests.reports.brand import BURN
from tests.reports.factory import World, burn
from vocwatch.store import alarms, alerts, mentions, runs
from vocwatch.store.alarms import Told
from vocwatch.store.mentions import MentionRow

ENV = "VOCWATCH_CHANNEL_ONCALL"
ONCALL = {"name": "oncall", "kind": "wecom", "url_env": ENV}


@pytest.fixture
def oncall(base, robot):
    """A 企业微信 robot gets the alerts."""
    return configured(base, variables={ENV: robot.url()}, channels=[ONCALL], alerts={"to": ["oncall"]})


def pass_time(settings, store, robot, until, step=MINUTE, now=NOW):
    """Let the work be done every `step`."""
    said = []
    while now <= until:
        robot.now = now
        said += notify(settings, store, now=now)
        deliver(settings, store, now=now)
        now += step
    return said


def test_an_alert_is_five_lines_at_most_and_says_what_where_how_many(oncall, store, robot):
    alarm(store, sessions=(7, 8, 9))
    (said,) = notify(oncall, store, now=NOW)
    assert (said.say, said.round, said.targets) == ("new", 1, 1)
    assert not notify(oncall, store, now=NOW)  # once
    deliver(oncall, store, now=NOW)
    (text,) = robot.texts
    lines = text.split("\n")
    assert len(lines) <= 5 and lines[0] == "【橙色预警Ⅱ·新增】松果匣 暖手宝外壳发烫把手烫伤"
    assert lines[1] == "商品安全/烫伤 · 暖手宝，负责 何雨"
    assert "独立发声者 2 名" in lines[2] and "外部 2 条" in lines[2] and "客服 3 个会话" in lines[2]
    assert lines[3].endswith("vocwatch alerts ack inc-burn")


@pytest.mark.parametrize(("hour", "precision", "first"), [(0, "day", "最早 11-14"), (18, "minute", "最早 11-14 18:00")])
def test_the_first_text_has_no_time_of_day_where_its_page_shows_none(oncall, sqlite_store, robot, hour, precision, first):
    published = at(hour, day=dt.date(2026, 11, 14))
    with sqlite_store.begin() as connection:
        mentions.save(connection, "forum", [
            MentionRow("p1", "https://forum.example/1", "post", "暖手宝把手烫了", published_at=published, precision=precision)], NOW)
    alarm(sqlite_store, mention_ids=(1,))
    notify(oncall, sqlite_store, now=NOW)
    deliver(oncall, sqlite_store, now=NOW)
    assert robot.texts[0].split("\n")[2].endswith(first)


def test_with_a_console_the_alert_holds_a_signed_link(base, store, robot):
    settings = configured(base, variables={ENV: robot.url()}, channels=[ONCALL], alerts={"to": ["oncall"]}, console="https://voc.example.com")
    alarm(store)
    notify(settings, store, now=NOW)
    deliver(settings, store, now=NOW)
    address = robot.texts[0].split("：")[-1]
    assert address.startswith("https://voc.example.com/a/")
    assert read("alert", address.rpartition("/")[2], link_secret(settings.env), now=NOW) == {"incident": "inc-burn"}


def test_it_is_said_again_every_four_hours_until_somebody_has_seen_it(oncall, store, robot):
    alarm(store)
    pass_time(oncall, store, robot, at(17, 30), step=15 * MINUTE)
    assert [call.hour for call in [at(9), at(13), at(17)]] == [9, 13, 17] and len(robot.texts) == 3
    assert "未确认，再报" in robot.texts[1] and "11-16 09:00 首次预警" in robot.texts[1]
    with store.begin() as connection:
        assert alarms.acknowledge(connection, "inc-burn", who="值班", now=at(17, 40))
    pass_time(oncall, store, robot, at(23), step=15 * MINUTE, now=at(17, 45))
    assert len(robot.texts) == 3
    alarm(store, level="红", state="升级", at=at(23))
    pass_time(oncall, store, robot, at(23, 30), now=at(23))
    assert len(robot.texts) == 4 and robot.texts[3].startswith("【红色预警Ⅰ·升级】")
    pass_time(oncall, store, robot, at(8, day=FIRST + dt.timedelta(days=1)), step=15 * MINUTE, now=at(23, 45))
    assert len(robot.texts) == 6  # what was seen was orange: red is repeated until it is seen too


def test_no_one_acknowledges_what_was_never_told(store):
    with store.begin() as connection:
        assert not alarms.acknowledge(connection, "inc-none", who="值班", now=NOW)


def test_f54_a_thousand_hits_of_one_incident_hide_no_other(oncall, store, robot):
    robot.per_minute = 20
    now = NOW
    for batch in range(1, 11):  # every half minute for five minutes, worse and worse
        level = "橙" if batch < 3 else "红"
        alarm(store, level=level, mention_ids=tuple(range(1, 1 + 100 * batch)), authors=30 * batch, state="升级" if batch > 2 else "新增", score=60 + batch)
        if batch == 4:
            for number in range(3):
                alarm(store, f"inc-other-{number}", "橙", product=f"PC-{number}", topic=f"大类{number}/异物", title=f"另一件事{number}", mention_ids=(5000 + number,))
        robot.now = now
        notify(oncall, store, now=now)
        deliver(oncall, store, now=now)
        now += MINUTE / 2
    pass_time(oncall, store, robot, NOW + 10 * MINUTE, now=now)
    assert len(robot.texts) <= 4 and robot.rejected == 0
    told = "\n".join(robot.texts)
    assert all(f"另一件事{number}" in told for number in range(3)) and "【红色预警" in told
    with store.read() as connection:
        listed = alerts.listed(connection, FIRST)
    assert len({number for row in listed for number in row["mention_ids"]}) == 1003


def test_f54_a_lesser_alarm_of_the_same_kind_is_part_of_the_red_one(oncall, store, robot):
    alarm(store, "inc-child", "黄", topic="商品安全/起泡", title="起水泡")
    alarm(store, "inc-parent", "红", score=90)
    alarm(store, "inc-stranger", "黄", product="PC-K3", topic="商品安全/起泡", title="另一个商品")
    said = notify(oncall, store, now=NOW)
    assert {one.incident for one in said} == {"inc-parent", "inc-stranger"}
    deliver(oncall, store, now=NOW)
    assert "同类另有 1 件一并列入" in robot.texts[0]
    alarm(store, "inc-parent", "橙", state="回落")
    assert "inc-child" in {one.incident for one in notify(oncall, store, now=NOW + 2 * MINUTE)}


def test_f55_a_score_that_wavers_about_a_threshold_is_one_message(oncall, store, robot):
    now = NOW
    for turn in range(40):  # every five minutes up or down
        alarm(store, level="红" if turn % 2 else "橙", score=79.9 + 0.2 * (turn % 2))
        pass_time(oncall, store, robot, now, now=now)
        now += 5 * MINUTE
    assert [text[:4] for text in robot.texts] == ["【橙色预", "【红色预"]
    alarm(store, level="橙", state="回落", score=60)
    pass_time(oncall, store, robot, now + 2 * HOUR, step=10 * MINUTE, now=now)
    assert len(robot.texts) == 3 and "由红降级" in robot.texts[2]


def test_f55_a_silence_expires_and_nothing_is_lost_and_the_digest_shows_it(oncall, store, robot):
    world = World(store, 5)
    for clause in BURN:
        burn(world, FIRST, clause, hour=8)
    world.save()
    (found,) = build_incidents(oncall, store, FIRST, now=NOW).findings
    before = build_facts(oncall, store, FIRST, now=at(10))
    with store.begin() as connection:
        for bad in ({"reason": " "}, {"expires_at": NOW}, {"topic": "商品安全"}):
            with pytest.raises(ValueError, match="静音"):
                alarms.silence(connection, **{
                    "reason": "已在处理", "who": "何雨", "level": "橙", "now": NOW, "expires_at": NOW + HOUR, "incident": found.id, **bad})
        alarms.silence(connection, reason="已在处理", who="何雨", level="红", now=NOW, expires_at=NOW + 2 * HOUR, topic="商品安全")
    assert build_facts(oncall, store, FIRST, now=at(10)) == before and len(before.risks) == 1
    pass_time(oncall, store, robot, NOW + 2 * HOUR - MINUTE)
    assert robot.texts == []
    pass_time(oncall, store, robot, NOW + 2 * HOUR + 5 * MINUTE, now=NOW + 2 * HOUR)
    assert len(robot.texts) == 1 and robot.texts[0].startswith("【红色预警")


def test_f55_what_gets_worse_than_the_silence_covers_is_told(oncall, store, robot):
    alarm(store)
    with store.begin() as connection:
        alarms.silence(connection, reason="已在处理", who="何雨", level="橙", now=NOW, expires_at=NOW + 9 * HOUR, incident="inc-burn")
    assert not notify(oncall, store, now=NOW)
    alarm(store, level="红", state="升级")
    assert [one.level for one in notify(oncall, store, now=NOW + MINUTE)] == ["红"]


@pytest.mark.parametrize(("level", "hour", "told"), [("蓝", 23, False), ("黄", 3, False), ("黄", 8, True), ("橙", 23, True), ("红", 3, True)])
def test_at_night_only_yellow_and_blue_wait_for_the_morning(oncall, store, level, hour, told):
    alarm(store, level=level)
    assert bool(notify(oncall, store, now=at(hour))) is told
    assert told or notify(oncall, store, now=at(8) if hour < 8 else at(8, day=FIRST + dt.timedelta(days=1)))


def test_f49_a_red_line_goes_to_the_second_channel_at_once(base, store, robot, inbox):
    settings = configured(
        base, inbox, variables={ENV: "http://127.0.0.1:1/cgi-bin/webhook/send?key=abcdefgh12345678"}, channels=[ONCALL],
        alerts={"to": ["oncall"], "second": ["duty@example.com", "oncall"]},
    )
    alarm(store)
    notify(settings, store, now=NOW)
    report = deliver(settings, store, now=NOW)
    assert [(one.channel, one.state) for one in report.tried] == [("oncall", "retry"), ("smtp", "sent")]
    (mail,) = inbox.mails
    assert mail["To"] == "duty@example.com" and mail["Subject"].startswith("【橙色预警Ⅱ·新增】") and "vocwatch alerts ack" in text_of(mail)
    deliver(settings, store, now=NOW + HOUR)
    assert len(inbox.mails) == 1


def test_later_rounds_answer_the_first_mail_and_replace_what_still_waits(base, store, inbox):
    up = configured(base, inbox, alerts={"to": ["duty@example.com"]})
    alarm(store)
    notify(up, store, now=NOW)
    deliver(up, store, now=NOW)
    down = configured(base, alerts={"to": ["duty@example.com"]})
    for hours in (4, 8, 12):
        notify(down, store, now=NOW + hours * HOUR)
        deliver(down, store, now=NOW + hours * HOUR)
    deliver(up, store, now=NOW + 13 * HOUR)
    first, last = inbox.mails
    assert last["In-Reply-To"] == first["Message-ID"] != last["Message-ID"]
    assert sorted(row["state"] for row in rows(store, kind="alert")) == ["dead", "dead", "sent", "sent"]
    assert {row["fault"] for row in rows(store, states=("dead",))} == {"replaced"}


def test_f34_a_title_is_no_markup_no_mention_and_no_link(oncall, store, robot):
    alarm(store, title="<!channel> @所有人 [x](https://evil.example/) \r\n**假的第二行**")
    notify(oncall, store, now=NOW)
    deliver(oncall, store, now=NOW)
    first = robot.texts[0].split("\n")[0]
    assert not set("<>@[]*") & set(first) and "://" not in first and "假的第二行" in first


def test_what_fell_or_is_of_the_day_before_yesterday_is_not_repeated(oncall, store, robot):
    alarm(store)
    notify(oncall, store, now=NOW)
    alarm(store, state="回落")
    assert [one.say for one in notify(oncall, store, now=NOW + 5 * HOUR)] == []
    assert not notify(oncall, store, now=NOW + 72 * HOUR)


def test_f05_a_red_line_of_before_an_outage_is_told_when_it_is_read_and_history_is_not(oncall, store, robot):
    three_days, week = dt.timedelta(days=3), dt.timedelta(days=7)
    alarm(store, "inc-late", day=FIRST - three_days)  # raised now, of a date before the service stood still
    alarm(store, "inc-old", day=FIRST - three_days, at=NOW - three_days, product="PC-K3")  # raised and told then
    assert not notify(oncall, store, now=NOW)  # nothing ever ran here: all of it is history
    with store.begin() as connection:
        runs.start(connection, "crawl", "forum", NOW - week)
        alarms.keep(connection, "inc-old", Told("橙", "新增", 1, NOW - three_days, NOW - three_days))
    assert [(one.incident, one.say) for one in notify(oncall, store, now=NOW + MINUTE)] == [("inc-late", "new")]
    assert [one.say for one in notify(oncall, store, now=NOW + 5 * HOUR)] == ["again"]  # until somebody has seen it
    assert not notify(oncall, store, now=NOW + 3 * three_days)
    alarm(store, "inc-history", day=FIRST - 2 * week, product="PC-S4")
    assert not notify(oncall, store, now=NOW + 6 * HOUR)


def test_nobody_to_tell_loses_nothing(base, store, oncall):
    alarm(store)
    assert not notify(dataclasses.replace(base, app=configured(base).app), store, now=NOW)
    assert notify(oncall, store, now=NOW + HOUR)


def test_a_channel_without_its_address_says_which_variable(base, store, inbox):
    settings = configured(base, inbox, channels=[ONCALL], alerts={"to": ["oncall"], "second": ["duty@example.com"], "admins": ["chief@example.com"]})
    alarm(store)
    notify(settings, store, now=NOW)
    deliver(settings, store, now=NOW)
    by = {mail["To"]: mail for mail in inbox.mails}
    assert set(by) == {"duty@example.com", "chief@example.com"} and ENV in text_of(by["chief@example.com"])
