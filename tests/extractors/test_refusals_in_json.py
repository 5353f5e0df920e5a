"""An interface that answers 200 with an error message is never taken for "nothing there"."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crawlers.extractors import extract
from vocwatch.models import Page
from vocwatch.settings.sources import Source

SOURCE = Source.model_validate({
    "name": "api", "title": "接口", "owner": "x", "start": [],
    "access": {"basis": "x", "robots": "x", "reviewer": "x", "date": "2026-11-22"},
    "listing": {"extract": "json", "records": [
        {"kind": "post", "items": "list || @", "where": "title", "fields": {"native_id": "id", "text": "title"}},
    ]},
})
NOW = dt.datetime(2026, 11, 16, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"status": "error", "message": "Rate Limit Exceeded"}, "blocked"), ({"code": 401, "msg": "请先登录"}, "login"),
        ({"message": "系统升级中，请稍后"}, "drift"), ({"list": [], "message": "ok"}, "empty"),
        ({"list": [{"id": 1, "title": "漏水"}], "message": "ok"}, "ok"),
    ],
)
def test_a_message_is_heard_where_the_source_has_no_check_of_its_own(body: dict[str, Any], state: str) -> None:
    page = Page(url="https://api.example.com/x", body=json.dumps(body, ensure_ascii=False).encode(), fetched_at=NOW)
    assert SOURCE.listing is not None
    assert extract(page, SOURCE.listing, SOURCE, NOW, ZoneInfo("Asia/Shanghai")).state == state
