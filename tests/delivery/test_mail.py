"""Digests over real SMTP on loopback: headers, once per recipient and date, and what a bad server does to that."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
from email import message_from_bytes
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from reports.delivery import DeliveryError, deliver, enqueue_digest, unsubscribe
from reports.delivery.faults import backoff, smtp_fault
from reports.delivery.smtp import PER_CONNECTION
from reports.facts import build_facts
from reports.links import link_secret, read
from reports.shape import Facts
from tests.delivery.big import with_risks
from tests.delivery.kit import DAY, HOUR, MINUTE, NOW, Inbox, configured, mail_server, rows, states, text_of
from tests.faults.certificates import Authority
from vocwatch.settings import Settings
from vocwatch.store import Store, outbox
from vocwatch.store import forget as deletion
from vocwatch.store.delivery_schema import outbox as outbox_table
from vocwatch.store.forget import pieces_of
from vocwatch.store.retention import purge


def send(settings: Settings, store: Store, facts: Facts, now: dt.datetime = NOW, **more):
    enqueue_digest(settings, store, facts, now=now, **more)
    return deliver(settings, store, now=now)


def sent(report) -> list[str]:
    return [one.recipient for one in report.of("sent")]


def test_one_mail_with_text_and_html(mailing, store, facts, inbox):
    assert sent(send(mailing, store, facts)) == ["qa@example.com"]
    (mail,) = inbox.mails
    assert mail["Subject"].startswith("【未知】松果匣舆情日报 11-15|") and mail["X-Risk-Level"] == "0"
    assert mail["Auto-Submitted"] == "auto-generated" and mail["To"] == "qa@example.com"
    assert mail["List-Id"] == "<qa.songguoxia.digest.mail.example.com>"
    assert "vocwatch@mail.example.com" in mail["From"] and mail["Date"].endswith("+0800")
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    text, page = (part.get_content() for part in mail.iter_parts())
    assert "■ 今日需处理" in text and "<h2" in page
    assert states(store) == {"qa@example.com": "sent"}
    with store.read() as connection:
        assert not connection.execute(sa.select(outbox_table.c.body)).scalar_one()  # nobody's words stay behind


def test_each_reader_gets_their_own_view(base, store, inbox):
    people = [
        {"email": "he@example.com", "audience": "owner", "owner": "何雨"},
        {"email": "law@example.com", "audience": "owner", "owner": "马川", "lang": "en", "privacy": True},
    ]
    settings = configured(base, inbox, console="https://voc.example.com", digest={"recipients": people, "attach_xlsx": True})
    facts = build_facts(settings, store, DAY, now=NOW, audience="owner")
    send(settings, store, facts)
    mails = {mail["To"]: mail for mail in inbox.mails}
    assert set(mails) == {"he@example.com", "law@example.com"}
    bodies = {to: mail.get_body(("plain",)).get_content() for to, mail in mails.items()}
    assert "只含何雨负责的事件" in bodies["he@example.com"] and "增强隐私" not in bodies["he@example.com"]
    assert "Incidents of 马川 only" in bodies["law@example.com"] and "Enhanced privacy" in bodies["law@example.com"]
    assert mails["law@example.com"]["Subject"].startswith("[Unknown]") and mails["he@example.com"]["Subject"].startswith("【未知】")
    for mail in mails.values():
        [sheet] = list(mail.iter_attachments())
        assert sheet.get_filename() == f"digest-{DAY}.xlsx" and sheet.get_content()[:2] == b"PK"
        assert max(map(len, mail.as_bytes().splitlines())) <= 998


def test_a_second_call_sends_nothing(mailing, store, facts, inbox):
    send(mailing, store, facts)
    again = enqueue_digest(mailing, store, facts, now=NOW + HOUR)
    assert again.new == [] and again.known == ["qa@example.com"]
    assert not deliver(mailing, store, now=NOW + HOUR).tried and len(inbox.mails) == 1


def test_the_message_id_depends_on_date_audience_and_recipient_only(mailing, store, facts, inbox):
    send(mailing, store, facts, only=["a@example.com", "b@example.com"])
    with store.begin() as connection:
        connection.execute(outbox_table.delete())
    send(mailing, store, facts, NOW + HOUR, only=["a@example.com"])
    first, other, again = (mail["Message-ID"] for mail in inbox.mails)
    assert first == again != other and first.endswith("@mail.example.com>")


def test_f49_a_server_that_is_down_for_six_hours_delays_one_digest(base, store, facts, inbox):
    down = configured(base, recipients=["qa@example.com", "b@example.com"])
    enqueue_digest(down, store, facts, now=NOW)
    now, waits = NOW, []
    while now < NOW + 6 * HOUR:
        report = deliver(down, store, now=now)
        assert not report.of("sent")
        due = min(row["next_try_at"] for row in rows(store))
        waits.append(due - now)
        now = due + dt.timedelta(seconds=1)
    assert max(waits) <= dt.timedelta(minutes=15, seconds=1) and len(waits) >= 24
    up = configured(base, inbox, recipients=["qa@example.com", "b@example.com"])
    while now < NOW + 7 * HOUR:
        deliver(up, store, now=now)
        now += 10 * MINUTE
    assert sorted(inbox.to) == ["b@example.com", "qa@example.com"]
    for mail in inbox.mails:
        assert parsedate_to_datetime(mail["Date"]) == NOW  # as it was written
        assert mail["Subject"].startswith("（晚到）【未知】")
        assert "邮件服务器连不上" in text_of(mail) and "晚了 6 小时" in text_of(mail)
        assert "晚了 6 小时" in mail.get_body(("html",)).get_content()


def test_f50_a_reply_lost_after_the_final_dot_gives_one_marked_copy(mailing, store, facts, inbox):
    inbox.at_data = ["drop"]
    report = send(mailing, store, facts)
    assert [one.fault for one in report.of("retry")] == ["unknown"] and len(inbox.mails) == 1
    assert deliver(mailing, store, now=NOW + HOUR).of("sent")
    first, copy = inbox.mails
    assert first["Message-ID"] == copy["Message-ID"] and first["Date"] == copy["Date"]
    assert "可能重复" not in first["Subject"] and copy["Subject"].startswith("（可能重复）")
    assert "可能与先前收到的重复" in text_of(copy)
    (row,) = rows(store)
    assert row["state"] == "sent" and row["possibly_twice"]
    deliver(mailing, store, now=NOW + 3 * HOUR)
    assert len(inbox.mails) == 2


def test_f50_there_are_never_more_than_two_copies(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["qa@example.com"], alerts={"admins": ["chief@example.com"]})
    inbox.at_data = ["drop", "drop"]
    send(settings, store, facts)
    deliver(settings, store, now=NOW + HOUR)
    deliver(settings, store, now=NOW + 5 * HOUR)
    assert inbox.to.count("qa@example.com") == 2 and states(store, "digest") == {"qa@example.com": "dead"}
    assert "不知道送没送到：qa@example.com" in {mail["Subject"] for mail in inbox.mails}


def test_f51_each_recipient_is_tried_alone_and_nobody_twice(base, store, facts, inbox):
    people = [f"p{number}@example.com" for number in range(5)]
    settings = configured(base, inbox, recipients=people, alerts={"admins": ["chief@example.com"]})
    inbox.at_rcpt = {people[0]: ["550 5.1.1 no such user"] * 9, people[1]: ["550 user unknown"] * 9,
                     people[2]: ["451 4.7.1 greylisted"]}
    report = send(settings, store, facts)
    assert sorted(sent(report)) == ["chief@example.com", "chief@example.com", people[3], people[4]]
    assert states(store, "digest") == dict(zip(people, ["dead", "dead", "retry", "sent", "sent"], strict=True))
    for hours in range(1, 9):
        deliver(settings, store, now=NOW + hours * HOUR)
    assert states(store, "digest")[people[2]] == "sent"
    assert [inbox.tried[person] for person in people] == [1, 1, 2, 1, 1]  # who refused for good is left alone
    told = [mail for mail in inbox.mails if mail["To"] == "chief@example.com"]
    assert sorted(mail["Subject"] for mail in told) == [f"收不到信的地址：{person}" for person in people[:2]]
    assert "vocwatch outbox retry" in text_of(told[0])


def test_an_expired_certificate_is_refused_and_nothing_goes_in_the_clear(base, store, facts, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    found = Inbox()
    with mail_server(found, tls_context=authority.server("127.0.0.1", since=-5, until=-1)):
        settings = configured(base, found, recipients=["qa@example.com"], smtp={"security": "starttls"})
        (failed,) = send(settings, store, facts).of("retry")
        assert failed.fault == "tls" and "certificate has expired" in failed.error and found.mails == []
    with mail_server(found, tls_context=authority.server("127.0.0.1")):
        settings = configured(base, found, recipients=["qa@example.com"], smtp={"security": "starttls"})
        assert sent(deliver(settings, store, now=NOW + HOUR)) == ["qa@example.com"]


def test_a_server_without_starttls_gets_nothing_in_the_clear(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["qa@example.com"], smtp={"security": "starttls"})
    (failed,) = send(settings, store, facts).of("retry")
    assert failed.fault == "tls" and "STARTTLS" in failed.error and inbox.mails == []


def test_a_dead_server_is_asked_once_in_a_call_whoever_waits(base, store, facts):
    settings = configured(base, recipients=[f"p{number}@example.com" for number in range(9)])
    report = send(settings, store, facts)
    assert len(report.of("retry")) == 9 and {one.error for one in report.tried} == {report.tried[0].error}
    assert "连不上邮件服务器 127.0.0.1:1" in report.tried[0].error
    assert len({row["next_try_at"] for row in rows(store)}) == 9  # they don't all come back at once


def test_sending_too_fast_is_no_dead_address(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["a@example.com", "b@example.com"])
    inbox.at_rcpt = {"a@example.com": ["550 Domain frequency limited"]}
    report = send(settings, store, facts)
    assert {one.fault for one in report.tried} == {"limited"} and not inbox.tried["b@example.com"]
    assert not deliver(settings, store, now=NOW + 14 * MINUTE).tried
    assert len(deliver(settings, store, now=NOW + 20 * MINUTE).of("sent")) == 2


@pytest.mark.parametrize(("code", "words", "stage", "fault"), [
    (550, "5.1.1 user unknown", "recipient", "address"), (551, "not local", "recipient", "address"),
    (552, "5.2.2 mailbox full", "recipient", "busy"), (452, "4.2.2 over quota", "recipient", "busy"),
    (451, "greylisted, try again", "recipient", "busy"), (421, "closing", "content", "busy"),
    (550, "Ip frequency limited", "recipient", "limited"), (451, "MI:SFQ", "sender", "limited"),
    (550, "5.7.1 blocked by policy", "recipient", "refused"), (554, "DT:SPM", "content", "refused"),
    (553, "sender not allowed", "sender", "config"), (535, "bad password", "sender", "login"),
])
def test_answers_have_their_class(code, words, stage, fault):
    assert smtp_fault(code, f"{code} {words}", stage) == fault


def test_waits_double_are_spread_and_end_at_fifteen_minutes():
    waits = [[backoff(f"<{number}@x>", tries).total_seconds() for number in range(200)] for tries in range(1, 12)]
    for tries, found in enumerate(waits):
        top = min(900, 30 * 2**tries)
        assert top / 2 <= min(found) and max(found) <= top and len(set(found)) == 200


def test_a_broken_address_is_dead_and_harms_nobody_else(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["a@b\r\nBcc: spy@example.com", "甲@例子.cn", "qa@example.com"])
    report = send(settings, store, facts)
    assert sent(report) == ["qa@example.com"] and {one.fault for one in report.of("dead")} == {"address"}
    assert inbox.to == ["qa@example.com"]


def test_f34_text_that_tries_to_break_headers_and_markup(base, store, facts, inbox):
    evil = "x\r\nBcc: spy@example.com\r\n\r\n<script>alert(1)</script>{{7*7}}"
    settings = configured(base, inbox, recipients=["qa@example.com"])
    settings = dataclasses.replace(settings, app=settings.app.model_copy(update={
        "brand": settings.app.brand.model_copy(update={"name": evil})}))
    send(settings, store, dataclasses.replace(facts, brand=evil))
    (mail,) = inbox.mails
    assert inbox.to == ["qa@example.com"] and mail["Bcc"] is None
    assert mail.defects == [] and mail["Subject"].count("\n") == 0 and "49" not in mail["Subject"]
    assert "<script>" not in mail.get_body(("html",)).get_content()


def test_f57_four_hundred_risks_stay_below_the_clip(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["qa@example.com"])
    send(settings, store, with_risks(facts, 400, shown=settings.app.digest.max_risks))
    (mail,) = inbox.mails
    page, text = mail.get_body(("html",)).get_content(), text_of(mail)
    assert len(page.encode()) <= 80 * 1024
    assert text.count("risk-") >= 5 and "395" in page and "395" in text


def test_unsubscribing_takes_one_click_and_tells_the_administrator(base, store, facts, inbox):
    settings = configured(
        base, inbox, recipients=["qa@example.com"], console="https://voc.example.com", alerts={"admins": ["chief@example.com"]}
    )
    send(settings, store, facts)
    (mail,) = inbox.mails
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail["List-Unsubscribe"].strip("<>")
    assert address.startswith("https://voc.example.com/u/")
    token = address.rpartition("/")[2]
    assert read("unsubscribe", token, link_secret(settings.env), now=NOW) == {"to": "qa@example.com", "list": "digest/qa"}
    for _ in range(2):
        assert unsubscribe(settings, store, token, now=NOW) == ("qa@example.com", "digest/qa")
    deliver(settings, store, now=NOW + HOUR)
    later = dataclasses.replace(facts, date=facts.date + dt.timedelta(days=1))
    put = enqueue_digest(settings, store, later, now=NOW + 24 * HOUR)
    assert put.paused == ["qa@example.com"] and not put.new
    deliver(settings, store, now=NOW + 24 * HOUR)
    assert [mail["To"] for mail in inbox.mails] == ["qa@example.com", "chief@example.com"]
    assert "退订" in inbox.mails[1]["Subject"] and inbox.mails[1]["List-Unsubscribe"] is None


def test_without_https_there_is_no_one_click(base, store, facts, inbox):
    settings = configured(base, inbox, recipients=["qa@example.com"], console="http://voc.example.com", mail={"reply_to": "box@example.com"})
    send(settings, store, facts)
    assert inbox.mails[0]["List-Unsubscribe"].startswith("<http://") and inbox.mails[0]["List-Unsubscribe-Post"] is None
    assert inbox.mails[0]["Reply-To"] == "box@example.com"


def test_a_correction_answers_the_mail_that_was_sent(mailing, store, facts, inbox):
    send(mailing, store, facts)
    for _ in range(2):
        send(mailing, store, facts, NOW + HOUR, correction="品退率少算了一家店")
    first, second = inbox.mails
    assert second["In-Reply-To"] == first["Message-ID"] != second["Message-ID"]
    assert second["Subject"].startswith("（更正）") and "品退率少算了一家店" in text_of(second)


def test_what_was_not_sent_in_its_time_is_given_up_and_told(base, store, facts, inbox):
    down = configured(base, recipients=["qa@example.com"])
    send(down, store, facts)
    up = configured(base, inbox, recipients=["qa@example.com"], alerts={"admins": ["chief@example.com"]})
    deliver(up, store, now=NOW + 37 * HOUR)
    assert states(store, "digest") == {"qa@example.com": "dead"}
    (mail,) = inbox.mails
    assert mail["Subject"] == "过了期限没送到：qa@example.com"


def test_one_that_is_withdrawn_for_a_deletion_is_composed_anew(base, store, facts, inbox):
    send(configured(base, recipients=["qa@example.com"]), store, facts)
    with store.begin() as connection:
        [(number, text)] = outbox.unsent_texts(connection)
        assert "今日需处理" in text and outbox.withdraw(connection, [number], NOW) == 1
        assert not outbox.revive(connection, NOW)  # the old text never again
    up = configured(base, inbox, recipients=["qa@example.com"])
    assert not deliver(up, store, now=NOW + HOUR).tried
    assert sent(send(up, store, facts, NOW + HOUR)) == ["qa@example.com"]


def test_without_a_server_or_recipients_it_says_what_to_set(base, store, facts):
    for smtp, words in (({"host": ""}, "VOCWATCH_SMTP_HOST"), ({"sender": ""}, "VOCWATCH_SMTP_FROM"), ({"security": "ssl3"}, "starttls")):
        with pytest.raises(DeliveryError, match=words):
            enqueue_digest(configured(base, recipients=["qa@example.com"], smtp=smtp), store, facts, now=NOW)
    with pytest.raises(DeliveryError, match=r"digest\.recipients"):
        enqueue_digest(configured(base, recipients=[]), store, facts, now=NOW)
    assert rows(store) == []


def test_the_limit_of_a_mail_house_is_kept_and_the_rest_goes_the_next_day(base, store, facts, inbox):
    people = [f"p{number}@example.com" for number in range(7)]
    settings = configured(base, inbox, recipients=people, mail={"per_day": 5})
    report = send(settings, store, facts)
    assert len(report.of("sent")) == 5 and report.held == 2
    assert not deliver(settings, store, now=NOW + HOUR).tried
    assert len(deliver(settings, store, now=NOW + 15 * HOUR).of("sent")) == 2  # after midnight


def test_many_recipients_take_more_than_one_connection(base, store, facts, inbox):
    people = [f"p{number}@example.com" for number in range(PER_CONNECTION + 5)]
    assert sorted(sent(send(configured(base, inbox, recipients=people), store, facts))) == sorted(people)
    assert inbox.sessions == 2 and inbox.goodbyes == 2


def test_the_mail_path_keeps_no_folder(mailing, store, facts, tmp_path: Path):
    before = set(tmp_path.rglob("*"))
    send(mailing, store, facts)
    assert {path for path in set(tmp_path.rglob("*")) - before if "copy.sqlite3" not in path.name} <= {
        tmp_path / "var", tmp_path / "var" / "secret.key"}


def test_a_mail_that_waits_loses_the_words_that_must_be_deleted(base, store, facts):
    said = "我买的暖杯第三天杯盖就裂开了，漏了一包的热水，客服让我自己想办法"
    settings = configured(base, recipients=["qa@example.com"], alerts={"to": ["duty@example.com"]})
    quoted = with_risks(facts, 1, shown=1)
    (risk,) = quoted.risks
    quote = dataclasses.replace(risk.quotes[0], text=said[:24] + "…")
    send(settings, store, dataclasses.replace(quoted, risks=(dataclasses.replace(risk, quotes=(quote,)),)), only=["a@example.com"])
    send(settings, store, dataclasses.replace(facts, audience="executive"), only=["b@example.com"])
    with store.begin() as connection:
        found = deletion._letters(connection, pieces_of(said))
        assert outbox.withdraw(connection, found, NOW) == 1
    assert {row["recipient"]: row["state"] for row in rows(store)} == {"a@example.com": "dead", "b@example.com": "retry"}


def test_what_was_given_up_long_ago_keeps_no_text(base, store, facts, inbox):
    inbox.at_rcpt = {"a@example.com": ["550 5.1.1 unknown"]}
    send(configured(base, inbox), store, facts, only=["a@example.com", "b@example.com"])
    for days, left in ((179, 1), (181, 0)):
        purge(base, store, NOW + days * 24 * HOUR)
        with store.read() as connection:
            assert len(list(outbox.unsent_texts(connection))) == left
    purge(base, store, NOW + 1100 * 24 * HOUR)
    assert rows(store) == []


def test_a_mail_can_be_signed_and_the_signature_covers_the_unsubscription(base, store, facts, inbox):
    import dkim
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    smtp = {"dkim_key": pem.decode().replace("\n", "\\n"), "dkim_selector": "s1"}
    settings = configured(base, inbox, recipients=["qa@example.com"], console="https://voc.example.com", smtp=smtp)
    inbox.at_data = ["drop"]
    send(settings, store, facts)
    deliver(settings, store, now=NOW + HOUR)  # the marked copy is signed as well
    assert len(inbox.raw) == 2
    for raw in inbox.raw:
        asked: list[bytes] = []
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5, asked=asked: asked.append(name) or record)
        assert asked == [b"s1._domainkey.mail.example.com."]
        signature = email_of(raw)["DKIM-Signature"]
        assert "list-unsubscribe :" in signature.replace("\r\n", "") and "list-unsubscribe-post" in signature
    broken = configured(base, inbox, recipients=["b@example.com"], smtp={"dkim_key": "canary-key"})
    (failed,) = [one for one in send(broken, store, facts).tried if one.recipient == "b@example.com"]
    assert failed.fault == "config" and "VOCWATCH_DKIM_KEY" in failed.error and "canary" not in failed.error


def email_of(raw: bytes):
    return message_from_bytes(raw, policy=default)
