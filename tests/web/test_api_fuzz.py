"""schemathesis over the published API, on a real server: no 500, no answer that the description does not name."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from reports.desk.ask import Desk
from tests.web.login import served_at
from tests.web.test_api import brand as brand
from tests.web.test_api import own as own
from tests.web.test_api import story_file as story_file
from tests.web.test_api import token_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import schemathesis
    from schemathesis.specs.openapi import checks

EXAMPLES = 6


@pytest.fixture
def served(own: Desk) -> Iterator[tuple[str, str]]:
    """A console with forty days, and a token that may everything."""
    with served_at(own.settings, own.store) as address:
        yield address, token_of(own, "admin")


def test_the_api_holds_what_its_description_says(served: tuple[str, str]) -> None:
    address, token = served
    counted: Counter[str] = Counter()
    for found in schemathesis.openapi.from_url(f"{address}/api/openapi.json").get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @hypothesis_settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
        )
        def ask(case: schemathesis.Case) -> None:
            # Left out: that all that fits the schema is taken. What a search or an order may say, no JSON schema can.
            answer = case.call_and_validate(
                headers={"Authorization": f"Bearer {token}"}, excluded_checks=[checks.positive_data_acceptance]
            )
            counted[str(answer.status_code)] += 1

        ask()
    print(f"schemathesis: {dict(counted)}")
    assert counted["200"] > EXAMPLES and counted["422"] and not counted["500"]
