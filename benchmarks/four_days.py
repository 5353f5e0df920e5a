"""Draw four days of an invented brand for docs/day: a red-line evening, a silent, a campaign and a blind day.

    python -m benchmarks.four_days

The story is the one that the tests live through (tests/reports/factory.py): forty days of a brand of cups and warmers.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
import tempfile
from pathlib import Path

from reports.digest import write_digest
from reports.run import build_incidents
from tests.reports import factory
from vocwatch.browser import screenshot
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store

ROOT = Path(__file__).resolve().parents[1]
DAYS = {"red": "burn", "silent": "silent", "campaign": "campaign", "blind": "blind"}
WIDTH = 640


def morning(date: dt.date) -> dt.datetime:
    """Half past eight of the day after."""
    return dt.datetime.combine(date + dt.timedelta(days=1), dt.time(8, 30), tzinfo=factory.ZONE)


def main() -> None:
    """Live through the forty days; write docs/day-NAME.json and docs/day-NAME.png for each of the four."""
    shipped = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "four days"}))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        env = dataclasses.replace(shipped.env, home=folder, data=folder / "var")
        settings = factory.make_settings(dataclasses.replace(shipped, env=env))
        store = open_store(f"sqlite:///{folder / 'store.sqlite3'}")
        factory.forty_days(store)
        for number in range(20, factory.LENGTH + 1):
            build_incidents(settings, store, factory.day(number), now=morning(factory.day(number)))
        for kind, planted in DAYS.items():
            date = factory.PLANTED[planted]
            files = write_digest(settings, store, date, now=morning(date), lang="zh", out=folder)
            shutil.copyfile(files.json, ROOT / "docs" / f"day-{kind}.json")
            picture = screenshot(files.html, folder / f"day-{kind}.png", WIDTH, env=read_environment())
            shutil.copyfile(picture, ROOT / "docs" / picture.name)
            print(ROOT / "docs" / picture.name)
        store.close()


if __name__ == "__main__":
    main()
