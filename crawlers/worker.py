"""One crawl in a process of its own: `python -m crawlers.worker --source NAME --run-id ID`.

A Twisted reactor cannot be started twice, and a browser that breaks stays outside. Everything it needs is in the
environment. Exit codes: 0 it ran (how it went is in the run row), 2 usage, 3 storage, 4 configuration.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # looking for garbage among what is being imported takes a tenth of the start

import argparse
import json
import logging
import os
import sys
import threading
from pathlib import Path

from scrapy.crawler import CrawlerProcess
from scrapy.settings import Settings as ScrapySettings
from scrapy.spiderloader import DummySpiderLoader

from crawlers import settings as scrapy_settings
from crawlers.context import RunContext
from crawlers.credentials import Unusable, credentials
from crawlers.extractors import SpecError, check_source
from crawlers.loader import spider_class
from crawlers.pipeline import finish
from vocwatch.browser import NoBrowser
from vocwatch.settings import ConfigError, Settings, Source, load_settings
from vocwatch.store import StorageError, Store, open_store, runs

EXIT_STORAGE, EXIT_CONFIG = 3, 4


def own_context(settings: Settings, source: Source) -> RunContext:
    """Return the context of a crawl that nobody prepared (`scrapy crawl NAME`): with a run row of its own."""
    store = open_store(settings.env.database_url)
    with store.begin() as connection:
        run_id = runs.start(connection, "crawl", source.name, settings.clock.now())
    return RunContext(settings, source, store, run_id)


def crawl(context: RunContext) -> None:
    """Run one crawl to its end in this process."""
    settings = project_settings()
    # The class is at hand; looking it up by name would read all of `config/` once more.
    settings.set("SPIDER_LOADER_CLASS", DummySpiderLoader, priority="cmdline")
    # What has been imported stays to the end; looking through it for garbage cost a tenth of a crawl.
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)
    process = CrawlerProcess(settings)
    logging.disable(logging.WARNING)  # Scrapy writes a record for each page, which LOG_LEVEL then drops
    process.crawl(spider_class(context.settings, context.source.name), context=context)
    process.start()


def project_settings() -> ScrapySettings:
    """Return Scrapy's settings for a process of the project."""
    found = ScrapySettings()
    found.setmodule(scrapy_settings, priority="project")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m crawlers.worker")
    parser.add_argument("--source", required=True)
    parser.add_argument("--run-id", type=int)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--dry-run", type=Path, help="write records to this file, store nothing")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input is closed")
    given = parser.parse_args(arguments)
    if given.with_parent:
        threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        return _run(given)
    except ConfigError as error:
        return _fail(str(error), EXIT_CONFIG)
    except StorageError as error:
        return _fail(str(error), EXIT_STORAGE)


def _run(given: argparse.Namespace) -> int:
    settings = load_settings(source=given.source)
    source = settings.sources.get(given.source)
    if source is None:
        names = "、".join(sorted(load_settings().sources)) or "无"
        raise ConfigError([f"没有这个来源：{given.source}。可用：{names}"])
    if given.run_id is None and given.dry_run is None:
        context = own_context(settings, source)
        context.limit = given.limit
    else:
        # Who handed out the run id has brought the schema up to date.
        store = None if given.dry_run else Store(settings.env.database_url)
        context = RunContext(settings, source, store, given.run_id, given.limit, given.dry_run)
    try:
        check_source(source)
        credentials(settings, source)
        crawl(context)
    except SpecError as error:
        _not_run(context, "config", f"{settings.env.config / 'sources' / source.name}.yaml: {error}")
    except Unusable as error:
        _not_run(context, "config", str(error))
    except NoBrowser as error:
        _not_run(context, "no_browser", str(error))
    if context.store is None:
        status, reason = finish(context)
        sys.stderr.write(json.dumps({"status": status, "reason": reason, "stats": context.stats()}) + "\n")
    if context.fatal:
        return _fail(context.fatal, EXIT_STORAGE)
    return 0


def _not_run(context: RunContext, kind: str, reason: str) -> None:
    """Close the row of a run that could not even begin."""
    context.halt(kind, reason)
    finish(context)


def end_with_parent() -> None:
    """Nobody waits for this crawl any more when its standard input closes."""
    while os.read(0, 4096):  # not sys.stdin: its lock would be held at interpreter shutdown
        pass
    os._exit(1)


def _fail(message: str, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
