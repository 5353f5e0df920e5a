"""The commands of docs/access are run in their order, in a home of their own, in both languages."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.conftest import ROOT
from tests.store.kept import tiny_home
from tests.test_docs import commands_in
from vocwatch.cli.app import run
from vocwatch.settings import load_settings, read_environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny_home(tmp_path / "home")


@pytest.mark.parametrize("name", ["access.md", "access.zh-CN.md"])
def test_what_the_guide_says_works(home: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done = [words for words in commands_in(ROOT / "docs" / name) if words != ["serve"]]
    assert len(done) >= 13
    for words in done:
        monkeypatch.setattr("sys.stdin", io.StringIO("一句够长的话就是密码\n"))
        assert run(words) == 0, words


@pytest.mark.parametrize("name", ["access.md", "access.zh-CN.md"])
def test_what_the_guide_configures_is_configuration(home: Path, name: str) -> None:
    path = home / "config" / "vocwatch.yaml"
    plain = path.read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in (ROOT / "docs" / name).read_text(encoding="utf-8").split("```yaml\n")[1:]]
    assert len(blocks) == 2
    for block in blocks:
        path.write_text(plain + block, encoding="utf-8")
        assert YAML(typ="safe").load(block)["console"] and load_settings(read_environment({"VOCWATCH_HOME": str(home)})).app.console
