"""`digest --send`, `outbox` and `alerts` as a user types them, over a real mail server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.delivery.kit import HOUR, Inbox, mail_server
from tests.delivery.plant import alarm
from tests.reports.brand import TOPICS
from vocwatch.cli.app import run
from vocwatch.cli.context import Context
from vocwatch.cli.doctor import _channels, _outbox
from vocwatch.exits import Exit
from vocwatch.settings import read_environment
from vocwatch.store import open_store, outbox
from vocwatch.store.outbox import Message, Outcome

NOW = ["--now", "2026-11-16T09:00:00"]


@pytest.fixture(autouse=True)
def small(at_home: Path) -> None:
    """A small taxonomy and no session formats: each command reads the whole configuration."""
    (at_home / "config" / "topics.yaml").write_text(json.dumps(TOPICS, ensure_ascii=False), encoding="utf-8")
    for path in (at_home / "config" / "sessions").glob("*.yaml"):
        path.unlink()


@pytest.fixture
def mailing(at_home: Path, monkeypatch: pytest.MonkeyPatch):
    """A home whose digest goes to two people, whose alerts go to one, and a mail server."""
    path = at_home / "config" / "vocwatch.yaml"
    text = path.read_text(encoding="utf-8").replace(
        "  recipients: []", "  recipients: [{email: a@example.com}, {email: b@example.com}]")
    lines = [line for line in text.splitlines() if not line.startswith(("alerts:", "channels:"))]
    path.write_text("\n".join([*lines, "alerts: {to: [duty@example.com], admins: [chief@example.com]}", ""]), encoding="utf-8")
    with mail_server(Inbox()) as inbox:
        for name, value in {"HOST": "127.0.0.1", "PORT": str(inbox.port), "FROM": "vocwatch@mail.example.com", "SECURITY": "none"}.items():
            monkeypatch.setenv(f"VOCWATCH_SMTP_{name}", value)
        yield inbox


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_digest_is_sent_retried_listed_and_stopped(mailing: Inbox, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    mailing.at_rcpt = {"b@example.com": ["451 greylisted"]}
    send = [*NOW, "digest", "--date", "2026-11-15", "--send"]
    assert run(send) == Exit.DELIVERY
    text = shown(capsys)
    assert "已发 1 人" in text and "失败 1 人" in text and "b@example.com: 451" in text and "vocwatch outbox retry" in text
    assert run([*NOW, "outbox", "list", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["recipient"], row["state"], row["fault"], row["attempts"]) == ("b@example.com", "retry", "busy", 1)
    assert run([*NOW, "outbox", "send"]) == 0 and "发出 0" in shown(capsys)  # not due yet
    assert run([*NOW, "outbox", "retry", str(row["id"])]) == 0 and "发出 1" in shown(capsys)
    assert run(send) == 0 and "已发 0 人，先前已发过或不再发 2 人" in shown(capsys)
    assert sorted(mailing.to) == ["a@example.com", "b@example.com"]
    assert run([*send, "--to", "a@example.com", "--correct", "少算了一家店"]) == 0
    assert mailing.mails[-1]["Subject"].startswith("（更正）") and len(mailing.mails) == 3
    capsys.readouterr()
    assert run([*NOW, "outbox", "retry", str(row["id"]), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == 0
    assert run([*NOW, "--lang", "en", "outbox", "list", "--all"]) == 0 and shown(capsys).count("\tsent\t") == 3
    assert run([*NOW, "outbox", "list", "--state", "nowhere"]) == Exit.USAGE
    assert run([*NOW, "outbox", "resume", "a@example.com", "digest/qa"]) == Exit.USAGE and "没有退订" in shown(capsys)


def test_alarms_are_listed_acknowledged_and_silenced(mailing: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(read_environment().database_url)
    alarm(store)
    alarm(store, "inc-other", "黄", product="PC-K3", topic="产品质量/漏水", title="大水壶漏水")
    store.close()
    assert run([*NOW, "alerts", "ack", "inc-burn"]) == Exit.USAGE and "没有报过" in shown(capsys)
    assert run([*NOW, "alerts", "--json"]) == 0
    assert {row["incident_id"]: row["due"] for row in json.loads(capsys.readouterr().out)} == {"inc-burn": "new", "inc-other": "new"}
    silence = [*NOW, "alerts", "silence", "--topic", "产品质量", "--reason", "换了供应商，两小时内复核", "--until"]
    for bad in ("soon", "40d", "2026-11-15T09:00"):
        assert run([*silence, bad]) == Exit.USAGE
    assert run([*silence, "2h", "--json"]) == 0
    capsys.readouterr()
    assert run([*NOW, "alerts", "silences", "--json"]) == 0
    (held,) = json.loads(capsys.readouterr().out)
    assert (held["topic"], held["level"], held["reason"]) == ("产品质量", "橙", "换了供应商，两小时内复核")
    assert run([*NOW, "alerts", "list"]) == 0
    assert "静音中" in shown(capsys)
    assert run([*NOW, "alerts", "silences", "--end", str(held["id"])]) == 0
    assert run([*NOW, "alerts", "silences", "--end", str(held["id"])]) == Exit.USAGE
    assert run([*NOW, "alerts", "silence", "--incident", "inc-none", "--reason", "x", "--until", "1h"]) == Exit.USAGE


def test_the_doctor_says_who_gets_alerts_and_which_address_is_dead(
    mailing: Inbox, capsys: pytest.CaptureFixture[str], at_home: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    state = Context(read_environment())
    with state.store.begin() as connection:
        outbox.enqueue(connection, [Message("digest", "k", "smtp", "b@example.com", "<m@x>", "题", b"x", state.now, state.now + HOUR)], state.now)
        (parcel,) = outbox.claim(connection, state.now)
        outbox.settle(connection, parcel, Outcome("dead", "address", "550"), state.now)
    line = _channels(state)
    assert line.state == "note" and "duty@example.com" in line.seen and "alerts.second" in line.step
    line = _outbox(state)
    assert line.state == "note" and "b@example.com" in line.seen
    state.store.close()
    path = at_home / "config" / "vocwatch.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "channels: [{name: oncall, kind: wecom, url_env: VOCWATCH_CHANNEL_X}]\n", encoding="utf-8")
    line = _channels(Context(read_environment()))
    assert line.state == "fault" and "VOCWATCH_CHANNEL_X" in line.seen and line.code is Exit.DELIVERY
    monkeypatch.setenv("VOCWATCH_CHANNEL_X", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc")
    assert _channels(Context(read_environment())).state == "note"


def test_a_target_that_is_neither_channel_nor_address_is_refused(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = at_home / "config" / "vocwatch.yaml"
    text = path.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("alerts:")]
    path.write_text("\n".join([*lines, "alerts: {to: [oncal]}", ""]), encoding="utf-8")
    assert run(["watch", "list"]) == Exit.CONFIGURATION
    assert "alerts.to" in shown(capsys)
