"""Draw the pictures of the console in docs/, at a phone's and a desk's width: `python -m benchmarks.console_pictures`.

Over the invented forty days of the tests, in a real Chromium; pages are named after what they show.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reports.desk.ask import Desk, Question, ask
from reports.digest import write_digest
from reports.run import build_incidents
from tests.desk.chrome import chrome_over, settle
from tests.reports import factory
from tests.reports.conftest import at_home, morning
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import digests, open_store

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = (390, 1280)
TALLEST = {390: 2200, 1280: 1500}
PAGES = {
    "today": "/", "incidents": "/incidents?since=2026-10-25", "incident": "/incidents/{leak}", "mentions": "/mentions?q=漏水&since=2026-11-01",
    "mention": "/mentions/1051", "topics": "/topics", "compare": "/topics/compare?topic=产品质量/漏水&on=2026-11-05&product=PC-B2",
    "sessions": "/sessions", "session": "/sessions/KF00507", "sources": "/sources", "source": "/sources/notes", "watches": "/watches",
    "laboratory": "/watches/songguoxia", "settings": "/settings", "versions": "/settings/history", "users": "/users", "log": "/audit",
}
"""What is drawn: the picture's name and the page's address."""


def main(out: Path = ROOT / "docs", only: Sequence[str] = ()) -> None:
    """Draw every page (or those named) at both widths."""
    with tempfile.TemporaryDirectory() as folder:
        desk = story(Path(folder))
        leak = next(str(r["incident"]) for r in ask(desk, "incidents", Question()).rows if r["state"] == "回落")
        with chrome_over(desk, DeskTools) as chrome:
            for width in WIDTHS:
                with chrome.page("admin", name="何雨", width=width) as page:
                    for name, path in PAGES.items():
                        if only and name not in only:
                            continue
                        page.goto(path.format(leak=leak))
                        settle(page)
                        target = out / f"console-{name}-{width}.png"
                        height = min(TALLEST[width], page.evaluate("document.documentElement.scrollHeight"))
                        page.screenshot(path=target, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
                        print(target)
            assert not chrome.wrong and not chrome.elsewhere, (chrome.wrong, chrome.elsewhere)
        desk.store.close()


def story(folder: Path) -> Desk:
    """The forty days with their incidents and the last digest, sent."""
    noon = dt.datetime.combine(factory.LAST + dt.timedelta(days=1), dt.time(12), tzinfo=factory.ZONE)
    shipped = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "pictures"}))
    home = at_home(shipped, folder)
    settings = factory.make_settings(dataclasses.replace(home, env=dataclasses.replace(home.env, now=noon.isoformat())))
    store = open_store(f"sqlite:///{folder / 'store.sqlite3'}")
    factory.forty_days(store)
    for number in range(20, factory.LENGTH + 1):
        build_incidents(settings, store, factory.day(number), now=morning(factory.day(number)))
    write_digest(settings, store, factory.LAST, now=morning(factory.LAST))
    with store.begin() as connection:
        digests.seal(connection, factory.LAST, "qa", morning(factory.LAST))
    return Desk(settings, store)


if __name__ == "__main__":
    main(only=sys.argv[1:])
