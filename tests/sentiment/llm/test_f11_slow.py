"""F11: a second reader that is slow keeps neither an alert nor a digest waiting."""

from __future__ import annotations

from sentiment.run import analyse
from tests.sentiment.llm.endpoint import Endpoint
from tests.sentiment.llm.kit import Prepared, Stub, as_is, fill
from vocwatch.store import Store


def test_f11_out_of_patience_no_further_request_begins(on: Prepared, sqlite_store: Store, endpoint: Endpoint) -> None:
    fill(sqlite_store, ["嗯，杯盖", "嗯，杯身"])
    report = analyse(on(max_share=1.0), sqlite_store, judge=Stub(), patience=0.0)
    assert report.refined is not None and report.refined.dropped["late"] > 0
    assert not endpoint.sent and as_is(sqlite_store)
