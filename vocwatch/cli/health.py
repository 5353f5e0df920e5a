"""`vocwatch source health`: how each source stands against its own past, and what to do where it does not stand well."""

from __future__ import annotations

import datetime as dt
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import typer

from vocwatch.cli.context import STATUS_WORDS, Context, JsonOption, print_json, print_rows, say
from vocwatch.exits import Exit
from vocwatch.lang import tr
from vocwatch.models import SourceStatus
from vocwatch.reasons import spoken
from vocwatch.settings import Settings, Source
from vocwatch.store import Store, pages, runs
from vocwatch.store.runs import Run

RUNS = 20
SPARKS = "▁▂▃▄▅▆▇█"
FALLEN = 0.1


@dataclass(frozen=True)
class Fallen:
    """A field that is read less often than usual; shares from 0 to 1."""

    field: str
    now: float
    usual: float


@dataclass(frozen=True)
class Health:
    """How a source stands. `records` and `new` are those of the last runs, oldest first; times are UTC."""

    name: str
    title: str
    enabled: bool
    status: str
    why: str | None
    last_run: dt.datetime | None
    last_good: dt.datetime | None
    failures: int
    records: list[int] = field(default_factory=list)
    usual_records: int | None = None
    new: list[int] = field(default_factory=list)
    usual_new: int | None = None
    quarantined: int = 0
    fields: dict[str, float] = field(default_factory=dict)
    fallen: list[Fallen] = field(default_factory=list)
    relevance: float | None = None
    usual_relevance: float | None = None
    canary: str = ""
    not_before: dt.datetime | None = None
    faults: list[str] = field(default_factory=list)
    next: str = ""

    @property
    def fine(self) -> bool:
        """Whether nothing has to be done."""
        return self.status in ("ok", "disabled")


