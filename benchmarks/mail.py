"""The morning mail, looked at: how large it gets, how it looks, and what linters say of it.

    python -m benchmarks.mail sizes               # KB and characters for 5, 50 and 400 incidents
    python -m benchmarks.mail pictures            # docs/mail-*.png: widths, light and dark, images off, forced dark
    python -m benchmarks.mail lint --node-modules DIR   # caniemail and html-validate over the four days' mails

The linters come from npm and stand in a folder of their own:
npm install --prefix DIR caniemail@2.0.2 html-validate@10.17.0
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.four_days import DAYS, ROOT, morning
from reports.actions import MAX_ACTIONS, risk_actions
from reports.digest import Reader, fitted, render_html, render_text, view
from reports.facts import build_facts
from reports.run import build_incidents
from reports.shape import Facts
from reports.verdict import verdict_of
from tests.reports import factory
from vocwatch.browser import launch_options, require_browser
from vocwatch.settings import load_settings, read_environment
from vocwatch.store import open_store

HAN = re.compile(r"[\u3400-\u9fff]")
COUNTS = (5, 50, 400)
VIEWS = {"qa": Reader(), "private": Reader(privacy=True), "owner": Reader(owner="何雨"), "en": Reader(lang="en")}
LOOKS = (  # name, width, colour scheme, more
    ("390-light", 390, "light", ""), ("390-dark", 390, "dark", ""), ("640-light", 640, "light", ""),
    ("640-dark", 640, "dark", ""), ("1280-light", 1280, "light", ""), ("1280-dark", 1280, "dark", ""),
    ("640-no-images", 640, "light", "images off"), ("390-forced-dark", 390, "light", "forced dark"),
)
LINTER = Path(__file__).with_name("mail_lint.mjs")


@contextmanager
def story() -> Iterator[dict[str, Facts]]:
    """Live through the forty invented days and give the four chosen ones."""
    shipped = load_settings(read_environment({"VOCWATCH_HOME": str(ROOT), "VOCWATCH_SECRET": "four days"}))
    with tempfile.TemporaryDirectory() as name:
        env = dataclasses.replace(shipped.env, home=Path(name), data=Path(name) / "var")
        settings = factory.make_settings(dataclasses.replace(shipped, env=env))
        store = open_store(f"sqlite:///{Path(name) / 'store.sqlite3'}")
        factory.forty_days(store)
        for number in range(20, factory.LENGTH + 1):
            build_incidents(settings, store, factory.day(number), now=morning(factory.day(number)))
        days = {kind: factory.PLANTED[planted] for kind, planted in DAYS.items()}
        yield {kind: build_facts(settings, store, day, now=morning(day)) for kind, day in days.items()}
        store.close()


def many(facts: Facts, count: int, letters: int = 80) -> Facts:
    """Return the digest of a morning with `count` incidents like its first one, each with all that a card can hold."""
    card = facts.risks[0]
    quote = dataclasses.replace(card.quotes[0], text=("这把手烫得很" * letters)[:letters])
    made = tuple(
        dataclasses.replace(
            card, rank=rank, incident=f"INC-20261115-{rank:06x}", title=f"{card.title}之{rank}", lead_days=2,
            owner=("何雨", "马川")[rank % 2], quotes=(quote, quote), why=card.why * 2, mention_urls=card.mention_urls * 4,
            product_name=f"{card.product_name}（加厚款 {rank}）",
        )
        for rank in range(1, count + 1)
    )
    zone = facts.window[0].tzinfo or dt.UTC
    return dataclasses.replace(
        facts, risks=made[:5], others=made[5:], more_risks=len(made[5:]), verdict=verdict_of(made, facts.coverage),
        actions=tuple(risk_actions(made, (), facts.date, zone)[:MAX_ACTIONS]),
    )


def sizes(days: dict[str, Facts]) -> list[dict[str, Any]]:
    """Return a row for each day, count and view: KB of HTML, Chinese characters of the whole and of parts 1 to 3."""
    rows = []
    asked = list(days.items())
    asked += [(f"{count} incidents", many(days["red"], count)) for count in COUNTS]
    for name, facts in asked:
        for reader_name, reader in VIEWS.items():
            shown = fitted(view(facts, reader), reader.lang)
            text = render_text(shown, reader.lang)
            top = text[: [m.start() for m in re.finditer("■ ", text)][2]]
            rows.append({
                "day": name, "view": reader_name, "kb": len(render_html(shown, reader.lang).encode()) / 1024,
                "characters": len(HAN.findall(text)), "top": len(HAN.findall(top)), "steps": shown.left_out,
            })
    return rows


def pictures(facts: Facts, out: Path) -> list[Path]:
    """Draw a mail at each width and colour scheme, with images off, and with colours forced dark."""
    out.mkdir(parents=True, exist_ok=True)
    page = out / "mail.html"
    page.write_text(render_html(fitted(facts)), encoding="utf-8")
    found = launch_options(require_browser(read_environment()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**found)
        try:
            made = [_picture(browser, page, out / f"mail-{name}.png", width, scheme, more) for name, width, scheme, more in LOOKS]
        finally:
            browser.close()
            page.unlink()
    return made


def _picture(browser: Browser, page: Path, out: Path, width: int, scheme: Any, more: str) -> Path:
    look = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    if more == "images off":
        look.route("**/*", lambda route: route.abort() if route.request.resource_type == "image" else route.continue_())
    if more == "forced dark":
        look.context.new_cdp_session(look).send("Emulation.setAutoDarkModeOverride", {"enabled": True})
    look.goto(page.as_uri())
    look.screenshot(path=str(out), full_page=True)
    look.close()
    return out


def lint(days: dict[str, Facts], modules: Path) -> dict[str, Any]:
    """Run caniemail and html-validate over each day's mail; returns their findings, merged."""
    with tempfile.TemporaryDirectory() as name:
        files = []
        for kind, facts in days.items():
            files.append(Path(name) / f"{kind}.html")
            files[-1].write_text(render_html(fitted(facts)), encoding="utf-8")
        done = subprocess.run(
            ["node", str(LINTER), str(modules.resolve()), *map(str, files)], capture_output=True, text=True, check=True, timeout=300,
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print the sizes, or the linters' findings, or write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("sizes", "pictures", "lint"))
    parser.add_argument("--node-modules", type=Path, help="folder with node_modules/caniemail and node_modules/html-validate")
    parser.add_argument("--out", type=Path, default=ROOT / "docs")
    asked = parser.parse_args()
    with story() as days:
        if asked.what == "sizes":
            print("| day | view | KB | 汉字, whole | parts 1–3 | steps left out |\n|---|---|---|---|---|---|")
            for row in sizes(days):
                print("| {day} | {view} | {kb:.0f} | {characters} | {top} | {steps} |".format(**row))
        elif asked.what == "pictures":
            for path in pictures(days["red"], asked.out):
                print(path)
        else:
            if asked.node_modules is None:
                parser.error("lint needs --node-modules")
            print(json.dumps(lint(days, asked.node_modules), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
