"""`vocwatch watch`: the watched words."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sentiment.bench import Bench
from sentiment.contexts import LabelledHit, learn, places_of
from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.ready import own_pages
from sentiment.suggest import Seen, suggest
from vocwatch.cli import watch_versions
from vocwatch.cli.context import Context, JsonOption, print_json, print_rows, say, user_name
from vocwatch.configuring import By, ChangeError, Configuring
from vocwatch.exits import Exit, Stop
from vocwatch.hit_words import hit_words
from vocwatch.laboratory import Part, Report
from vocwatch.lang import tr
from vocwatch.models import Hit, TextInput
from vocwatch.settings.changes import WATCH, Change
from vocwatch.settings.drafts import DraftError, with_watch
from vocwatch.settings.edit import write_tree
from vocwatch.settings.watches import LEARNED_FILE, Watch, Watches, too_broad
from vocwatch.settings.yamlfile import load_model
from vocwatch.store import queries

_REMARK = "# 由 vocwatch watch learn 写成：名字附近的词和分量（正数：是品牌；负数：不是）。~ 代表名字本身。可以改，也可以删。\n"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", help="列出监测词")(list_command)
    group.command("add", help="往 config/watches.yaml 加一条监测词")(add_command)
    group.command("test", help="在已入库的提及上试一个词、一条监测词或一份改过的文件：命中哪些，少了哪些")(test_command)
    group.command("suggest", help="从已入库的文本里找：大家还怎么叫它")(suggest_command)
    group.command("learn", help="从标过的命中学会分辨同名：每行一个 JSON，含 text、watch、is_brand")(learn_command)
    watch_versions.register(group)
    app.add_typer(group, name="watch")


def list_command(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the watches of config/watches.yaml."""
    state: Context = context.obj
    rows = [
        {"id": w.id, "kind": w.kind, "name": w.name, "aliases": list(w.aliases), "ambiguous": list(w.ambiguous),
         "exclude": list(w.exclude), "sku": w.sku, "brand": w.brand}
        for w in state.settings.watches.watches
    ]
    print_rows(rows, {"id": "id", "kind": tr("类别", "Kind"), "name": tr("名称", "Name"), "aliases": tr("别名", "Aliases"),
                      "ambiguous": tr("有歧义的叫法", "Ambiguous"), "exclude": tr("排除", "Excluded"), "sku": "SKU"}, as_json)


def add_command(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="名称")],
    watch_id: Annotated[str, typer.Option("--id", help="编号：字母、数字、短横")],
    kind: Annotated[str, typer.Option(help="brand、product、competitor、keyword")] = "keyword",
    alias: Annotated[list[str] | None, typer.Option(help="别名，可写多次")] = None,
    ambiguous: Annotated[list[str] | None, typer.Option(help="有歧义的叫法，可写多次")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="排除的说法，可写多次")] = None,
    brand: Annotated[str, typer.Option(help="产品所属品牌的监测词 id")] = "",
    sku: Annotated[str, typer.Option(help="货号")] = "",
) -> None:
    """Add a watch to config/watches.yaml, after checking it as the loader would."""
    state: Context = context.obj
    item = {"id": watch_id, "kind": kind, "name": name, "aliases": alias or [], "ambiguous": ambiguous or [],
            "exclude": exclude or [], "brand": brand, "sku": sku}
    item = {key: value for key, value in item.items() if value}
    try:
        with_watch(state.settings.watches, item)
    except DraftError as error:
        told = tr("；", "; ").join(problem.message for problem in error.problems)
        raise Stop(Exit.USAGE, tr(f"没有加：{told}", f"Not added: {told}")) from error
    change, configuring = Change("watch", WATCH + watch_id, item), Configuring(state.env, state.store)
    try:
        made = configuring.change("watches.yaml", change, By(user_name(), "cli", state.now), configuring.mark("watches.yaml", change))
    except ChangeError as error:
        raise Stop(Exit.USAGE, tr(f"没有加：{error}", f"Not added: {error}")) from error
    say(tr(f"已加进 {configuring.path(made.file)}。先试一试：vocwatch watch test {watch_id}；再重判旧文本：vocwatch analyse --rebuild",
           f"Added to {configuring.path(made.file)}. Try it: vocwatch watch test {watch_id}; then judge old texts again: vocwatch analyse --rebuild"))


