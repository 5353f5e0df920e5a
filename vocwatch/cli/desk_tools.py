"""The tools of the other stages that the console works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crawlers.propose import Person, Proposal, ProposeError, propose, signed, write_source
from crawlers.propose_talk import Choice
from crawlers.propose_write import as_yaml
from crawlers.runner import crawl
from crawlers.saved import as_stored
from reports.web.tools import Choices, Proposed, ToolError, Tried
from sentiment.bench import Bench
from sentiment.ready import make_judge
from vocwatch.cli.health import Health, source_health
from vocwatch.cli.source_show import coverage_of
from vocwatch.laboratory import Report
from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.reasons import spoken
from vocwatch.schedule.status import status
from vocwatch.settings import Settings, Source
from vocwatch.store import Store

_TEST_PAGES = 3
_SAMPLES = 3


class DeskTools:
    """Implements `reports.web.tools.Tools` over one store."""

    def __init__(self, store: Store):
        self._store = store
        self._settings: Settings | None = None
        self._bench = Bench(self._now, store, version=lambda settings: make_judge(settings).version)

    def _now(self) -> Settings:
        assert self._settings is not None
        return self._settings

    def try_rule(self, settings: Settings, fields: dict[str, Any], replaces: str, days: int) -> Report:
        """See `Tools`."""
        self._settings = settings
        return self._bench.try_fields(fields, replaces, days)

    def health(self, settings: Settings, source: Source) -> Health:
        """See `Tools`."""
        return source_health(settings, self._store, source)

    def standing(self, settings: Settings) -> Mapping[str, Any]:
        """See `Tools`."""
        return status(settings, self._store)

    def test_source(self, settings: Settings, name: str) -> Tried:
        """See `Tools`."""
        try:
            result = crawl(settings, self._store, [name], limit=_TEST_PAGES, dry_run=True)[0]
        except Exception as error:  # whatever goes wrong in another process, the page says so
            raise ToolError(one_line(f"{type(error).__name__}: {error}", 300)) from error
        stats, records = result.stats, list(result.records)
        failed = [f"{kind}{tr('：', ': ')}{spoken(stats.get('samples', {}).get(kind))}" for kind in stats.get("errors", {})]
        problems = [tr(f"{what}（{count} 条）", f"{spoken(what)} ({count})") for what, count in stats.get("problems", {}).items()]
        return Tried(
            result.status.value, spoken(result.reason) or "", records, int(stats.get("pages", 0)),
            coverage_of(records, settings.app.zone), [*problems, *failed],
        )

    def propose(
        self, settings: Settings, name: str, url: str, ask: Callable[[str, Choices], int], tell: Callable[[str], None]
    ) -> Proposed:
        """See `Tools`."""
        def asked(question: str, choices: Sequence[Choice]) -> int:
            return ask(question, [(choice.label, [one_line(one.text, 80) for one in choice.records[:_SAMPLES]]) for choice in choices])

        try:
            return self._proposed(settings, propose(settings, name, url, ask=asked, tell=tell))
        except ProposeError as error:
            raise ToolError(str(error)) from error

    @staticmethod
    def _proposed(settings: Settings, found: Proposal) -> Proposed:
        records = as_stored(settings, found.source, found.records)
        return Proposed(
            found.robots, found.kind, found.source.title, records, coverage_of(records, settings.app.zone), found.notes,
            as_yaml(found), found,
        )

    def write_source(self, settings: Settings, proposed: Proposed, answers: Mapping[str, str]) -> str:
        """See `Tools`."""
        person = Person(*(answers.get(key, "") for key in ("title", "owner", "basis", "impact", "reviewer")))
        try:
            return write_source(settings, signed(proposed.held, person)).stem
        except ProposeError as error:
            raise ToolError(str(error)) from error
