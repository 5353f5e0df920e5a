"""docs/add-a-source, both languages, followed to the letter on the practice web."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.lang import set_language
from vocwatch.practice import practice_web

DOCUMENTED = "http://127.0.0.1:8713"
BLOCK = re.compile(r"```(\w*)\n(.*?)```", re.S)


@pytest.fixture(scope="module")
def forum() -> Iterator[str]:
    with practice_web(port=0) as variables:
        yield variables["PRACTICE_FORUM"]


@pytest.fixture
def _english_ends() -> Iterator[None]:
    yield
    set_language("zh")


def plain(text: str, forum: str = DOCUMENTED) -> list[str]:
    """Lines without what differs from run to run: ports, seconds, white space, the folder that all this is done in."""
    text = text.replace(forum, DOCUMENTED).replace(str(Path.cwd()) + "/", "")
    text = re.sub(r"\d+\.\d (秒|s)\b", r"0.0 \1", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


@pytest.mark.usefixtures("_english_ends")
@pytest.mark.parametrize("name", ["add-a-source.zh-CN.md", "add-a-source.md"])
def test_the_document_is_followed_to_the_letter(
    name: str, forum: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = (ROOT / "docs" / name).read_text(encoding="utf-8").split("\n## ")
    monkeypatch.chdir(tmp_path)
    for variable in [one for one in os.environ if one.startswith("VOCWATCH_") and one != "VOCWATCH_CHROMIUM"]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("VOCWATCH_SECRET", "test")
    said: list[str] = []
    promised: list[str] = []
    for kind, block in (found for step in steps[1:6] for found in BLOCK.findall(step)):
        if kind == "text":
            promised += plain(block)
        elif kind == "diff":
            edit(Path("try/sources/bbs.yaml"), block)
        else:
            for line in block.strip().splitlines():
                follow(shlex.split(line.replace(DOCUMENTED, forum)), monkeypatch)
                told = capsys.readouterr()
                said += plain(told.out + told.err, forum)
    assert promised
    assert [line for line in promised if line != "…" and line not in said] == []
    assert any("漏水" in line and line.startswith("2026-11-") for line in said), "the mention is seen in the query"


def follow(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what one line of a document says."""
    match words:
        case ["cp", "-r", source, target]:
            shutil.copytree(ROOT / source, target)
        case ["export", *assignments]:
            for assignment in assignments:
                variable, _, value = assignment.partition("=")
                monkeypatch.setenv(variable, value)
        case ["python", "examples/practice/serve.py", "--port", "8710", "&"]:
            pass  # it runs already, on ports that are free
        case ["vocwatch", *command]:
            assert run(command) == Exit.OK, command
        case _:
            raise AssertionError(f"nobody knows how to follow: {words}")


def edit(path: Path, diff: str) -> None:
    """Apply the few lines of an edit: what stands behind − has to be there."""
    removed = [line[1:] for line in diff.splitlines() if line.startswith("-")]
    added = [line[1:] for line in diff.splitlines() if line.startswith("+")]
    text = path.read_text(encoding="utf-8")
    assert text.count("\n".join(removed) + "\n") == 1
    path.write_text(text.replace("\n".join(removed), "\n".join(added), 1), encoding="utf-8")
