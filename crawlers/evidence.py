"""Screenshots of what reached a digest or an alert: taken where the source's file and its robots.txt allow it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from crawlers import stop
from crawlers.audit import AuditLog
from vocwatch.browser import NoBrowser
from vocwatch.lang import tr
from vocwatch.plain import one_line, safe_url
from vocwatch.reasons import spoken
from vocwatch.settings import Settings, Source
from vocwatch.store import Store, evidence

MAX_PER_SOURCE = 20


class Picture(Protocol):
    """A screenshot as `crawlers.snapshot` gives it."""

    @property
    def png(self) -> bytes: ...  # noqa: D102
    @property
    def url(self) -> str: ...  # noqa: D102
    @property
    def taken_at(self) -> dt.datetime: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102


Take = Callable[[Settings, Source, Sequence[str]], Mapping[str, "Picture | str"]]
Progress = Callable[[str], None]


@dataclass
class ShootReport:
    """How many pictures were taken, and why others were not: address → reason."""

    taken: int = 0
    refused: dict[str, str] = field(default_factory=dict)


def shoot(
    settings: Settings, store: Store, mention_ids: Iterable[int], on_progress: Progress = lambda line: None,
    take: Take | None = None,
) -> ShootReport:
    """Take a screenshot of each mention whose newest text has none yet; every failure is told, none is raised.

    Mentions at one address share the picture. Nothing is taken where the source forbids it
    (`access.screenshot: false`), is switched off, or everything is stopped; robots.txt is asked by the browser.
    Raises StorageError.
    """
    report = ShootReport()
    with store.read() as connection:
        due = evidence.shots_due(connection, mention_ids)
    by_source: dict[str, dict[str, list[evidence.Due]]] = defaultdict(lambda: defaultdict(list))
    for one in due:
        by_source[one.source][one.url.partition("#")[0]].append(one)
    for name, wanted in sorted(by_source.items()):
        _shoot_source(settings, store, name, wanted, report, take or _take)
    if due:
        on_progress(tr(f"  截图：{report.taken} 张，{len(report.refused)} 张没有截",
                       f"  Screenshots: {report.taken} taken, {len(report.refused)} not"))
        for reason in sorted(set(report.refused.values())):
            on_progress(f"    {one_line(reason)}")
    return report


def _take(settings: Settings, source: Source, urls: Sequence[str]) -> Mapping[str, Picture | str]:
    from crawlers.snapshot import take  # the browser's weight, only where there is something to photograph

    return take(settings, source, urls)


def _shoot_source(
    settings: Settings, store: Store, name: str, wanted: Mapping[str, list[evidence.Due]], report: ShootReport,
    take: Take,
) -> None:
    log = AuditLog.of(settings, name, None, "shots")  # what is asked for is written down by the browser's own process
    source = settings.sources.get(name)
    allowed: list[str] = []
    for url in wanted:
        why = _forbidden(settings, source, url)
        if why is None and len(allowed) < MAX_PER_SOURCE:
            allowed.append(url)
            continue
        told = why or tr(f"每个来源每次最多 {MAX_PER_SOURCE} 张，下次再截", f"at most {MAX_PER_SOURCE} a source at a time")
        report.refused[url] = f"{name}{tr('：', ': ')}{told}"
        log.record("skip", url, f"screenshot: {told}")
    if source is not None and allowed:
        try:
            pictures = take(settings, source, allowed)
        except NoBrowser as error:
            pictures = dict.fromkeys(allowed, str(error))
        for url in allowed:
            _keep(settings, store, url, pictures.get(url), wanted[url], report)
    log.close()


def _forbidden(settings: Settings, source: Source | None, url: str) -> str | None:
    stopped = stop.stopped(settings)
    if stopped is not None:
        return tr(f"已按总开关停止：{stopped}", f"everything is stopped: {stopped}")
    if source is None or not source.enabled:
        return tr("来源已停用", "the source is off")
    if not source.access.screenshot:
        return tr("来源不允许截图（access.screenshot: false）", "the source forbids it (access.screenshot: false)")
    if settings.refusals.refuses_url(url):
        return tr("在拒绝采集名单上", "on the refusal list")
    return None


def _keep(
    settings: Settings, store: Store, url: str, picture: Picture | str | None, due: list[evidence.Due],
    report: ShootReport,
) -> None:
    if picture is None or isinstance(picture, str):
        report.refused[url] = f"{due[0].source}{tr('：', ': ')}{spoken(picture) or tr('没有截到', 'nothing came')}"
        return
    with store.begin() as connection:
        evidence.keep_shot(
            connection, settings.env.data / "evidence", due, picture.png, url=safe_url(picture.url),
            taken_at=picture.taken_at, width=picture.width, height=picture.height,
        )
    report.taken += 1
