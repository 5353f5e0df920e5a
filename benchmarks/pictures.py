"""Draw the pictures of docs/: the practice web's digest at phone and desktop width (`make pictures`)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from vocwatch.browser import screenshot
from vocwatch.cli.app import run
from vocwatch.settings import read_environment

ROOT = Path(__file__).resolve().parents[1]
WIDTHS = (390, 1280)


def main() -> None:
    """Run the demo into a folder of its own and write docs/digest-WIDTH.png."""
    with tempfile.TemporaryDirectory() as folder:
        code = run(["demo", "--out", folder])
        if code:
            raise SystemExit(code)
        page = Path(folder) / "digest-2026-11-15.html"
        for width in WIDTHS:
            target = screenshot(page, Path(folder) / f"digest-{width}.png", width, env=read_environment())
            shutil.copyfile(target, ROOT / "docs" / target.name)
            print(ROOT / "docs" / target.name)


if __name__ == "__main__":
    main()
