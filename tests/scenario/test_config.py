"""The sources written for the simulated web can be loaded and compiled."""

from __future__ import annotations

from crawlers.extractors import check_source
from tests.conftest import ROOT
from vocwatch.settings import load_settings, read_environment


def test_the_six_sources_compile(tmp_path: object) -> None:
    settings = load_settings(read_environment({
        "VOCWATCH_CONFIG": str(ROOT / "tests" / "scenario" / "config"), "VOCWATCH_HOME": str(tmp_path),
        "SCENARIO_NEWS_PORT": "9105",
    }))
    assert sorted(settings.sources) == ["complaints", "forum", "news", "notes", "reviews", "video"]
    assert settings.sources["news"].start == ("http://127.0.0.1:9105/rss.xml",)
    for source in settings.sources.values():
        check_source(source)
