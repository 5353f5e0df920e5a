"""A digest with very many risks and very long quotes."""

from __future__ import annotations

import dataclasses

from reports.say import say
from reports.shape import Facts, Quote, Risk, Today
from tests.delivery.kit import NOW


def with_risks(facts: Facts, count: int, shown: int) -> Facts:
    """Return the digest as it is with `count` incidents, of which `shown` are listed as cards."""
    quote = "杯盖漏水，" * 400 + "<b>\r\n"
    risks = tuple(
        Risk(
            rank=number, incident=f"risk-{number}", level="红", state="新增", title=f"risk-{number} 漏水", topic="产品质量/漏水",
            product="PC-B2", product_name="暖杯", shop=None, owner="何雨", score=90.0, formula="1",
            parts={"sensitivity": 0.9, "intensity": 0.5, "evolution": 0.5, "spread": 0.5, "attitude": 0.5, "corroboration": 1.0},
            why=(say("why.inside", sessions=300),), authors=300, copies=0,
            mention_urls=tuple(f"https://example.com/{number}/{n}" for n in range(300)), session_ids=(), sources=("reviews",),
            lead_days=None, first_seen=NOW, first_source="reviews", today=Today(300, 300, 0, 4.0, 0.0001),
            quotes=tuple(Quote(quote, f"https://example.com/{number}/{n}", None, "reviews", NOW) for n in range(2)),
            advice=(say("advice.verify"),), recurs_of=None,
        )
        for number in range(1, shown + 1)
    )
    return dataclasses.replace(facts, level="红", risks=risks, more_risks=count - shown)