def test_command(
    context: typer.Context,
    word: Annotated[str, typer.Argument(help="监测词 id，或任意一个词")],
    days: Annotated[int, typer.Option(min=1, max=365, help="看最近几天")] = 28,
    samples: Annotated[int, typer.Option(min=0, max=200, help="列出几条")] = 20,
    file: Annotated[Path | None, typer.Option(help="改过、还没放进 config 的 watches.yaml，和现在的比")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a watch (by id) or a plain word catches in the stored mentions of the last days, gains and loses."""
    state: Context = context.obj
    watches = load_model(file, Watches, state.env.variables) if file else state.settings.watches
    known = word in {watch.id for watch in watches.watches}
    bench = Bench(lambda: state.settings, state.store, days=days)
    report = bench.try_watch(
        watches if known else _word_alone(word), word if known else _WORD, days=days, looks=None, samples=samples,
    )
    if report.problems:
        raise Stop(Exit.USAGE, "\n".join(problem.message for problem in report.problems))
    reason = None if known else too_broad(word)
    warnings = list(report.warnings)
    if reason:
        warnings.insert(0, tr(f"“{word}”{reason}，watches.yaml 不收。请写完整的叫法，或写成 query 表达式",
                              f"“{word}” is too broad for watches.yaml. Write the full name, or a query expression"))
    if as_json:
        print_json(_as_json(word, report, warnings))
    else:
        _show(report, warnings)


def _as_json(word: str, report: Report, warnings: list[str]) -> dict[str, Any]:
    def shown(part: Part) -> list[dict[str, Any]]:
        return [{"rule": one.why, "matched": one.matched, "source": one.source, "text": one.text, "url": one.url} for one in part.samples]

    return {
        "word": word, "days": report.days, "texts": report.texts, "hits": report.caught.count, "hits_7_days": report.hits_7_days,
        "gained": report.gained.count, "lost": report.lost.count, "wrong": report.wrong.count, "per_day": report.per_day,
        "alerts_per_day": report.alerts_per_day, "by_page": report.page_texts,
        "rules": {one.name: one.texts for one in report.rules}, "words": {one.name: one.texts for one in report.words},
        "kept_out": {one.what: one.texts for one in report.killed}, "overlaps": {one.name: one.texts for one in report.overlaps},
        "failing": list(report.failing), "warning": warnings[0] if warnings else None, "warnings": warnings,
        "samples": shown(report.caught), "lost_samples": shown(report.lost),
    }


def _show(report: Report, warnings: list[str]) -> None:
    hits, days = report.caught.count, report.days
    say(tr(f"最近 {days} 天的 {report.texts} 条里命中 {hits} 条（近 7 天 {report.hits_7_days} 条），每天约 {report.per_day:.1f} 条；"
           f"比现有判定多 {report.gained.count} 条，少 {report.lost.count} 条",
           f"{hits} hits in {report.texts} texts of {days} days ({report.hits_7_days} in the last 7), about {report.per_day:.1f} a day; "
           f"{report.gained.count} more and {report.lost.count} fewer than stored"))
    if report.alerts_per_day:
        say(tr(f"预计每天 {report.alerts_per_day:g} 条红线预警", f"About {report.alerts_per_day:g} red-line alerts a day"))
    for line in (*warnings, *report.failing):
        say(line)
    for one in report.killed[:5]:
        say(tr(f"没算进来 {one.texts} 条：{one.what}", f"{one.texts} kept out: {one.what}"))
    columns = {"rule": tr("规则", "Rule"), "matched": tr("命中", "Matched"), "source": tr("来源", "Source"), "text": tr("正文", "Text")}
    for title, part in (("", report.caught), (tr("不再命中的：", "No longer hit:"), report.lost)):
        if part.samples:
            if title:
                say(title)
            print_rows([{"rule": hit_words(one.why), "matched": one.matched, "source": one.source, "text": one.text}
                        for one in part.samples], columns, False)


def suggest_command(
    context: typer.Context,
    watch_id: Annotated[str, typer.Argument(help="监测词 id")],
    days: Annotated[int, typer.Option(min=1, max=365, help="看最近几天")] = 28,
    most: Annotated[int, typer.Option(min=1, max=100, help="最多列几个")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List variants seen in stored texts, and words that only texts about the watch use."""
    state: Context = context.obj
    watch = _watch(state, watch_id)
    matcher = Matcher(state.settings.watches, own_pages(state.settings))
    seen = (Seen(item.text, tuple(hit for hit in _hits(matcher, item) if hit.watch == watch_id)) for _, item in _stored(state, days))
    rows = [
        {"word": found.word, "why": (found.rule if as_json else hit_words(found.rule)) if found.rule else tr("只在说它的文本里常见", "common only in texts about it"), "texts": found.texts, "example": found.example}
        for found in suggest(watch, seen, most)
    ]
    print_rows(rows, {"word": tr("写法", "Written"), "why": tr("来由", "Why"), "texts": tr("条数", "Texts"), "example": tr("例子", "Example")}, as_json)
    if not rows and not as_json:
        say(tr(f"最近 {days} 天没有新叫法", f"Nothing new in {days} days"))


def learn_command(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="每行一个 JSON：text、watch、is_brand（true/false）")],
    as_json: JsonOption = False,
) -> None:
    """Learn from labelled hits which words near a name say that it is the brand; writes watches.learned.yaml."""
    state: Context = context.obj
    labelled: dict[str, list[LabelledHit]] = {}
    skipped = 0
    for watch_id, text, is_brand in _labels(file):
        watch = _watch(state, watch_id)
        form = normalise(text).text
        places = places_of(watch, form)
        skipped += not places
        labelled.setdefault(watch_id, []).extend(LabelledHit(form, start, end, is_brand) for start, end in places[:3])
    learned = dict(state.settings.watches.learned)
    rows = []
    for watch_id, hits in labelled.items():
        taught = learn(hits)
        if taught:
            learned[watch_id] = taught
        rows.append({"watch": watch_id, "brand": sum(hit.is_brand for hit in hits), "other": sum(not hit.is_brand for hit in hits),
                     "accuracy": taught.accuracy if taught else None, "words": len(taught.words) if taught else 0})
    if learned:
        path = state.env.config / LEARNED_FILE
        write_tree(path, {"learned": {name: item.model_dump(mode="json") for name, item in sorted(learned.items())}}, _REMARK)
        say(tr(f"已写入 {path}；vocwatch analyse --rebuild 后生效于旧文本", f"Written to {path}; vocwatch analyse --rebuild applies it to old texts"))
    if skipped:
        say(tr(f"{skipped} 条里没有该监测词的叫法，没有用上", f"{skipped} lines do not hold the watch's names and were not used"))
    print_rows(rows, {"watch": "id", "brand": tr("是品牌", "Brand"), "other": tr("不是", "Other"),
                      "accuracy": tr("留一法准确率", "Leave-one-out accuracy"), "words": tr("词数", "Words")}, as_json)
    if any(row["accuracy"] is None for row in rows):
        say(tr("没有准确率的：两类都至少要 3 条才能学", "Without accuracy: at least 3 of each are needed"))


