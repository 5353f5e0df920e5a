"""Makes one spider for each file under `config/sources/`, so that `scrapy list` and `scrapy crawl NAME` know them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.settings import BaseSettings

from vocwatch.settings import Settings, load_settings

if TYPE_CHECKING:
    from scrapy import Request, Spider

    from crawlers.spider import SourceSpider


def spider_class(settings: Settings, name: str) -> type[SourceSpider]:
    """Return the spider of a source. Raises KeyError."""
    from crawlers.spider import SourceSpider

    source = settings.sources[name]
    return type(f"Spider_{name}", (SourceSpider,), {
        "name": name, "source": source, "config": settings, "__doc__": source.title, "__module__": __name__,
    })


class SourceLoader:
    """Scrapy's spider loader over the configuration."""

    def __init__(self, settings: Settings):
        self._settings = settings

    @classmethod
    def from_settings(cls, settings: BaseSettings) -> SourceLoader:
        """Scrapy's constructor. Raises ConfigError."""
        return cls(load_settings())

    def load(self, spider_name: str) -> type[Spider]:
        """Return the spider class of a source. Raises KeyError."""
        return spider_class(self._settings, spider_name)

    def list(self) -> list[str]:
        """Return the names of all sources."""
        return sorted(self._settings.sources)

    def find_by_request(self, request: Request) -> list[str]:  # type: ignore[valid-type]
        """Sources are asked for by name only."""
        return []
