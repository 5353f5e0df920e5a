"""The refusal list: what it refuses, how it complains, how it is added to."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.store.kept import tiny_home
from vocwatch.settings import ConfigError, Refusals, load_settings, read_environment
from vocwatch.settings.refusals import FILE, address_key, append
from vocwatch.settings.yamlfile import load_model

DATE = dt.date(2026, 11, 16)
KEY = "abcdefghij234567"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tiny_home(tmp_path / "home")


def refusing(*urls: str, **more: Any) -> Refusals:
    return Refusals.model_validate({"urls": [{"url": url, "date": DATE} for url in urls], **more})


@pytest.mark.parametrize(("entry", "url", "refused"), [
    ("https://a.example/p/1", "https://a.example/p/1", True),
    ("https://a.example/p/1", "http://A.example:80/p/1/", True),
    ("https://a.example/p/1", "https://a.example/p/%31", True),
    ("https://a.example/p/1", "https://a.example/p/1#c5", True),
    ("https://a.example/p/1", "https://a.example/p/12", False),
    ("https://a.example/p/1", "https://a.example/p/1?page=2", False),
    ("https://a.example/p/1#c5", "https://a.example/p/1#c5", True),
    ("https://a.example/p/1#c5", "https://a.example/p/1", False),
    ("https://a.example/p?id=1", "https://a.example/p?id=1", True),
    ("https://a.example/p?id=1", "https://a.example/p?id=2", False),
    ("https://a.example/u/12/*", "https://a.example/u/12/p/3?x=1", True),
    ("https://a.example/u/12/*", "https://a.example/u/12", True),
    ("https://a.example/u/12/*", "https://a.example/u/12?tab=posts", True),
    ("https://a.example/u/12/*", "https://a.example/u/123", False),
    ("https://a.example/*", "https://a.example/", True),
    ("https://a.example/*", "https://b.a.example/", False),
    ("https://a.example:8443/*", "https://a.example/", False),
    ("https://a.example/u/*", "javascript:alert(1)", False),
    ("https://a.example/u/*", "http://[broken", False),
])
def test_what_an_address_refuses(entry: str, url: str, refused: bool) -> None:
    assert refusing(entry).refuses_url(url) is refused


def test_authors_numbers_and_what_stands_below_a_number() -> None:
    refused = Refusals.model_validate({
        "authors": [{"author": KEY, "date": DATE}], "ids": [{"source": "forum", "id": "7", "date": DATE}],
    })
    assert refused
    assert refused.refuses("forum", "1", "https://a.example/1", KEY)
    assert refused.refuses("forum", "7") and not refused.refuses("news", "7")
    assert refused.refuses("forum", "c1", parent="7")
    assert not refused.refuses("forum", "1", "https://a.example/1", "zzzzzzzzzz222222", "6")
    assert not Refusals() and not Refusals().refuses("forum", "7", "https://a.example/1", KEY)


@pytest.mark.parametrize(("text", "line", "words"), [
    ("urls:\n- {url: a.example/1, date: 2026-11-01}\n", 2, "完整网址"),
    ("urls:\n- {url: 'https://a.example/*/x', date: 2026-11-01}\n", 2, "完整网址"),
    ("urls:\n- {url: 'https://a.example*', date: 2026-11-01}\n", 2, "完整网址"),
    ("authors:\n- {author: 张三, date: 2026-11-01}\n", 2, "发布者代号"),
    ("ids:\n- {source: forum, date: 2026-11-01}\n", 2, "缺少"),
    ("urls: []\nauthor: []\n", 2, "最接近的是 authors"),
    ("urls:\n- {url: 'https://a.example/1'}\n", 2, "date"),
])
def test_a_broken_list_stops_everything_and_names_its_line(home: Path, text: str, line: int, words: str) -> None:
    path = home / "config" / FILE
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(read_environment({"VOCWATCH_HOME": str(home)}))
    assert any(problem.startswith(f"{path}:{line}:") and words in problem for problem in caught.value.problems)


def test_a_missing_list_refuses_nothing(home: Path) -> None:
    (home / "config" / FILE).unlink()
    assert not load_settings(read_environment({"VOCWATCH_HOME": str(home)})).refusals


def test_the_shipped_list_is_empty_and_says_how_it_is_written() -> None:
    assert not load_model(ROOT / "config" / FILE, Refusals, {})
    shown = (ROOT / "config" / FILE).read_text(encoding="utf-8")
    assert "vocwatch forget" in shown and "/*" in shown


def test_adding_keeps_comments_and_adds_once(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("# 名单\nurls:\n- {url: 'https://a.example/1', reason: '', date: 2026-11-01}   # 法务\nauthors: []\n", encoding="utf-8")
    assert append(path, "urls", {"url": "https://a.example/2", "reason": "本人", "date": DATE})
    assert not append(path, "urls", {"url": "https://a.example/2", "reason": "别的话", "date": dt.date(2026, 11, 17)})
    assert append(path, "ids", {"source": "forum", "id": "007", "reason": "x", "date": DATE})
    text = path.read_text(encoding="utf-8")
    assert "# 名单" in text and "# 法务" in text
    loaded = load_model(path, Refusals, {})
    assert [entry.url for entry in loaded.urls] == ["https://a.example/1", "https://a.example/2"]
    assert loaded.ids[0].id == "007"


def test_the_first_entry_makes_the_file(tmp_path: Path) -> None:
    assert append(tmp_path / FILE, "authors", {"author": KEY, "reason": "", "date": DATE})
    assert load_model(tmp_path / FILE, Refusals, {}).authors[0].author == KEY


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=40), st.sampled_from(["https://a.example/", "http://a.example:99/x?", ""]))
def test_any_address_has_a_key(text: str, start: str) -> None:
    key = address_key(start + text)
    assert isinstance(key, str)
    refusing("https://a.example/u/*").refuses_url(start + text)
