"""Feedback from the mail: the link asks, the form notes, and nothing forged or stale is taken."""

from __future__ import annotations

import pytest

from reports.links import sign
from tests.delivery.kit import HOUR, NOW
from tests.web.conftest import INCIDENT, SUBJECT, Served
from vocwatch.store import cases, feedback, objections


def said(served: Served) -> list[tuple[str, str, str, str | None]]:
    with served.store.read() as connection:
        return [(r["subject_id"], r["verdict"], r["who"], r["label"]) for r in feedback.rows(connection)]


def test_opening_a_link_notes_nothing_and_sending_the_form_does(served: Served) -> None:
    path = served.feedback()
    for _ in range(3):  # a mail scanner opens every link, more than once
        shown = served.client.get(path, params={"v": "right"})
    served.client.head(path)
    assert shown.status_code == 200 and "暖手宝外壳发烫把手烫伤" in shown.text and "qa@example.com" in shown.text
    assert 'value="right" required checked' in shown.text and "checked" in shown.text.split('value="right"')[1][:20]
    assert said(served) == []
    done = served.client.post(path, data={"verdict": "right"})
    assert done.status_code == 200 and "已记下：准" in done.text
    assert said(served) == [(SUBJECT, "准", "qa@example.com", None)]
    with served.store.read() as connection:
        [row] = feedback.rows(connection)
    assert row["channel"] == "mail" and row["at"] == NOW and row["judged"]["level"] == "橙"


def test_a_used_link_says_so_and_notes_nothing_twice(served: Served) -> None:
    path = served.feedback()
    served.client.post(path, data={"verdict": "false", "note": "电话13800138000是隔壁店"})
    again = served.client.post(path, data={"verdict": "false"})
    assert "你已经说过“误报”（11-16 09:00）" in again.text
    with served.store.read() as connection:
        [row] = feedback.rows(connection)
    assert row["note"] and "13800138000" not in row["note"]
    assert "这条链接用过了" in served.client.get(path).text
    served.client.post(path, data={"verdict": "wrong", "level": "黄"})
    assert {entry[1:] for entry in said(served)} == {("误报", "qa@example.com", None), ("不准", "qa@example.com", "黄")}


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_forged_cut_expired_or_of_another_purpose_is_refused(served: Served, method: str) -> None:
    good = served.feedback()
    elsewhere = sign("feedback", {"s": SUBJECT, "to": "x@example.com"}, b"another key", expires=NOW + HOUR)
    other = served.token("alert", s=SUBJECT, to="qa@example.com")
    stale = served.token("feedback", s=SUBJECT, to="qa@example.com", expires=NOW)
    bad = {good[:-1] + ("A" if good[-1] != "A" else "B"): 403, good[:40]: 403, f"/f/{elsewhere}": 403, f"/f/{other}": 403,
           "/f/%00": 403, "/f/" + "x" * 3000: 403, f"/f/{stale}": 410}
    for path, status in bad.items():
        answer = served.client.request(method, path, **({"data": {"verdict": "right"}} if method == "post" else {}))
        assert answer.status_code == status, path
        assert ("链接已过期" if status == 410 else "链接无效") in answer.text and "<html lang=\"zh-CN\">" in answer.text
    assert said(served) == []


def test_a_form_without_a_known_verdict_is_asked_for_again(served: Served) -> None:
    for data in ({}, {"verdict": "settled"}, {"verdict": "wrong", "level": "紫"}):
        answer = served.client.post(served.feedback(), data=data)
        assert answer.status_code == 400 and "请选一项" in answer.text
    assert said(served) == []
    assert served.client.post(served.feedback(), content=b"x" * 20_000).status_code == 413
    many = "&".join(f"a{n}=1" for n in range(50))
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert served.client.post(served.feedback(), content=many, headers=form).status_code == 400
    assert served.client.post(served.feedback(), content=b"verdict=\xff\xfe", headers=form).status_code == 400


def test_handing_on_makes_a_case(served: Served) -> None:
    done = served.client.post(served.feedback(), data={"verdict": "handed", "owner": "  客服 周\n楠"})
    with served.store.read() as connection:
        [case] = cases.listed(connection)
        steps = [(step["what"], step["value"], step["who"], step["channel"]) for step in cases.history(connection, case.id)]
    assert (case.subject_id, case.owner) == (INCIDENT, "客服 周 楠") and "已交给 客服 周 楠" in done.text
    assert steps == [("opened", None, "qa@example.com", "mail"), ("assigned", "客服 周 楠", "qa@example.com", "mail")]
    served.client.post(served.feedback(), data={"verdict": "handed", "owner": "客服 周 楠"})
    with served.store.read() as connection:
        assert len(cases.listed(connection)) == 1 and len(cases.history(connection, case.id)) == 2


def test_somebody_else_may_object_to_a_word_on_the_same_risk_only(served: Served) -> None:
    served.client.post(served.feedback(), data={"verdict": "false"})
    second = served.feedback("lead@example.com")
    assert "我不同意" in served.client.get(second).text and "我不同意" not in served.client.get(served.feedback()).text
    with served.store.read() as connection:
        [row] = feedback.rows(connection)
    assert served.client.post(second, data={"object": "999", "note": "真的"}).status_code == 403
    assert served.client.post(second, data={"object": str(row["id"])}).status_code == 400
    assert served.client.post(served.feedback(), data={"object": str(row["id"]), "note": "我"}).status_code == 400
    assert "异议已记下" in served.client.post(second, data={"object": str(row["id"]), "note": "有照片"}).text
    with served.store.read() as connection:
        assert objections.number_open(connection) == 1 and feedback.newest(connection) == {}
    assert "有异议，待裁定" in served.client.get(second).text


def test_what_is_gone_is_said_to_be_gone(served: Served) -> None:
    path = served.feedback(subject="inc-none/2026-11-16")
    assert served.client.get(path).status_code == served.client.post(path, data={"verdict": "right"}).status_code == 404
