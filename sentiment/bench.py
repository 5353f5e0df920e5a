"""The laboratory over the store: recent texts kept ready in the process, and brought up to date before each answer."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from dataclasses import replace

from sentiment.laboratory import LOOKS, SAMPLES, Draft, try_out
from sentiment.normalise import normal_form
from sentiment.ready import own_pages
from sentiment.specimens import MOST_TEXTS, Specimen, Specimens
from vocwatch.clock import business_date
from vocwatch.laboratory import Problem, Report
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.settings.drafts import DraftError, with_watch
from vocwatch.settings.watches import Watch, Watches, too_broad
from vocwatch.store import Store, recent

DAYS = 28
FRESH_SECONDS = 20.0
MOST_NAMES = 1_000
"""Names whose disguises may be looked for in one watch."""
_COUNTED = 50


class Bench:
    """Tries rules. `settings` are asked for anew each time; one thread at a time looks, the others wait.

    `days` is how far back texts are kept, `fresh_seconds` how long an answer may be behind the store. `version` names
    the judge of some settings: without it nothing is said to be judged by an older configuration.
    """

    def __init__(
        self, settings: Callable[[], Settings], store: Store, *, days: int = DAYS, fresh_seconds: float = FRESH_SECONDS,
        most: int = MOST_TEXTS, version: Callable[[Settings], str] | None = None,
    ):
        self._settings, self._store, self._days, self._fresh = settings, store, days, fresh_seconds
        self._most = most
        self._specimens = Specimens(most)
        self._lock = threading.Lock()
        self._read_at: dt.datetime | None = None
        self._judged: dt.datetime | None = None
        self._erased: tuple[int, int] | None = None
        self._ask_version, self._version = version, ""
        self._of: Settings | None = None

    def try_fields(self, fields: dict[str, object], replaces: str = "", days: int = 7, looks: int | None = LOOKS) -> Report:
        """Try a rule as a form or a file gives it, in place of the watch `replaces`; problems are told, never raised."""
        settings = self._settings()
        try:
            watches, watch = with_watch(settings.watches, fields, replaces)
        except DraftError as error:
            return self._refused(error, fields, days)
        return self.try_watch(watches, watch.id, days=days, looks=looks, replaces=replaces)

    def try_watch(
        self, watches: Watches, watch_id: str, *, days: int = DAYS, looks: int | None = LOOKS, samples: int = SAMPLES,
        replaces: str = "",
    ) -> Report:
        """Try a watch of some watches against what is stored. At most about `looks` texts are read (None: all)."""
        settings = self._settings()
        watch = next(one for one in watches.watches if one.id == watch_id)
        if _derives(watch) and 1 + len(watch.aliases) > MOST_NAMES:
            return Report(watch_id, days, 0, (Problem("aliases", tr(
                f"一条监测词里有 {1 + len(watch.aliases)} 个叫法，还要各自派生变体，最多 {MOST_NAMES} 个。请拆成几条，或写 variants: false",
                f"{1 + len(watch.aliases)} names in one watch, each with its variants: at most {MOST_NAMES}. Split it, or set variants: false",
            )),))
        saved = settings.watches
        if replaces and replaces != watch_id:  # under a new id it is compared with what the old one hit
            saved = Watches.model_construct(learned=saved.learned, watches=tuple(
                one.model_copy(update={"id": watch_id}) if one.id == replaces else one for one in saved.watches
            ))
        draft = Draft(watches, watch_id, saved, own_pages(settings))
        with self._lock:
            self._bring_up_to_date(settings)
            return try_out(self._specimens, draft, now=settings.clock.now(), days=days, looks=looks, samples=samples)

    def _refused(self, error: DraftError, fields: dict[str, object], days: int) -> Report:
        """Say what is wrong, and of words that are too broad how many stored texts hold them."""
        words = [str(word) for word in (fields.get("name"), *_listed(fields.get("aliases"))) if word]
        broad = [word for word in words if too_broad(word)][:_COUNTED]
        settings = self._settings()
        with self._lock:
            self._bring_up_to_date(settings)
            since = settings.clock.now() - dt.timedelta(days=days)
            texts = sum(one.at >= since for _, one in self._specimens.items())
            counts = self._specimens.counts([normal_form(word) for word in broad], since)
        told = tuple(
            tr(f"最近 {days} 天的 {texts} 条里，{counts.get(normal_form(word), 0)} 条有“{word}”",
               f"“{word}” stands in {counts.get(normal_form(word), 0)} of {texts} texts of {days} days")
            for word in broad
        )
        return Report(str(fields.get("id") or ""), days, texts, tuple(error.problems), told)

    def _bring_up_to_date(self, settings: Settings) -> None:
        now = settings.clock.now()
        if self._read_at is not None and abs((now - self._read_at).total_seconds()) < self._fresh:
            return
        since = now - dt.timedelta(days=self._days)
        with self._store.read() as connection:
            mark = recent.erased(connection)
            if self._erased != mark:  # what was erased must not live on here
                self._specimens, self._judged, self._erased = Specimens(self._most), None, mark
            found = recent.texts(connection, since, judged_since=self._judged, limit=self._most)
            wrong = recent.not_ours(connection)
        version = self._version
        if self._ask_version and self._of is not settings:
            version, self._of = self._ask_version(settings), settings
        zone = settings.app.zone
        self._specimens.put([_specimen(one, zone, wrong, version) for one in found])
        changed = [
            replace(one, wrong=one.id in wrong, stale=self._stale(one, version)) for _, one in self._specimens.items()
            if one.wrong is not (one.id in wrong) or (version != self._version and one.stale is not self._stale(one, version))
        ]
        self._specimens.put(changed)
        self._specimens.keep(lambda one: one.at >= since)
        self._judged = max((one.row.assessed_at for one in found), default=self._judged)
        self._read_at, self._version = now, version

    @staticmethod
    def _stale(one: Specimen, version: str) -> bool:
        return bool(version) and not one.mark.endswith(f" {version}") and not one.mark.partition(" ")[2].startswith(("llm-", "standby-"))


def _specimen(one: recent.Recent, zone: dt.tzinfo, wrong: frozenset[int], version: str) -> Specimen:
    row = one.row
    mark = f"{row.text_sha[:16]} {row.model_version}"
    made = Specimen(
        row.id, row.source, row.url, row.at, business_date(row.at, zone), one.item, mark, one.hits,  # type: ignore[arg-type]
        tuple(sorted({line["name"] for line in row.red_lines})), row.sku or row.product or "", row.voice, row.brand_match,
        row.id in wrong,
    )
    return replace(made, stale=Bench._stale(made, version))


def _derives(watch: Watch) -> bool:
    return bool(watch.variants) if watch.variants is not None else watch.kind in ("brand", "competitor")


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else []
