"""Every number of the practice web's digest is a count of rows in its store."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.e2e.conftest import Demo
from tests.reports.ledger import Ledger, unaccounted
from vocwatch.store import Store

pytestmark = pytest.mark.browser


def test_every_number_of_the_practice_digest_is_a_count_of_its_rows(undisturbed: tuple[Demo, dict[str, Any]]) -> None:
    demo, _ = undisturbed
    digest = json.loads((demo.digests / "digest-2026-11-15.json").read_text(encoding="utf-8"))
    store = Store(f"sqlite:///{demo.database}")
    try:
        assert unaccounted(Ledger(store, digest, ZoneInfo("Asia/Shanghai"))) == []
    finally:
        store.close()