_WORD = "word"


def _word_alone(word: str) -> Watches:
    """A watch for one word, even for one that the configuration would refuse: the dry run shows why."""
    watch = Watch.model_construct(
        id=_WORD, kind="brand", name=word, variants=True if too_broad(word) is None else None, needs_brand=False,
    )
    return Watches.model_construct(watches=(watch,), learned={})


def _stored(state: Context, days: int) -> Iterator[tuple[dict[str, Any], TextInput]]:
    wanted = queries.Filter(since=state.now - dt.timedelta(days=days))
    with state.store.read() as connection:
        for row in queries.mention_rows(connection, wanted):
            context = tuple(entry for entry in (row["sku"], row["product"]) if entry)
            yield row, TextInput(id="0", body=row["text"], title=row["title"], kind=row["kind"], context=context)


def _hits(matcher: Matcher, item: TextInput) -> tuple[Hit, ...]:
    return matcher.match(item, normalise(item.text)).hits


def _watch(state: Context, watch_id: str) -> Watch:
    for watch in state.settings.watches.watches:
        if watch.id == watch_id:
            return watch
    listed = tr("、", ", ").join(watch.id for watch in state.settings.watches.watches)
    raise Stop(Exit.USAGE, tr(f"没有监测词 {watch_id}。现有：{listed}", f"No watch {watch_id}. There are: {listed}"))


def _labels(file: Path) -> Iterator[tuple[str, str, bool]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Stop(Exit.USAGE, tr(f"读不到 {file}（要 UTF-8 文本）", f"Cannot read {file} (UTF-8 text is needed)")) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            row = (value["watch"], value["text"], value["is_brand"])
        except (ValueError, TypeError, KeyError):
            row = (None, None, None)
        if not (isinstance(row[0], str) and isinstance(row[1], str) and isinstance(row[2], bool)):
            raise Stop(Exit.USAGE, tr(f"{file}:{number}: 应为含 watch、text、is_brand（true/false）的 JSON",
                                      f"{file}:{number}: expected JSON with watch, text and is_brand (true/false)"))
        yield row
