"""What the digest says of people: links or commands, overdue cases, the week's precision."""

from __future__ import annotations

import datetime as dt
import json
from email.message import EmailMessage

import pytest

from reports.delivery import deliver, enqueue_digest
from reports.digest import render_html, render_text, to_json
from reports.digest.render import MAX_BYTES
from reports.facts import build_facts
from reports.links import LinkError, link_secret, read
from reports.precision import precision_of_week
from tests.delivery.kit import Inbox, configured, mail_server, text_of
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.clock import day_window
from vocwatch.settings import Settings
from vocwatch.store import Store, cases, feedback, incidents, objections
from vocwatch.store.cases import By
from vocwatch.store.feedback import Feedback

DAY = PLANTED["burn"]
NASTY = "<b>x</b>\r\nBcc: x@evil.example"


def listed(store: Store) -> list[str]:
    with store.read() as connection:
        return [row["id"] for row in incidents.incident_list(connection, DAY) if not row["watched"]]


def say(store: Store, incident: str, verdict: str, who: str, at: dt.datetime) -> int:
    with store.begin() as connection:
        subject = feedback.find(connection, incident, None if incident.isdigit() else DAY)[0]
        feedback.save(connection, Feedback(subject, verdict, who, "mail", at))
        return int(feedback.rows(connection, subject=(subject.kind, subject.id))[0]["id"])


def noon(days: int = 0) -> dt.datetime:
    return morning(DAY + dt.timedelta(days=days - 1)) + dt.timedelta(hours=3)


def test_the_weeks_precision_has_counts_and_intervals_and_leaves_disputes_out(cups: Settings, story: Store) -> None:
    first = listed(story)[0]
    with story.read() as connection:
        second = str(next(m.ref_id for m in incidents.members(connection, [first]) if m.text_kind == "mention"))
    say(story, first, "准", "张", noon())
    contested = say(story, second, "误报", "张", noon())
    say(story, first, "已处置", "李", noon())
    say(story, first, "不准", "李", day_window(DAY, cups.app.zone)[1])  # the next date's
    with story.read() as connection:
        found = precision_of_week(cups, connection, DAY)
        assert (found.overall.part, found.overall.whole) == (1, 2) and found.overall.low and found.overall.high
        assert sum(one.whole or 0 for one in found.by_topic) >= 2 and found.by_source
        assert precision_of_week(cups, connection, DAY + dt.timedelta(days=7)).overall.whole == 1
    with story.begin() as connection:
        objections.raise_one(connection, contested, "李", "有照片", noon())
    facts = build_facts(cups, story, DAY, now=morning(DAY))
    data = json.loads(to_json(facts))["precision"]
    assert (data["overall"]["part"], data["overall"]["whole"], data["open_objections"]) == (1, 1, 1)
    assert {one["name"] for one in data["by_topic"]} and all(one["whole"] == 1 for one in data["by_topic"])
    assert unaccounted(Ledger(story, json.loads(to_json(facts)), cups.app.zone)) == []
    for shown in (render_text(facts), render_html(facts)):
        assert "合计 1/1（21–100%）" in shown and "待裁定异议 1 条" in shown
    assert "all 1/1（21–100%）" in render_text(facts, "en") and "1 objections to be settled" in render_html(facts, "en")


def test_a_week_without_a_word_says_so(cups: Settings, story: Store) -> None:
    facts = build_facts(cups, story, DAY, now=morning(DAY))
    for shown in (render_text(facts), render_html(facts)):
        assert "没有人反馈准不准" in shown
    assert json.loads(to_json(facts))["precision"]["overall"]["value"] is None


