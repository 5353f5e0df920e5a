"""The source catalogue: every file loads, compiles, says on what ground it reads, and is off by default."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from pydantic import ValidationError

from crawlers.extractors import SpecError, check_source
from vocwatch.settings.catalogue import CatalogueEnglish, UnavailableList
from vocwatch.settings.session_maps import SessionMap
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
    assert source.owner and source.access.basis and source.access.robots and source.access.terms is not None
    assert source.access.reviewer.startswith("待填"), "nobody has looked yet: whoever adopts it does"
    assert len(source.limits) >= 15, "what can be had, how old, how many, when it blocks"
    assert source.access.impact
    if source.start:
        assert (source.rate.delay_seconds or 0) >= SLOWEST_ALLOWED
        assert f"最多 {source.rate.max_pages} 页" in source.access.impact
        assert f"至少隔 {source.rate.delay_seconds:g} 秒" in source.access.impact


# What the issue promises.
PROMISED = {
    "rss", "rsshub", "news-rss", "news", "schema-org", "appstore", "appstore-xml", "trustpilot", "hackernews", "stackoverflow",
    "stackexchange-api", "reddit-rss", "v2ex", "discourse", "mastodon", "youtube-api", "discuz", "tieba", "hupu", "douban",
    "douban-group", "heimao", "heimao-api", "heimao-list", "dongchedi", "xiaohongshu", "bilibili", "zhihu", "weibo", "smzdm",
    "any-page", "jd-shop", "tmall-shop", "taobao-shop", "douyin-shop", "xiaohongshu-shop", "dianping-shop",
}


def test_catalogue_is_there() -> None:
    assert {path.stem for path in CATALOGUE} >= PROMISED


def test_every_source_of_the_catalogue_has_a_page_or_a_mapping() -> None:
    pages = {path.parent.name for path in (ROOT / "tests" / "pages").glob("*/*.expected.json")}
    shops = {
        mapping.reviews.source
        for path in (ROOT / "config" / "sessions").glob("*.yaml")
        if (mapping := load_model(path, SessionMap, {})).reviews is not None
    }
    assert {path.stem for path in CATALOGUE} - pages - shops == set()


def test_what_cannot_be_had_names_sources_that_exist() -> None:
    listed = load_model(ROOT / "config" / "sources" / "unavailable.yaml", UnavailableList, {})
    names = {path.stem for path in CATALOGUE}
    assert {name for item in listed.items for name in item.sources} <= names
    assert {"小红书", "抖音", "微博", "京东"} <= {item.platform for item in listed.items}
    for word in ("登录", "Cookie", "代理", "打码平台"):
        assert all(word not in item.instead or word == "登录" for item in listed.items), word


def test_the_english_limits_stand_for_every_source() -> None:
    english = load_model(ROOT / "config" / "sources" / "catalogue.en.yaml", CatalogueEnglish, {})
    assert set(english.limits) == {path.stem for path in CATALOGUE}


def test_a_key_never_stands_in_a_file() -> None:
    for path in CATALOGUE:
        headers = load_model(path, Source, {}).headers
        assert all(value.startswith("env:") for value in headers.values())
    assert load_model(CATALOGUE[0].parent / "youtube-api.yaml", Source, {}).headers == {"X-Goog-Api-Key": "env:YOUTUBE_API_KEY"}


def test_an_export_source_has_nothing_to_crawl() -> None:
    raw = {
        "name": "x", "title": "x", "owner": "x", "access": {"basis": "x", "robots": "x", "reviewer": "x", "date": "2026-11-22"},
        "transport": "export", "start": ["https://example.com/"],
    }
    with pytest.raises(ValidationError, match="由文件导入"):
        Source.model_validate(raw)


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
