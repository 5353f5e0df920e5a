"""Every number in a digest is the count of rows that anybody can open; none is without an account."""

from __future__ import annotations

import pytest

from reports.digest.contract import as_dict
from reports.facts import build_facts
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, day
from tests.reports.ledger import Ledger, numbers, unaccounted


def ledger_of(cups, story, date):
    told = as_dict(build_facts(cups, story, date, now=morning(date)))
    return Ledger(story, told, factory.ZONE)


@pytest.mark.parametrize("date", [PLANTED[name] for name in ("burn", "silent", "blind", "campaign", "rumour")] + [day(29)])
def test_every_number_of_the_day_is_a_count_of_its_rows(cups, story, date):
    ledger = ledger_of(cups, story, date)
    assert unaccounted(ledger) == []
    assert len(list(numbers(ledger.digest))) > 50


def test_a_number_that_nobody_accounts_for_is_found(cups, story):
    ledger = ledger_of(cups, story, day(29))
    ledger.digest["risks"][0]["authors"] += 1
    ledger.digest["internal"]["rate"] = 0.5
    assert [line.split(":")[0] for line in unaccounted(ledger)] == ["risks.0.authors", "internal.rate"]
