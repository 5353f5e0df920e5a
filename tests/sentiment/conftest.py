"""The shipped taxonomy and invented watches."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentiment.judge import Judge
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[2]

WATCHES = Watches.model_validate({"watches": [
    {"id": "pine", "kind": "brand", "name": "松果匣", "aliases": ["松果匣子", "Songguoxia", "☁️果匣"],
     "ambiguous": ["松果", "SGX"], "exclude": ["捡松果", "松果体", "松果匣展"],
     "context": {"any": ["旗舰店", "客服", "保温杯", "退货"], "none": ["森林"], "within": 12},
     "patterns": ["松.{0,1}果家"]},
    {"id": "cup", "kind": "product", "name": "暖松保温杯", "aliases": ["保温杯"], "brand": "pine",
     "sku": "SG-01", "needs_brand": True},
    {"id": "warmer", "kind": "product", "name": "小松暖手宝", "brand": "pine", "sku": "SG-02"},
    {"id": "rival", "kind": "competitor", "name": "栗子屋", "sku": "LZ-9"},
    {"id": "heat", "kind": "keyword", "name": "暖手宝"},
]})


@pytest.fixture(scope="session")
def topics() -> Topics:
    return load_model(ROOT / "config" / "topics.yaml", Topics, {})


@pytest.fixture(scope="session")
def watches() -> Watches:
    return WATCHES


@pytest.fixture(scope="session")
def judge(topics: Topics) -> Judge:
    """A judge by rules alone."""
    return Judge(WATCHES, topics, own_pages=("松果匣旗舰店", "SG-77"))
