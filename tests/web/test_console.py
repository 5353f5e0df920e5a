"""The console's alerts, unsubscribing, headers, languages, and what goes wrong."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from reports.alerting import judge, notify
from reports.delivery.compose import mail
from tests.delivery.kit import HOUR, NOW, configured, rows
from tests.delivery.plant import alarm
from tests.web.conftest import INCIDENT, Served, running
from vocwatch.store import Store, alarms, outbox, pauses

NASTY = "<script>alert(1)</script>{{7*7}}\"><img src=x>"


def told(served: Served) -> None:
    """An alert of the incident was sent."""
    settings = configured(served.settings, alerts={"to": ["duty@example.com"]})
    assert notify(settings, served.store, now=NOW)


def test_an_alert_is_acknowledged_by_the_form_and_not_by_opening_the_link(served: Served) -> None:
    told(served)
    shown = served.client.get(served.alert())
    assert shown.status_code == 200 and "暖手宝外壳发烫把手烫伤" in shown.text and "商品安全/烫伤" in shown.text
    with served.store.read() as connection:
        assert alarms.all_told(connection, [INCIDENT])[INCIDENT].acked_at is None
    nobody = served.client.post(served.alert(), data={"do": "ack", "who": " "})
    assert nobody.status_code == 400 and "请写你的名字" in nobody.text
    done = served.client.post(served.alert(), data={"do": "ack", "who": "周楠", "note": "已联系13800138000"})
    assert "已由 周楠 于 11-16 09:00 确认" in done.text
    again = served.client.post(served.alert(), data={"do": "ack", "who": "何雨"})
    assert "已由 周楠" in again.text and "已由 周楠" in served.client.get(served.alert()).text
    with served.store.read() as connection:
        one = alarms.all_told(connection, [INCIDENT])[INCIDENT]
    assert one.acked_by == "周楠" and one.note and "13800138000" not in one.note


def test_nothing_told_is_nothing_to_acknowledge_and_a_past_alert_is_past(served: Served) -> None:
    assert "还没有报过预警" in served.client.get(served.alert()).text
    assert "还没有报过预警" in served.client.post(served.alert(), data={"do": "ack", "who": "周楠"}).text
    other = f"/a/{served.token('alert', incident='inc-old')}"
    assert "这个预警已经过去" in served.client.get(other).text
    assert "这个预警已经过去" in served.client.post(other, data={"do": "ack", "who": "周楠"}).text


def test_a_silence_has_a_reason_an_end_and_a_name_and_is_made_once(served: Served) -> None:
    told(served)
    good = {"do": "silence", "who": "周楠", "reason": "已下架，等回执", "hours": "4"}
    for bad in ({"reason": " "}, {"hours": "9999"}, {"hours": ""}, {"who": ""}):
        assert served.client.post(served.alert(), data={**good, **bad}).status_code == 400
    for _ in range(2):
        assert "已静音到 11-16 13:00" in served.client.post(served.alert(), data=good).text
    with served.store.read() as connection:
        [one] = alarms.all_silences(connection)
        [judged] = judge(served.settings, connection, NOW)
    assert (one.incident_id, one.reason, one.who, one.level) == (INCIDENT, "已下架，等回执", "周楠", "橙")
    assert one.expires_at == NOW + 4 * HOUR and judged.silence == one
    assert "静音 1：周楠，已下架，等回执，到 11-16 13:00" in served.client.get(served.alert()).text


def test_one_click_unsubscribes_pauses_and_tells_the_administrator_once(served: Served) -> None:
    made = mail(
        served.settings, kind="digest", key="2026-11-15/qa", recipient="qa@example.com", which="digest/qa", subject="s",
        text="t", now=NOW, hours=24,
    )
    with served.store.begin() as connection:
        outbox.enqueue(connection, [made], NOW)
    token = served.token("unsubscribe", to="qa@example.com", list="digest/qa")
    asked = served.client.get(f"/u/{token}")
    assert "不再把日报（qa）发给 qa@example.com" in asked.text and "通知管理员" in asked.text
    with served.store.read() as connection:
        assert pauses.listed(connection) == []
    # As RFC 8058 has it: a form in either encoding, no cookie, no redirect.
    done = served.client.post(f"/u/{token}", files={"List-Unsubscribe": (None, "One-Click")}, follow_redirects=False)
    assert done.status_code == 200 and "已退订" in done.text and "set-cookie" not in done.headers
    again = served.client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
    assert "之前已经退订" in again.text and "之前已经退订" in served.client.get(f"/u/{token}").text
    with served.store.read() as connection:
        assert pauses.is_paused(connection, "qa@example.com", "digest/qa", NOW)
    [waiting] = rows(served.store, kind="digest")
    [notice] = rows(served.store, kind="notice")
    assert waiting["state"] == "paused" and notice["recipient"] == "admin@example.com" and "退订" in notice["subject"]


def test_a_forged_or_stale_unsubscription_stops_nothing(served: Served) -> None:
    stale = served.token("unsubscribe", to="qa@example.com", list="digest/qa", expires=NOW)
    wrong = served.token("feedback", to="qa@example.com", list="digest/qa")
    assert [served.client.post(f"/u/{token}").status_code for token in (stale, wrong, "x.y")] == [410, 403, 403]
    assert [served.client.get(f"/u/{token}").status_code for token in (stale, wrong, "x.y")] == [410, 403, 403]
    with served.store.read() as connection:
        assert pauses.listed(connection) == []


def test_every_answer_is_closed_to_scripts_frames_caches_and_referrers(served: Served) -> None:
    paths = ["/login", "/healthz", "/static/console.css", "/nothing/here", "/f/x.y", served.feedback(), served.alert()]
    for path in paths:
        answer = served.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy and "form-action 'self'" in policy
        assert answer.headers["referrer-policy"] == "no-referrer" and answer.headers["x-content-type-options"] == "nosniff"
        assert path == "/login" or "set-cookie" not in answer.headers
        assert "server" not in answer.headers
        if answer.headers["content-type"].startswith("text/html"):
            assert answer.headers["cache-control"] == "no-store"
            assert "<script" not in answer.text and "style=" not in answer.text and "http" not in answer.text.split("</head>")[0]
    assert served.client.get("/nothing/here").status_code == 404 and "没有这个页面" in served.client.get("/nothing/here").text
    assert served.client.delete("/").status_code == 405 and served.client.get("/docs").status_code == 404 and served.client.get("/").status_code == 303


def test_hostile_titles_and_names_are_text(served: Served) -> None:
    alarm(served.store, title=NASTY, incident="inc-nasty")
    paths = [f"/a/{served.token('alert', incident='inc-nasty')}", served.feedback(NASTY, "inc-nasty/2026-11-16")]
    for path in paths:
        page = served.client.get(path).text
        assert "&lt;script&gt;" in page and "<script" not in page and "<img" not in page and "{{7*7}}" in page
    page = served.client.post(paths[1], data={"verdict": "wrong", "note": NASTY}).text
    assert "<script" not in page + served.client.get(served.feedback(subject="inc-nasty/2026-11-16")).text


@pytest.mark.parametrize("ask", [{"params": {"lang": "en"}}, {"headers": {"accept-language": "en-GB,en;q=0.9"}}])
def test_pages_speak_english_to_those_who_ask(served: Served, ask: dict[str, dict[str, str]]) -> None:
    for path, words in (("/login", "Log in"), (served.feedback(), "Was this finding right?"), (served.alert(), "Red-line alert"),
                        ("/u/x.y", "This link is not valid"), ("/none", "No such page")):
        page = served.client.get(path, **ask).text
        assert words in page and '<html lang="en">' in page and ">中文<" in page


def test_a_broken_page_is_a_page_and_no_address_is_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    path, broken = served.feedback(), served.feedback(subject="inc-burn/no-day")
    assert served.client.get(path).status_code == 200
    answer = served.client.get(broken)
    assert answer.status_code == 500 and "系统出错了" in answer.text and "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    logged = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("http"))
    assert "Exception in ASGI" in logged and path not in logged and broken not in logged


def test_the_database_gone_is_said(served: Served, tmp_path: Path) -> None:
    missing = Store(f"sqlite:///{tmp_path / 'not-there' / 'x.sqlite3'}")
    (tmp_path / "not-there").rmdir()
    with running(served.settings, missing) as client:
        answer = client.get(served.feedback())
    assert answer.status_code == 503 and "数据库暂时用不了" in answer.text
