"""What is sent to the second reader, and what never is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sentiment.llm import MAX_CHARS
from sentiment.run import analyse
from tests.sentiment.llm.endpoint import Endpoint, serve
from tests.sentiment.llm.kit import FIRE, Prepared, Stub, as_is, fill, refine
from vocwatch.settings import Settings
from vocwatch.settings.app import App
from vocwatch.store import Store


def test_nothing_is_sent_when_it_is_off(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    fill(sqlite_store, ["嗯，杯盖"])
    report = analyse(on(enabled=False), sqlite_store, judge=Stub())
    assert report.refined is None and report.assessed == 1 and not endpoint.sent
    assert not App.model_validate({"brand": {"name": "a", "watch": "a"}, "crawler": {"contact": "a"}}).llm.enabled


def test_it_is_off_as_shipped(shipped: Settings) -> None:
    assert not shipped.app.llm.enabled


def test_only_the_uncertain_are_sent(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    told: dict[str, dict[str, Any]] = {
        "嗯，广告": {"voice": "ad"}, "嗯，无关": {"brand_match": False}, "嗯，冒烟": {"red_lines": FIRE, "severity": 3},
        "嗯，拒判": {"refused": "没有文字"},
    }
    report = refine(on(), sqlite_store, ["嗯，杯盖", "很确定", "嗯，杯底", "也确定", *told, "嗯" + "长" * MAX_CHARS], told)
    assert sorted(endpoint.texts()) == ["嗯，杯底", "嗯，杯盖"]
    assert (report.sent, report.requests, report.dropped) == (2, 1, {"too-long": 1})


def test_the_share_is_kept_and_the_least_certain_come_first(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    texts = [f"嗯，第{n}条" for n in range(10)]
    told = {text: {"confidence": 0.5 - n / 100} for n, text in enumerate(texts)}
    report = refine(on(max_share=0.3, batch=2), sqlite_store, texts, told)
    assert endpoint.texts() and sorted(endpoint.texts()) == ["嗯，第7条", "嗯，第8条", "嗯，第9条"]
    assert report.requests == 2 and report.dropped["share"] == 7


def test_the_budget_is_of_the_day(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    settings = on(requests_per_day=2, batch=1)
    first = refine(settings, sqlite_store, ["嗯，杯盖"])
    fill(sqlite_store, ["嗯，杯盖改了", "嗯，二", "嗯，三"])
    second = analyse(settings, sqlite_store, judge=Stub()).refined
    assert second is not None and (first.requests, second.requests) == (1, 1)
    assert len(endpoint.sent) == 2 and second.dropped["budget"] == 2


def test_a_crash_does_not_give_the_budget_back(on: Prepared, sqlite_store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sentiment.refine.read", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            refine(on(requests_per_day=1), sqlite_store, ["嗯，杯盖"])
    assert as_is(sqlite_store)
    fill(sqlite_store, ["嗯，杯盖改了"])
    report = analyse(on(requests_per_day=1), sqlite_store, judge=Stub()).refined
    assert report is not None and report.requests == 0 and len(endpoint.sent) == 1


def test_no_personal_data_is_sent(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    text = (
        "嗯，收件人王小明，电话138\u200b0013\u200b8000，地址杭州市西湖区文三路15号2单元301，微信号songguo_88，"
        "https://a.example/u?uid=99887766 @小林子 说杯盖松"
    )
    refine(on(), sqlite_store, [text])
    raw = endpoint.sent[0].decode()
    sent = endpoint.texts()[0]
    for secret in ("王小明", "8000", "文三路", "songguo_88", "99887766", "小林子", "a.example"):
        assert secret not in raw and secret not in sent, secret
    assert "[手机号]" in sent and "[链接]" in sent and "[用户]" in sent and "杯盖松" in sent


def test_the_key_goes_into_one_header_only(on: Prepared, sqlite_store: Store, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        settings = on()
        refine(settings, sqlite_store, ["嗯，杯盖"])
        assert not proxy.heads
    head = endpoint.heads[0]
    assert head.pop("Authorization") == "Bearer k-123" and head[":path"] == "/v1/chat/completions"
    assert settings.env.llm_key == "k-123"
    assert "k-123" not in f"{head}{endpoint.sent[0].decode()}{settings}"
    body = json.loads(endpoint.sent[0])
    assert body["model"] == "reader-1" and "tools" not in body
    assert body["response_format"]["json_schema"]["strict"] is True
