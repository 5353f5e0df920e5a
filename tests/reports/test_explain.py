"""`explain`: every number of a score is the count of the rows it names."""

from __future__ import annotations

import datetime as dt
import json
import math

import pytest
import sqlalchemy as sa

from reports import score
from reports.explain import UnknownIncident, as_dict, explain
from tests.reports import factory
from tests.reports.factory import PLANTED, day
from tests.reports.test_incidents import listed
from vocwatch.clock import day_window
from vocwatch.store import schema as s

DAYS = [day(26), day(28), day(30), PLANTED["rumour"], PLANTED["leak_again"], PLANTED["burn"]]


def told_of(cups, story, date, which=0):
    return as_dict(explain(cups, story, listed(story, date)[which]["id"], date))


def parts_of(told):
    return {part["part"]: part for part in told["parts"]}


def speakers(told, part):
    """Independent voices among the rows a part names: authors of originals by source, customers inside."""
    texts = {(t["kind"], t["id"]): t for t in told["texts"]}
    outside = [texts["mention", ref] for ref in part["mentions"]]
    inside = [texts["session", ref] for ref in part["sessions"]]
    assert len(outside) == len(part["mentions"]) and len(inside) == len(part["sessions"])
    return {(t["source"], t["author"]) for t in outside if not t["copy_of"]}, {t["author"] for t in inside}


@pytest.mark.parametrize("date", DAYS)
def test_every_number_of_a_score_is_a_count_of_its_rows(cups, story, date):
    for which in range(len(listed(story, date))):
        told = told_of(cups, story, date, which)
        parts = parts_of(told)
        assert told["now"]["same"] and set(parts) == set(score.Parts.__dataclass_fields__)
        assert all(part["stored"] == part["value"] for part in parts.values())
        assert sum(part["points"] for part in parts.values()) == pytest.approx(told["score"], abs=0.06)
        if told["topic"] != "宣传/假货":  # accounts that work together are one voice, told apart below
            outside, inside = speakers(told, parts["intensity"])
            assert parts["intensity"]["inputs"]["voices"] == len(outside) + len(inside) > 0
            outside, inside = speakers(told, parts["corroboration"])
            assert parts["corroboration"]["inputs"]["customers"] == len(inside)
            assert parts["corroboration"]["inputs"]["public_voices"] == len(outside)
        assert parts["evolution"]["inputs"]["before"] == sum(b["voices"] for b in told["baseline"])
        severity = {t["severity"] for t in told["texts"] if t["id"] in parts["sensitivity"]["mentions"] and t["kind"] == "mention"}
        assert parts["sensitivity"]["inputs"]["texts"] == len(parts["sensitivity"]["mentions"]) + len(parts["sensitivity"]["sessions"])
        if "severity" in parts["sensitivity"]["inputs"]:
            assert severity <= {parts["sensitivity"]["inputs"]["severity"]}


def test_the_attitude_counts_the_mentions_it_names(cups, story):
    told = told_of(cups, story, day(30))
    part = parts_of(told)["attitude"]
    start, end = day_window(day(30), factory.ZONE)
    with story.read() as connection:
        rows = connection.execute(
            sa.select(s.mentions.c.id, s.assessments.c.sentiment)
            .join(s.assessments, sa.and_(s.assessments.c.text_kind == "mention", s.assessments.c.ref_id == s.mentions.c.id))
            .where(s.mentions.c.sku == told["product"], s.mentions.c.published_at >= start, s.mentions.c.published_at < end)
        ).all()
    assert sorted(part["mentions"]) == sorted(row.id for row in rows)
    assert sorted(part["negative_mentions"]) == sorted(row.id for row in rows if row.sentiment == "negative")
    assert part["inputs"] == {"negative": len(part["negative_mentions"]), "mentions": len(rows), "sessions": len(part["sessions"])}


def test_an_army_is_one_voice_with_all_its_rows(cups, story):
    told = told_of(cups, story, PLANTED["rumour"])
    part = parts_of(told)["intensity"]
    assert part["inputs"]["voices"] == 1
    assert len(told["members"]["mentions"]) == 31
    assert sum(t["copy_of"] is not None for t in told["texts"]) == 30


def test_rows_carry_address_and_evidence_and_say_nothing_of_deleted_texts(cups, story):
    told = told_of(cups, story, PLANTED["burn"])
    assert all(t["url"].startswith("https://") and len(t["evidence"]) == 64 for t in told["texts"])
    assert "一类红线" in told["now"]["rule"]
    with story.begin() as connection:
        connection.execute(s.mentions.update().values(gone_at=dt.datetime(2026, 11, 16, tzinfo=dt.UTC)))
    assert all(t["excerpt"] is None for t in told_of(cups, story, PLANTED["burn"])["texts"])


def test_what_changed_since_is_told_beside_what_was_written(cups, story):
    row = listed(story, day(30))[0]
    with story.begin() as connection:
        connection.execute(s.incident_days.update().where(s.incident_days.c.day == day(30)).values(score=99.9))
    told = as_dict(explain(cups, story, row["id"], day(30)))
    assert told["score"] == 99.9 and told["now"]["score"] == row["score"] and not told["now"]["same"]


def test_explaining_changes_nothing(cups, story):
    from tests.reports.test_incidents import dump

    before = dump(story)
    for date in DAYS:
        told_of(cups, story, date)
    assert dump(story) == before


def test_the_last_day_is_taken_and_unknown_ids_are_refused(cups, story):
    row = listed(story, day(28))[0]
    assert explain(cups, story, row["id"]).date == max(
        d for d in (day(n) for n in range(28, 41)) if row["id"] in {r["id"] for r in listed(story, d)}
    )
    with pytest.raises(UnknownIncident) as caught:
        explain(cups, story, "INC-00000000-000000")
    assert caught.value.days == ()
    with pytest.raises(UnknownIncident) as caught:
        explain(cups, story, row["id"], day(20))
    assert day(28) in caught.value.days


def test_an_explanation_is_json_without_holes(cups, story):
    text = json.dumps(told_of(cups, story, day(30)), ensure_ascii=False, allow_nan=False)
    assert "漏水" in text and math.isfinite(len(text))
