"""F48: no password and no webhook key in the database, in reports, on the command line, in logs or in errors."""

from __future__ import annotations

import base64
import logging

import pytest

from reports.delivery import deliver, enqueue_digest
from tests.delivery.kit import HOUR, NOW, Inbox, configured, mail_server, rows, states
from tests.delivery.test_chat import ENV, put
from vocwatch.store import Store

PASSWORD = "canary-Passw0rd-7731"
KEY = "canary-key-99183acf"
COERCED = base64.b64encode(f"\0vocwatch\0{PASSWORD}".encode()).decode()
CANARIES = (PASSWORD, KEY, COERCED, base64.b64encode(PASSWORD.encode()).decode(), "canary-sign-5512")


def everything(store: Store, report: object, log: pytest.LogCaptureFixture, shown: str) -> str:
    with store.engine.connect() as connection:
        raw = "\n".join(str(connection.connection.execute(f"SELECT * FROM {name}").fetchall()) for name in ("outbox", "buckets", "alarms"))
    ours = "\n".join(record.getMessage() for record in log.records if record.name != "mail.log")  # that is the server's
    return raw + repr(report) + ours + shown


def test_f48_a_refused_login_tells_no_password(base, store, facts, caplog, capfd):
    caplog.set_level(logging.DEBUG)

    def refuse(server, session, envelope, mechanism, data):
        from aiosmtpd.smtp import AuthResult

        return AuthResult(success=False, handled=False, message=f"535 bad login {PASSWORD} {COERCED}")

    found = Inbox()
    with mail_server(found, authenticator=refuse, auth_require_tls=False):
        settings = configured(base, found, recipients=["qa@example.com"], smtp={"user": "vocwatch", "password": PASSWORD},
                              alerts={"admins": ["chief@example.com"]})
        enqueue_digest(settings, store, facts, now=NOW)
        report = deliver(settings, store, now=NOW)
    assert report.tried[0].fault == "login" and states(store, "digest") == {"qa@example.com": "retry"}
    shown = everything(store, report, caplog, "".join(capfd.readouterr())) + repr(settings.env.smtp)
    assert "535" in shown and not [canary for canary in CANARIES if canary in shown]
    assert {row["kind"] for row in rows(store)} == {"digest", "notice"}


@pytest.mark.parametrize("how", ["refused", "dropped", "unreachable", "wrong", "echoed"])
@pytest.mark.parametrize("kind", ["wecom", "dingtalk", "feishu", "apprise"])
def test_f48_a_webhook_that_fails_tells_no_key(base, store, robot, caplog, capfd, kind, how):
    caplog.set_level(logging.DEBUG)
    robot.answers = {"refused": [(403, {}, {})], "dropped": ["drop"],
                     "echoed": [(200, {"errcode": 1, "code": 1, "errmsg": f"bad key {KEY} canary-sign-5512"}, {})]}.get(how, [])
    url = {"unreachable": f"http://127.0.0.1:1/hook/{KEY}?key={KEY}", "wrong": f"http://[{KEY}"}.get(how, robot.url(KEY))
    if kind == "apprise":
        url = url.replace("http://", "json://") + ("&" if "?" in url else "?") + f"token={KEY}"
        if how == "echoed":
            robot.answers = [(500, {"say": KEY}, {})]
    robot_field = robot.answer
    robot.answer = lambda body: robot_field({"text": {"content": ""}} | body)
    settings = configured(base, variables={ENV: url, "VOCWATCH_CHANNEL_SIGN": "canary-sign-5512"}, channels=[
        {"name": "oncall", "kind": kind, "url_env": ENV, "secret_env": "VOCWATCH_CHANNEL_SIGN"}])
    put(settings, store, ["一"])
    report = deliver(settings, store, now=NOW)
    assert report.tried[0].state == "retry" and report.tried[0].error
    deliver(settings, store, now=NOW + HOUR)
    shown = everything(store, report, caplog, "".join(capfd.readouterr())) + str(report.tried[0].error)
    assert not [canary for canary in CANARIES if canary in shown]
