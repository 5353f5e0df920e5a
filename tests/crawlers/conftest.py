"""Sites that close themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.crawlers.kit import Lab
from tests.crawlers.site import Canary, Site


@pytest.fixture
def lab(home: Path) -> Lab:
    return Lab(home)


@pytest.fixture
def make_site() -> Iterator[Callable[..., Site]]:
    sites: list[Site] = []

    def make(*args: object, **kwargs: object) -> Site:
        sites.append(Site(*args, **kwargs))  # type: ignore[arg-type]
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    port = Canary()
    yield port
    port.close()
