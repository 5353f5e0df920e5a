"""What the documents say is held against the program."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from benchmarks.judgement import examples
from tests.conftest import ROOT
from vocwatch.cli.app import app
from vocwatch.cli.reference import reference
from vocwatch.cli.sources_doc import sources_documents
from vocwatch.store.dictionary import data_dictionary

DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").glob("*.md"))]


def command() -> Any:
    return typer.main.get_command(app)


def commands_in(path: Path) -> list[list[str]]:
    """Every `vocwatch …` line in a code block of a document."""
    found = []
    for block in re.findall(r"```\w*\n(.*?)```", path.read_text(encoding="utf-8"), re.S):
        for line in block.splitlines():
            words = shlex.split(line.split("  #")[0].strip(), comments=True)
            if words and words[0].rsplit("/", 1)[-1] == "vocwatch":
                found.append(words[1:])
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_documented_command_parses(path: Path) -> None:
    for words in commands_in(path):
        current = command()
        rest = [word for word in words if word not in ("…", "...")]
        while rest and rest[0] in ("--lang", "--now", "--demo"):
            rest = rest[1 if rest[0] == "--demo" else 2:]
        while hasattr(current, "commands"):
            assert rest and rest[0] in current.commands, f"{path.name}: vocwatch {' '.join(words)}"
            current, rest = current.commands[rest[0]], rest[1:]
        known = {option for parameter in current.params for option in parameter.opts}
        unknown = [word for word in rest if word.startswith("--") and word not in known]
        assert not unknown, f"{path.name}: vocwatch {' '.join(words)}: {unknown}"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_worked_examples_are_current(lang: str) -> None:
    """But for the last figures of a score, which another processor may round another way."""
    written = examples.DOCUMENTS[lang].read_text(encoding="utf-8")
    scores = re.compile(r" [+-]\d\.\d\d")
    assert scores.sub("", examples.with_table(written, lang)) == scores.sub("", written)


def test_the_data_dictionary_is_current() -> None:
    assert (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8") == data_dictionary()


def test_the_command_reference_is_current() -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == reference(command())


def test_the_source_catalogue_is_current() -> None:
    for name, text in sources_documents(ROOT).items():
        assert (ROOT / "docs" / name).read_text(encoding="utf-8") == text, f"{name}: vocwatch doctor --write-docs"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_make_knows_what_the_readme_names() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for name in ("README.md", "README.zh-CN.md"):
        for target in re.findall(r"\bmake ([\w-]+)", (ROOT / name).read_text(encoding="utf-8")):
            assert re.search(rf"^{target}:", makefile, re.M), f"{name}: make {target}"