def test_an_overdue_case_is_an_action_and_a_followup_until_it_is_closed(cups: Settings, story: Store) -> None:
    by = By("何雨", "cli", noon())
    with story.begin() as connection:
        late, _ = cases.open_case(connection, "incident", "INC-1", NASTY, by)
        cases.set_due(connection, late.id, DAY, by)
        cases.assign(connection, late.id, "周楠", by)
        future, _ = cases.open_case(connection, "incident", "INC-2", "还没到期", by)
        cases.set_due(connection, future.id, DAY + dt.timedelta(days=1), by)
        undated, _ = cases.open_case(connection, "incident", "INC-3", "没有期限", by)
    facts = build_facts(cups, story, DAY, now=morning(DAY))
    assert [one.case for one in facts.overdue] == [late.id] and facts.overdue[0].days == 1
    [data] = json.loads(to_json(facts))["overdue"]
    assert (data["case"], data["owner"], data["due_on"], data["days"]) == (late.id, "周楠", DAY.isoformat(), 1)
    assert unaccounted(Ledger(story, json.loads(to_json(facts)), cups.app.zone)) == []
    page, text = render_html(facts), render_text(facts)
    line = "到期，逾期 1 天，周楠"
    assert line in text[text.index("■ 昨日事项跟踪"):] and line in page and "&lt;b&gt;x" in page and "<b>x" not in page
    assert "1 件跟进逾期" in text[: text.index("■ 四个指标")] and len(facts.actions) <= 5
    assert not any(each.startswith("Bcc:") for each in text.splitlines())
    assert "还没到期" not in text and "没有期限" not in text and undated.due_on is None
    brief = build_facts(cups, story, DAY, now=morning(DAY), audience="executive")
    assert "1 件跟进逾期" in render_text(brief)
    with story.begin() as connection:
        cases.close(connection, late.id, "澄清", by)
    after = build_facts(cups, story, DAY, now=morning(DAY))
    assert after.overdue == () and "逾期" not in render_text(after) + render_html(after)


@pytest.fixture
def mails(cups: Settings, story: Store) -> tuple[Settings, list[EmailMessage]]:
    """The digest as two readers got it, with a console."""
    with mail_server(Inbox()) as inbox:
        settings = configured(
            cups, inbox, recipients=["qa@example.com", "a.much.longer.name@example.com"], console="https://voc.example.com"
        )
        now = morning(DAY)
        facts = build_facts(settings, story, DAY, now=now)
        enqueue_digest(settings, story, facts, now=now)
        deliver(settings, story, now=now)
        return settings, inbox.mails


def tokens(text: str) -> set[str]:
    return {part.split('"')[0].split("?")[0].split()[0] for part in text.split("https://voc.example.com/f/")[1:]}


def test_each_reader_has_their_own_links_on_every_card(mails: tuple[Settings, list[EmailMessage]], story: Store) -> None:
    settings, sent = mails
    assert len(sent) == 2
    for mail in sent:
        to = str(mail["To"])
        page = str(mail.get_body(("html",)).get_content())  # type: ignore[union-attr]
        shown = listed(story)[: settings.app.digest.max_risks]
        for text in (page, text_of(mail)):
            data = [read("feedback", token, link_secret(settings.env), now=morning(DAY)) for token in tokens(text)]
            assert {entry["to"] for entry in data} == {to}
            assert {entry["s"] for entry in data} == {f"{incident}/{DAY.isoformat()}" for incident in shown}
        assert page.count("?v=right") == page.count("?v=done") == len(shown) and len(page.encode()) < MAX_BYTES
        [token, *_] = tokens(page)
        with pytest.raises(LinkError):
            read("feedback", token, link_secret(settings.env), now=morning(DAY) + dt.timedelta(days=31))


def test_without_a_console_the_command_is_told(cups: Settings, story: Store) -> None:
    facts = build_facts(cups, story, DAY, now=morning(DAY))
    incident = facts.risks[0].incident
    for shown in (render_text(facts), render_html(facts)):
        assert f"vocwatch feedback say {incident} 准|不准|误报|重复|已转派|已处置" in shown and "/f/" not in shown
    assert f"vocwatch feedback say {incident} right|wrong|false|repeat|handed|done" in render_text(facts, "en")
