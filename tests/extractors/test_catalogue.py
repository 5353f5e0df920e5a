"""The source catalogue: every file loads, compiles, says on what ground it reads, and is off by default."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from crawlers.extractors import SpecError, check_source
from vocwatch.settings.sources import Source
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = sorted((ROOT / "config" / "sources" / "catalogue").glob("*.yaml"))
EXTRACTORS = sorted((ROOT / "crawlers" / "extractors").glob("*.py"))
SLOWEST_ALLOWED = 3.0  # seconds between two requests, at least


@pytest.mark.parametrize("path", CATALOGUE, ids=lambda path: path.stem)
def test_catalogue_file(path: Path) -> None:
    source = load_model(path, Source, {})
    check_source(source)
    assert source.name == path.stem
    assert not source.enabled
    assert source.owner and source.access.basis and source.access.robots and source.access.reviewer
    if source.start:
        assert (source.rate.delay_seconds or 0) >= SLOWEST_ALLOWED


def test_catalogue_is_there() -> None:
    assert len(CATALOGUE) >= 30


def test_a_malformed_path_is_named() -> None:
    raw = {
        "name": "x", "title": "x", "owner": "x", "access": {"basis": "x", "robots": "x", "reviewer": "x", "date": "2026-11-22"},
        "start": [], "listing": {"extract": "html", "records": [{"kind": "post", "items": "div[", "fields": {"text": "p"}}]},
    }
    with pytest.raises(SpecError, match=r"div\["):
        check_source(Source.model_validate(raw))


def test_a_platforms_name_stands_in_its_source_file_alone() -> None:
    """No extractor module knows platforms by name: a redesign changes one YAML file."""
    names = {"xiaohongshu", "jd", "tieba", "heimao", "zhihu", "bilibili", "douyin", "trustpilot", "hackernews", "reddit", "douban"}
    for path in EXTRACTORS:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        used |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        assert not {name for name in used if name.lower() in names}, path.name
