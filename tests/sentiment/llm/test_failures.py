"""Nothing that the second reader does can harm; and how it fits into the rest of the house."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentiment.llm import refined_version, topic_names
from sentiment.run import analyse
from tests.faults.certificates import Authority
from tests.sentiment.llm.endpoint import Endpoint, Reply, Texts, said, serve, well
from tests.sentiment.llm.kit import NOW, Prepared, Stub, as_is, fill, refine
from vocwatch.cli.doctor import _llm
from vocwatch.settings import Settings
from vocwatch.settings.app import Llm
from vocwatch.settings.topics import Topics
from vocwatch.store import Store, mentions, runs
from vocwatch.store.mentions import MentionRow

FAILING: list[tuple[str, Reply]] = [
    ("http-429", Reply(status=429, headers={"Retry-After": "3600"})), ("http-500", Reply(status=500)), ("http-503", Reply(status=503)),
    ("http-400", Reply(status=400)), ("format", Reply(body=b"<html>busy</html>")), ("format", Reply(body=b"{}")),
    ("format", Reply(body=b'{"choices":[]}')), ("format", Reply(body=b'{"choices":[{"message":null}]}')),
    ("format", Reply(body=b"[" * 100_000)), ("format", Reply(body=b'{"choices":[{"message":{"content":7}}]}')),
    ("tools", Reply("{}", message={"tool_calls": [{"function": {"name": "fetch"}}]})), ("cut-off", Reply("{}", ended="length")),
    ("too-large", Reply(body=b" " * 400_000)), ("network-RemoteProtocolError", Reply(body=b"{}", headers={"Content-Length": "9999"})),
]


@pytest.mark.parametrize(("reason", "reply"), FAILING, ids=[reason for reason, _ in FAILING])
def test_a_failure_leaves_the_local_judgement(on: Prepared, sqlite_store: Store, endpoint: Endpoint, reason: str, reply: Reply) -> None:
    endpoint.answer = lambda texts: reply
    if "network" in reason:
        reply.headers["Connection"] = "close"
    report = refine(on(timeout_seconds=5), sqlite_store, ["嗯，杯盖"])
    assert as_is(sqlite_store) and report.dropped == {reason: 1}


def test_after_failures_in_a_row_nothing_more_is_asked(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    replies = itertools.chain([Reply(status=500), None, Reply(status=500), Reply(status=429)])
    endpoint.answer = lambda texts: next(replies) or Reply(well(texts))
    report = refine(on(batch=1, stop_after_failures=2), sqlite_store, [f"嗯，第{n}条" for n in range(7)])
    assert len(endpoint.sent) == 4 and report.stopped == "2 × http-429"
    assert report.dropped == {"http-500": 2, "http-429": 1, "stopped": 3} and report.agreed == 1
    with sqlite_store.read() as connection:
        row = runs.latest(connection, "llm", "all")
    assert row is not None and row.status == "failed" and row.reason == report.stopped


@pytest.mark.parametrize("status", [401, 403, 404, 307, 308])
def test_a_refusal_stops_at_once(on: Prepared, sqlite_store: Store, endpoint: Endpoint, status: int) -> None:
    with serve() as other:
        endpoint.answer = lambda texts: Reply(status=status, headers={"Location": f"{other.url}/chat/completions"})
        report = refine(on(batch=1), sqlite_store, ["嗯，一", "嗯，二"])
        assert len(endpoint.sent) == 1 and not other.sent  # neither texts nor the key go elsewhere
    assert report.stopped == f"http-{status}" and as_is(sqlite_store)


def test_an_answer_that_never_comes_to_an_end_is_cut_off(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    endpoint.answer = lambda texts: Reply(well(texts, 杯盖=said("negative", "杯盖")), drip=60)
    report = refine(on(timeout_seconds=0.4), sqlite_store, ["嗯，杯盖"])
    assert report.dropped == {"timeout": 1} and as_is(sqlite_store)


def test_a_silent_endpoint_is_given_up(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    def silent(texts: Texts) -> Reply:
        endpoint.released.wait(3)
        return Reply(well(texts))
    endpoint.answer = silent
    assert refine(on(timeout_seconds=0.2), sqlite_store, ["嗯，杯盖"]).dropped == {"timeout": 1}


def test_nobody_there(on: Prepared, sqlite_store: Store) -> None:
    report = refine(on(base_url="http://127.0.0.1:9/v1", timeout_seconds=5), sqlite_store, ["嗯，杯盖"])
    assert report.dropped == {"network-ConnectError": 1} and as_is(sqlite_store)


def test_an_unproven_certificate_gets_nothing(on: Prepared, sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority(tmp_path)
    with serve(authority.server("127.0.0.1")) as secured:
        told = {"base_url": secured.url, "timeout_seconds": 5}
        report = refine(on(**told), sqlite_store, ["嗯，杯盖"])
        assert report.dropped == {"network-ConnectError": 1} and not secured.sent
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))  # a company's own authority
        fill(sqlite_store, ["嗯，杯盖改了"])
        again = analyse(on(**told), sqlite_store, judge=Stub()).refined
        assert again is not None and again.agreed == 1 and len(secured.sent) == 1


def test_without_the_extra_nothing_is_asked(on: Prepared, sqlite_store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    report = refine(on(), sqlite_store, ["嗯，杯盖"])
    assert report.stopped == "not-installed" and report.dropped == {"not-installed": 1} and not endpoint.sent


# --- with the rest of the house ---

def test_rebuild_keeps_readings_while_it_is_on(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    refine(on(), sqlite_store, ["嗯，杯盖", "很确定"])
    assert analyse(on(), sqlite_store, judge=Stub(), rebuild=True).assessed == 0 and len(endpoint.sent) == 1
    assert analyse(on(enabled=False), sqlite_store, judge=Stub(), rebuild=True).assessed == 1
    assert as_is(sqlite_store)


def test_comments_are_not_judged_again_for_a_reading_of_the_post(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    class Ticking:
        def __init__(self) -> None:
            self._ticks = itertools.count()

        def now(self) -> dt.datetime:
            return NOW + dt.timedelta(minutes=next(self._ticks))

    settings = on()
    settings.__dict__["clock"] = Ticking()
    with sqlite_store.begin() as connection:
        mentions.save(connection, "forum", [
            MentionRow("p1", "https://a.example/1", "post", "嗯，杯盖"),
            MentionRow("c1", "https://a.example/2", "comment", "同感", parent="p1"),
        ], NOW)
    assert analyse(settings, sqlite_store, judge=Stub()).assessed == 2 and len(endpoint.sent) == 1
    assert analyse(settings, sqlite_store, judge=Stub()).assessed == 0


def test_the_version_names_the_model_and_fits() -> None:
    long = refined_version("org/some-very-long-model-name-that-nobody-types-2026-10", "linear-2fc1a21c+rules-1.2+topics-2026.1+eacc1e25777f")
    other = refined_version("org/some-very-long-model-name-that-nobody-types-2026-11", "linear-2fc1a21c+rules-1.2+topics-2026.1+eacc1e25777f")
    assert len(long) <= 80 and long.startswith("llm-org-some-very-long") and long != other
    changed = refined_version("m" * 29, "x" * 70), refined_version("m" * 29, "x" * 69 + "y")
    assert changed[0] != changed[1] and len(changed[0]) == 80


def test_topics_are_the_leaves(topics: Topics) -> None:
    names = topic_names(topics)
    assert len(names) >= 60 and all(name.count("/") == 1 for name in names)


@pytest.mark.parametrize("told", [
    {"base_url": "https://user:pw@llm.example/v1"}, {"base_url": "https://llm.example/v1?key=1"}, {"base_url": "file:///etc/passwd"},
    {"base_url": "llm.example/v1"}, {"base_url": "https://llm.example:99999/v1"}, {"enabled": True, "model": "m"},
    {"enabled": True, "base_url": "https://llm.example/v1"}, {"max_share": 0}, {"max_share": 1.5}, {"key": "k"},
])
def test_settings_that_are_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Llm(**told)


def test_doctor_says_where_texts_go(on: Prepared) -> None:
    class State:
        def __init__(self, settings: Settings):
            self.settings, self.env = settings, settings.env

    def line(**more: Any) -> Any:
        return _llm(State(on(**more)))  # type: ignore[arg-type]

    assert line(enabled=False).state == "ok" and "不出本机" in line(enabled=False).seen
    assert line().state == "ok" and "127.0.0.1" in line().seen
    far = line(base_url="http://llm.example/v1")
    assert far.state == "note" and "明文" in far.step and "k-123" not in far.seen
    settings = on(base_url="https://llm.example/v1")
    keyless = replace(settings, env=replace(settings.env, llm_key=""))
    assert "VOCWATCH_LLM_KEY" in _llm(State(keyless)).step  # type: ignore[arg-type]
