"""Finding a browser that works, and taking pictures with it.

A path proves nothing, so each candidate is launched: the configured one (VOCWATCH_CHROMIUM), Playwright's headless
shell, Playwright's Chromium, Chrome where it is usually installed, then what is on PATH. A headless shell draws the
same page with half the processor time.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocwatch.settings.env import Environment, read_environment

NAMES = (
    "chromium-headless-shell", "chrome-headless-shell", "headless-shell", "chromium", "google-chrome",
    "google-chrome-stable", "chromium-browser", "microsoft-edge",
)
_DOWNLOADED = (  # where Playwright puts its browsers: folder, file in it
    ("chromium_headless_shell-*", ("*/chrome-headless-shell", "*/headless_shell")),
    ("chromium-*", ("*/chrome", "*/*.app/Contents/MacOS/*")),
)
_INSTALLED = (
    "/opt/google/chrome/chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
_ARGS = (
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB, and pages crash there
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run",
    "--disable-quic",  # all traffic stays where it can be watched
    "--disable-features=Translate,OptimizationHints,MediaRouter",
)
_LAUNCH_MS = 30_000


class NoBrowser(Exception):
    """No browser could be launched; the message says what was tried and what to do."""


@dataclass(frozen=True)
class BrowserChoice:
    """A browser that was launched."""

    path: str
    version: str


_found: dict[str, BrowserChoice | str] = {}


def find_browser(env: Environment) -> BrowserChoice | None:
    """Return a browser that could be launched, looked for once in each process; None when there is none."""
    found = _look(env)
    return found if isinstance(found, BrowserChoice) else None


def require_browser(env: Environment) -> BrowserChoice:
    """Return a browser that could be launched. Raises NoBrowser."""
    found = _look(env)
    if isinstance(found, str):
        raise NoBrowser(found)
    return found


def _look(env: Environment) -> BrowserChoice | str:
    if env.chromium not in _found:
        _found[env.chromium] = _search(env)
    return _found[env.chromium]


def launch_options(choice: BrowserChoice) -> dict[str, Any]:
    """Return Playwright's options to launch the browser."""
    args = list(_ARGS)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        args.append("--no-sandbox")  # Chromium refuses to start as root otherwise
    return {"headless": True, "args": args, "timeout": _LAUNCH_MS, "executable_path": choice.path}


def screenshot(
    page: Path | str, out: Path, width: int, full_page: bool = True, scale: float = 1,
    env: Environment | None = None,
) -> Path:
    """Write a PNG of an HTML file or address at `width` CSS pixels and return its path. Raises NoBrowser."""
    from playwright.sync_api import sync_playwright

    choice = require_browser(env or read_environment())
    address = page.resolve().as_uri() if isinstance(page, Path) else page
    out.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(choice))
        try:
            view = browser.new_page(viewport={"width": width, "height": 800}, device_scale_factor=scale)
            view.goto(address, wait_until="load", timeout=_LAUNCH_MS)
            view.screenshot(path=str(out), full_page=full_page)
        finally:
            browser.close()
    return out


def print_pdf(page: Path, out: Path, env: Environment | None = None) -> Path:
    """Write an HTML file as an A4 PDF, colours and all, and return its path. Raises NoBrowser."""
    from playwright.sync_api import sync_playwright

    choice = require_browser(env or read_environment())
    out.parent.mkdir(parents=True, exist_ok=True)
    margin = dict.fromkeys(("top", "right", "bottom", "left"), "10mm")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(choice))
        try:
            view = browser.new_page()
            view.goto(page.resolve().as_uri(), wait_until="load", timeout=_LAUNCH_MS)
            view.pdf(path=str(out), format="A4", print_background=True, margin=margin)  # type: ignore[arg-type]
        finally:
            browser.close()
    return out


def candidates(env: Environment) -> list[str]:
    """Return the paths of browsers worth a try, the best first."""
    if env.chromium:
        return [env.chromium]  # named by hand: no other one is taken behind the user's back
    found = [str(path) for path in _downloaded(env)]
    found += [path for path in _INSTALLED if Path(path).exists()]
    search_path = env.variables.get("PATH", os.defpath)
    found += [path for path in (shutil.which(name, path=search_path) for name in NAMES) if path]
    return list(dict.fromkeys(found))


def _downloaded(env: Environment) -> list[Path]:
    """Playwright's browsers, the newest first."""
    home = Path(env.variables.get("HOME") or "/nonexistent")
    roots = [Path(env.variables["PLAYWRIGHT_BROWSERS_PATH"])] if env.variables.get("PLAYWRIGHT_BROWSERS_PATH") else [
        home / ".cache" / "ms-playwright", home / "Library" / "Caches" / "ms-playwright",
    ]
    found = []
    for folder, names in _DOWNLOADED:
        versions = [path for root in roots for path in root.glob(folder)]
        for version in sorted(versions, key=_revision, reverse=True):
            found += [path for name in names for path in sorted(version.glob(name)) if os.access(path, os.X_OK)]
    return [path for path in found if path.is_file()]


def _revision(folder: Path) -> int:
    number = folder.name.rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def not_found(tried: list[str]) -> str:
    """Return the sentence for a machine on which none of the browsers tried could be started."""
    return (
        f"找不到能启动的浏览器（试过 {'；'.join(tried) or '无'}）。请运行 playwright install --with-deps chromium，"
        "或安装系统的 chromium 软件包，或用 VOCWATCH_CHROMIUM 指定浏览器路径"
    )


def _search(env: Environment) -> BrowserChoice | str:
    """Return the first candidate that works, or in words why none does."""
    tried: list[str] = []
    for path in candidates(env):
        try:
            return _launched(path)
        except Exception as error:  # Playwright, its driver, or the system: all mean "not this one"
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            tried.append(f"{path}：{lines[0][:160] if lines else type(error).__name__}")
    return not_found(tried)


def _launched(path: str) -> BrowserChoice:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options(BrowserChoice(path, "")))
        try:
            page = browser.new_page()
            page.set_content("<p>看得见</p>")
            if page.inner_text("p") != "看得见":
                raise RuntimeError("启动了，但画不出网页")
            return BrowserChoice(path, browser.version)
        finally:
            browser.close()


def main() -> int:
    """Say which browser was found; 0 when one could be launched (`python -m vocwatch.browser`)."""
    found = _look(read_environment())
    if isinstance(found, str):
        print(found, file=sys.stderr)
        return 1
    print(found.path, found.version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
