"""The pages of the desk under axe (the others have tests of their own), at a desk's width and a phone's; no errors in the browser, nothing fetched from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reports.desk.ask import Desk
from tests.desk.chrome import Chrome, axe, chrome_over, settle
from tests.reports.conftest import copy_of
from vocwatch.settings import Settings

PAGES = (
    "/", "/incidents?since=2026-10-25", "/incidents/{leak}", "/mentions?since=2026-11-14&q=漏水", "/mentions/1051", "/topics",
    "/topics/compare?topic=产品质量/漏水&on=2026-11-05", "/sessions?since=2026-11-15", "/sessions/KF00507",
)
STATES = ("/?date=2026-10-20&view=sent", "/mentions?q=(", "/mentions?q=没有人这样说", "/mentions/999999")
CONTRAST = ("color-contrast",)


@pytest.fixture(scope="module")
def chrome(console_file: Path, brand: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    store = copy_of(console_file, tmp_path_factory.mktemp("axe"))
    with chrome_over(Desk(brand, store)) as made:
        yield made
    store.close()


def leak(desk: Desk) -> str:
    from reports.desk.ask import Question, ask

    rows = ask(desk, "incidents", Question()).rows
    return next(str(row["incident"]) for row in rows if row["topic"] == "产品质量/漏水" and row["state"] == "回落")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme", "rules", "pages"), [(1280, "light", (), (*PAGES, *STATES)), (390, "dark", CONTRAST, PAGES)])
def test_axe_finds_nothing_and_nothing_overflows(
    chrome: Chrome, width: int, scheme: str, rules: tuple[str, ...], pages: tuple[str, ...]
) -> None:
    found: dict[str, list[str]] = {}
    with chrome.page("admin", width=width, color_scheme=scheme) as page:
        for path in pages:
            page.goto(path.format(leak=leak(chrome.desk)))
            settle(page)
            wrong = axe(page, *rules)
            over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wrong or over > 0:
                found[path] = [*wrong, *([f"overflows by {over}px"] if over > 0 else [])]
    assert not found, "\n".join(f"{path}: {line}" for path, lines in found.items() for line in lines)
    assert not [line for line in chrome.wrong if "status of 40" not in line] and not chrome.elsewhere