def health_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="来源名；不写列出全部")] = "",
    accept: Annotated[bool, typer.Option("--accept", help="核对过了，现在这样就是正常：以前的产量和字段不再作准")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the state of each source against its own history; exit code 6 where one is not ok."""
    state: Context = context.obj
    sources = [state.source(name)] if name else list(state.settings.sources.values())
    if accept:
        _accept(state, name)
        return
    found = [source_health(state.settings, state.store, source) for source in sources]
    if as_json:
        print_json([asdict(health) for health in found])
    elif name:
        _show_one(state, found[0])
    else:
        _show_all(state, found)
    if not all(health.fine for health in found):
        raise typer.Exit(Exit.INCOMPLETE)


def _accept(state: Context, name: str) -> None:
    if not name:
        raise typer.BadParameter(tr("要写来源名：vocwatch source health 名字 --accept", "Name the source: vocwatch source health NAME --accept"))
    with state.store.begin() as connection:
        runs.accept(connection, name, state.now)
    say(tr(f"{name}：从现在起重新积累“平时”的样子，下次采集见", f"{name}: what is usual is learned anew from now on"))


def source_health(settings: Settings, store: Store, source: Source) -> Health:
    """Return how a source stands. Raises StorageError."""
    with store.read() as connection:
        past = runs.history(connection, "crawl", source.name, RUNS)
        good = runs.history(connection, "crawl", source.name, RUNS, SourceStatus.OK)
        since = runs.accepted_at(connection, source.name)
        memory = pages.read_state(connection, source.name)
    now = settings.clock.now()
    read = [run for run in past if _began(run)]
    last, told = next(iter(past), None), next(iter(read), None)
    usual = [run.stats for run in good if run is not told and (since is None or run.started_at > since)]
    usual = [stats for stats in usual if not told or stats.get("mode") == told.stats.get("mode")] or usual
    coverage = _shares(told.stats.get("coverage", {})) if told else {}
    status = _status(source, last)
    wait = memory.next_allowed_at if memory.next_allowed_at and memory.next_allowed_at > now else None
    faults = list(told.stats.get("faults", ())) if told and status != SourceStatus.OK else []
    return Health(
        name=source.name, title=source.title, enabled=source.enabled, status=status,
        why=_why(past), last_run=last.started_at if last else None,
        last_good=good[0].started_at if good else None, failures=_failures(past),
        records=[int(run.stats.get("records", 0)) for run in reversed(read[:14])],
        usual_records=_median([stats.get("records", 0) for stats in usual]),
        new=[int(run.stats.get("new", 0)) for run in reversed(read[:14])],
        usual_new=_median([stats.get("new", 0) for stats in usual]),
        quarantined=int(told.stats.get("quarantined", 0)) if told else 0,
        fields=coverage, fallen=_fallen(coverage, usual),
        relevance=_share(told.stats.get("relevance")) if told else None,
        usual_relevance=_middle([_share(stats.get("relevance")) for stats in usual]),
        canary=_canary(source, told), not_before=wait, faults=faults,
        next=next_step(source, status, faults, wait is not None),
    )


def _began(run: Run) -> bool:
    """Whether a run was allowed to begin: one that was told to wait says nothing of the site."""
    return "pages" in run.stats


def _status(source: Source, last: Run | None) -> str:
    if not source.enabled:
        return "disabled"
    return (last.outcome or SourceStatus.NOT_RUN).value if last else "never"


def _why(past: Sequence[Run]) -> str | None:
    """The last run's reason; where it was only told to wait, the reason it has to wait for comes with it."""
    if not past:
        return None
    reason, cause = past[0].reason, next((run.reason for run in past if _began(run) and run.outcome is not SourceStatus.OK), None)
    return spoken(f"{reason}（{cause}）" if cause and not _began(past[0]) and reason != cause else reason) or None


def _failures(past: Sequence[Run]) -> int:
    """How many runs in a row, up to the last, did not end well; refusals to begin are not counted."""
    tried = [run for run in past if _began(run)]
    return next((number for number, run in enumerate(tried) if run.outcome is SourceStatus.OK), len(tried))


def _share(pair: Any) -> float | None:
    return pair[0] / pair[1] if pair and pair[1] else None


def _shares(coverage: Mapping[str, Any]) -> dict[str, float]:
    found = {name: _share(pair) for name, pair in sorted(coverage.items())}
    return {name: share for name, share in found.items() if share is not None}


def _fallen(now: Mapping[str, float], usual: Sequence[Mapping[str, Any]]) -> list[Fallen]:
    found = []
    for name, share in now.items():
        before = _middle([_share(stats.get("coverage", {}).get(name)) for stats in usual])
        if before is not None and before - share >= FALLEN:
            found.append(Fallen(name, round(share, 3), round(before, 3)))
    return sorted(found, key=lambda fall: fall.now - fall.usual)


def _middle(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _median(values: Sequence[int]) -> int | None:
    return round(statistics.median(values)) if values else None


def _canary(source: Source, told: Run | None) -> str:
    parts = []
    if source.expect.canary:
        lost = bool(told and "canary" in told.stats.get("faults", ()))
        parts.append(tr("探针页读不出", "canary page unreadable") if lost else tr("探针页正常", "canary page fine"))
    if source.expect.canary_query:
        said = told.stats.get("canary") if told else None
        parts.append(tr("探针词没查过", "canary word not asked") if not said else
                     tr(f"探针词 {said[0]} 条", f"canary word {said[0]} results"))
    return tr("，", ", ").join(parts)


# -- what to do -----------------------------------------------------------------------------------------------


def next_step(source: Source, status: str, faults: Sequence[str], waiting: bool) -> str:
    """Return in words what a person does next about a source in this state; empty where there is nothing to do."""
    name, main = source.name, next(iter(faults), "")
    if status in ("ok", "disabled"):
        return ""
    if status == "never":
        return tr(f"还没跑过：vocwatch crawl {name}", f"Never run: vocwatch crawl {name}")
    if status == SourceStatus.BLOCKED or waiting:
        return _blocked_step(name, main, waiting)
    return _degraded_step(name, main)


def _blocked_step(name: str, main: str, waiting: bool) -> str:
    later = tr("到时间会自动试一次，不用管", "It is tried again by itself when the time comes") if waiting else tr(
        f"过一小时再试：vocwatch crawl {name}", f"Try again in an hour: vocwatch crawl {name}")
    if main == "login":
        return tr(f"网站要求登录，工具不登录。{later}；一直这样就用平台的官方接口或后台导出代替，先停用：vocwatch source disable {name}",
                  f"The site wants a login, which the tool never does. {later}; if it stays, use the official API or an export instead and switch it off: vocwatch source disable {name}")
    slower = tr(f"同时把 config/sources/{name}.yaml 的 rate.delay_seconds 调大", f"Also raise rate.delay_seconds in config/sources/{name}.yaml")
    return f"{later}{tr('；', '; ')}{slower}"


def _degraded_step(name: str, main: str) -> str:
    file = f"config/sources/{name}.yaml"
    test = f"vocwatch source test {name}"
    markup = tr(f"页面写法变了：跑 {test}，再改 {file} 的", f"The page's markup has changed: run {test}, then edit in {file} the")
    looks = tr(f"打开网站看一眼，再跑 {test}；确实就是这样，用 vocwatch source health {name} --accept 认可",
               f"Look at the site, then run {test}; if it is really so, accept it: vocwatch source health {name} --accept")
    steps = {
        "drift": tr(f"{markup} records / links 路径", f"{markup} records and links paths"),
        "partial_drift": tr(f"{markup} records，给新写法加一条路径", f"{markup} records: add a path for the new form"),
        "fields": tr(f"{markup} 掉下来的字段", f"{markup} fields that fell"),
        "partial_fields": tr(f"{markup} 掉下来的字段，给新写法加一条路径", f"{markup} fields that fell: add a path for the new form"),
        "invalid": tr(f"{markup} 时间或数值字段的 path、regex", f"{markup} path or regex of the time and number fields"),
        "partial_invalid": tr(f"{markup} 时间或数值字段的 path、regex", f"{markup} path or regex of the time and number fields"),
        "comments": tr(f"{markup} comments", f"{markup} comments step"),
        "charset": tr(f"编码认错了：在 {file} 写明 charset，再跑 {test}", f"The encoding was mistaken: give {file} its charset, then run {test}"),
        "budget": tr(f"调大 {file} 的 rate.max_pages / max_minutes，或加密采集", f"Raise rate.max_pages or max_minutes in {file}, or crawl more often"),
        "gap": tr(f"调大 {file} 的 next.max_pages，或加密采集", f"Raise next.max_pages in {file}, or crawl more often"),
        "capped": tr(f"调小 {file} 的 split.min_hours，或加密采集", f"Lower split.min_hours in {file}, or crawl more often"),
        "scroll": tr(f"调大 {file} 的 browser.max_scrolls", f"Raise browser.max_scrolls in {file}"),
        "robots": tr(f"网站的 robots.txt 不允许，工具照办；换入口或停用：vocwatch source disable {name}",
                     f"The site's robots.txt forbids it and the tool obeys; find another door or switch it off: vocwatch source disable {name}"),
        "config": tr(f"改 {file}，再跑 {test}", f"Edit {file}, then run {test}"),
        "empty": tr(f"在 {file} 写上 expect.min_links 或 expect.canary_query，以后才分得清没内容和被限制",
                    f"Give {file} an expect.min_links or expect.canary_query, to tell quiet from limited"),
    }
    network = tr(f"网络或对方服务器的问题，下次自动再试；一直这样就在浏览器里打开起始地址看看，再跑 {test}",
                 f"A matter of the network or their server: it is tried again by itself; if it stays, open the start address in a browser, then run {test}")
    if main in ("soft_empty", "volume", "few", "decoy", "repeated", "canary", "canary_query", "removed"):
        return looks
    return steps.get(main, network)


# -- showing --------------------------------------------------------------------------------------------------


def sparkline(values: Sequence[int]) -> str:
    """Return numbers as bars of text; nothing at all is the lowest."""
    top = max(values, default=0)
    return "".join(SPARKS[0 if not top else round(value / top * (len(SPARKS) - 1))] for value in values)


def _state_word(status: str) -> str:
    words = {"disabled": tr("停用", "off"), "never": tr("没跑过", "never run")}
    return words.get(status) or tr(*STATUS_WORDS[SourceStatus(status)])


def _local(state: Context, moment: dt.datetime | None) -> str | None:
    return moment.astimezone(state.settings.app.zone).strftime("%m-%d %H:%M") if moment else None


def _yield(health: Health) -> str:
    usual = health.usual_records
    last = health.records[-1] if health.records else None
    return f"{sparkline(health.records)} {'' if last is None else last}/{'?' if usual is None else usual}"


def _show_all(state: Context, found: Sequence[Health]) -> None:
    rows = [
        {
            "name": health.name, "status": _state_word(health.status), "good": _local(state, health.last_good),
            "failures": health.failures, "yield": _yield(health), "until": _local(state, health.not_before),
            "why": health.why, "next": health.next,
        }
        for health in found
    ]
    print_rows(rows, {
        "name": tr("来源", "Source"), "status": tr("现在", "Now"), "good": tr("上次正常", "Last good"),
        "failures": tr("连续异常", "In a row"), "yield": tr("产量 本次/平时", "Yield now/usual"),
        "until": tr("等到", "Waits until"), "why": tr("原因", "Why"), "next": tr("下一步", "Next"),
    }, False)


def _show_one(state: Context, health: Health) -> None:
    percent = "{:.0%}".format
    usual = health.usual_relevance
    lines = [
        (tr("来源", "Source"), f"{health.name} {health.title}"), (tr("现在", "Now"), _state_word(health.status)),
        (tr("原因", "Why"), health.why), (tr("下一步", "Next"), health.next),
        (tr("等到", "Waits until"), _local(state, health.not_before)),
        (tr("上次采集", "Last run"), _local(state, health.last_run)), (tr("上次正常", "Last good"), _local(state, health.last_good)),
        (tr("连续异常", "Failures in a row"), health.failures),
        (tr("产量 本次/平时", "Records now/usual"), _yield(health) if health.records else None),
        (tr("新内容 本次/平时", "New now/usual"), f"{sparkline(health.new)} {health.new[-1]}/{health.usual_new}" if health.new else None),
        (tr("隔离的坏行", "Bad rows kept out"), health.quarantined or None),
        (tr("掉下来的字段", "Fields that fell"), [f"{f.field} {percent(f.now)} ({percent(f.usual)})" for f in health.fallen] or None),
        (tr("字段", "Fields"), [f"{name} {percent(share)}" for name, share in health.fields.items()] or None),
        (tr("含关键词的结果", "Results with the keyword"), None if health.relevance is None else
         f"{percent(health.relevance)}{'' if usual is None else f' ({percent(usual)})'}"),
        (tr("探针", "Canary"), health.canary or None),
    ]
    print_rows([{"what": what, "value": value} for what, value in lines if value is not None and value != ""],
               {"what": tr("项目", "Item"), "value": tr("内容", "Value")}, False)
