"""`vocwatch evidence` and `vocwatch audit`: what stands behind a claim, and whether it is still what it was."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from crawlers import audit
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows, say
from vocwatch.exits import Exit, Stop
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line, safe_url
from vocwatch.store import StorageError, evidence
from vocwatch.store.evidence import Case
from vocwatch.store.pages import read_evidence


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("evidence")(evidence_command)
    app.command("audit")(audit_command)


def evidence_command(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="行号、原站编号、来源:原站编号、网址，或日报里的证据哈希")],
    source: Annotated[str, typer.Option(help="来源名：同一编号在几个来源里都有时")] = "",
    open_to: Annotated[Path | None, typer.Option("--open", help="把最新的原始页面写到这个文件")] = None,
    screenshot: Annotated[Path | None, typer.Option(help="把最新的截图（PNG）写到这个文件")] = None,
    warc: Annotated[Path | None, typer.Option(help="导出为 WARC（.warc.gz）")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what stands behind a mention; bytes that are altered or missing end in exit code 3."""
    state: Context = context.obj
    case = _case(state, key, source)
    hashes = [body.sha256 for body in case.bodies if not body.purged] + [shot.sha256 for shot in case.shots]
    checked = {sha256: _check(state, sha256) for sha256 in hashes}
    if as_json:
        print_json({**_plain(case), "verified": {sha: fault or "ok" for sha, fault in checked.items()}})
    else:
        _show(state, case, checked)
    faults = [fault for fault in checked.values() if fault]
    if faults:
        raise Stop(Exit.STORAGE, tr("证据校验不通过：", "THE EVIDENCE DOES NOT VERIFY: ") + tr("；", "; ").join(faults))
    _write_out(state, case, open_to, screenshot, warc)


def _case(state: Context, key: str, source: str) -> Case:
    with state.store.read() as connection:
        found = evidence.find(connection, key, source)
        if not found:
            raise Stop(Exit.USAGE, tr(
                f"没有这条提及：{key}。可写行号、原站编号、来源:原站编号、网址或证据哈希；编号见 vocwatch query mentions --format jsonl",
                f"No such mention: {key}. Give a row id, a native id, SOURCE:ID, a URL or an evidence hash"))
        if len(found) > 1:
            known = listed(f"{name}:{native}" for _, name, native, _ in found[:8])
            raise Stop(Exit.USAGE, tr(f"{key} 对应 {len(found)} 条提及，请写明是哪一条：{known}",
                                      f"{key} may mean {len(found)} mentions; say which: {known}"))
        return evidence.load(connection, found[0][0])


def _check(state: Context, sha256: str) -> str | None:
    try:
        read_evidence(state.env.data / "evidence", sha256)
    except StorageError as error:
        return str(error)
    return None


def _plain(case: Case) -> dict[str, Any]:
    plain = asdict(case)
    for body in plain["bodies"]:
        body["url"], body["final_url"] = safe_url(body["url"]), safe_url(body["final_url"])
    return plain


def _show(state: Context, case: Case, checked: dict[str, str | None]) -> None:
    def when(moment: dt.datetime | None) -> str:
        return moment.astimezone(state.settings.app.zone).strftime("%Y-%m-%d %H:%M:%S") if moment else "—"

    lines = [
        f"{case.source}:{case.native_id}  ({tr('行号', 'row')} {case.id}, {case.kind})", safe_url(case.url),
        tr(f"发布 {when(case.published_at)}  首次看到 {when(case.first_seen_at)}  最近看到 {when(case.last_seen_at)}",
           f"published {when(case.published_at)}  first seen {when(case.first_seen_at)}  last seen {when(case.last_seen_at)}"),
        tr(f"发布者代号 {case.author_key or '—'}  互动记录 {case.counts} 次", f"author key {case.author_key or '—'}  {case.counts} engagement rows"),
    ]
    if case.missing_since:
        settled = tr("已确认删除", "settled") if case.gone_at else tr("待第二次核对", "to be looked at again")
        lines.append(tr(f"原站已找不到：{when(case.missing_since)} 起（{settled}）", f"gone from its site since {when(case.missing_since)} ({settled})"))
    if case.purged_at:
        lines.append(tr(f"正文已于 {when(case.purged_at)} 按规定清除", f"text purged {when(case.purged_at)}"))
    for number, text in enumerate(case.texts, 1):
        shown = f"{text.title}｜{text.text}" if text.title else text.text
        lines.append(tr(f"版本 {number}  {when(text.seen_at)}  证据 {text.page_sha or '—'}", f"revision {number}  {when(text.seen_at)}  evidence {text.page_sha or '—'}"))
        lines.append("  " + one_line(shown or tr("（已清除）", "(purged)"), 400))
    for body in case.bodies:
        lines.append(tr(f"原始页面 {body.sha256}", f"raw page {body.sha256}"))
        if body.purged:
            lines.append(tr("  已按保留期或删除要求清除，只剩哈希", "  purged by retention or request; only the hash is left"))
            continue
        lines.append("  " + _verdict(checked[body.sha256]) + tr(f"  {body.size} 字节", f"  {body.size} bytes"))
        lines.append(f"  {safe_url(body.url)}" + (f" → {safe_url(body.final_url)}" if body.final_url != body.url else ""))
        lines.append(f"  HTTP {body.status}  {when(body.fetched_at)} … {when(body.seen_at)}")
        lines += [f"    {name}: {one_line(value, 160)}" for name, value in sorted(body.headers.items())]
    for shot in case.shots:
        lines.append(tr(f"截图 {shot.sha256}", f"screenshot {shot.sha256}"))
        lines.append(f"  {_verdict(checked[shot.sha256])}  {shot.width}×{shot.height}  {when(shot.taken_at)}  {safe_url(shot.url)}")
    print_lines(one_line(line, 500) for line in lines)


def _verdict(fault: str | None) -> str:
    return tr("哈希不符或缺失！", "ALTERED OR MISSING!") if fault else tr("哈希一致", "hash verified")


def _write_out(state: Context, case: Case, page: Path | None, screenshot: Path | None, warc: Path | None) -> None:
    folder = state.env.data / "evidence"

    def read(sha256: str) -> bytes:
        return read_evidence(folder, sha256)

    kept = [body for body in case.bodies if not body.purged]
    try:
        if page:
            if not kept:
                raise Stop(Exit.INCOMPLETE, tr("原始页面已清除，没有可写的内容", "The raw page has been purged; there is nothing to write"))
            page.write_bytes(read(kept[-1].sha256))
            say(tr(f"已写出 {page}", f"Written: {page}"))
        if screenshot:
            if not case.shots:
                raise Stop(Exit.INCOMPLETE, tr("这条没有截图", "There is no screenshot of this one"))
            screenshot.write_bytes(read(case.shots[-1].sha256))
            say(tr(f"已写出 {screenshot}", f"Written: {screenshot}"))
        if warc:
            from vocwatch.warc import write_warc

            count = write_warc(warc, case, read)
            say(tr(f"已写出 {warc}：{count} 条记录", f"Written: {warc}, {count} records"))
    except OSError as error:
        raise Stop(Exit.STORAGE, tr(f"写不了 {error.filename}：{error.strerror}", f"Cannot write {error.filename}: {error.strerror}")) from error


# -- audit --------------------------------------------------------------------------------------------------------


def audit_command(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="[DATE|RUN]", help="业务日（2026-11-15）或运行号；不写为全部")] = "",
    as_json: JsonOption = False,
) -> None:
    """Follow every chain from its first line to the hash in its run's row; a broken one ends in exit code 3."""
    state: Context = context.obj
    if "-" in which:
        which = state.date(which).isoformat()
    elif which and not which.isdigit():
        raise Stop(Exit.USAGE, tr(f"看不懂：{which}。请写日期（2026-11-15）或运行号", f"Not a date or run: {which}"))
    rows, decisions = _verified(state, which)
    if as_json:
        print_json({"files": rows, "decisions": dict(decisions)})
    else:
        print_rows(rows, {"state": tr("结果", "State"), "file": tr("文件", "File"), "lines": tr("行", "Lines"),
                          "why": tr("说明", "Why")}, False)
        for decision, count in decisions.most_common(30):
            print_lines([f"{count}\t{one_line(decision, 120)}"])
    broken = [row for row in rows if row["state"] == "broken"]
    if broken:
        raise Stop(Exit.STORAGE, tr(
            f"审计记录有 {len(broken)} 份对不上，已被改动或损坏：" + "；".join(f"{row['file']}（{row['why']}）" for row in broken[:5]),
            f"{len(broken)} audit log(s) DO NOT VERIFY: " + "; ".join(f"{row['file']} ({row['why']})" for row in broken[:5])))


def _verified(state: Context, which: str) -> tuple[list[dict[str, Any]], Counter[str]]:
    root = audit.folder(state.settings)
    with state.store.read() as connection:
        anchors = evidence.audit_anchors(connection)
    rows: list[dict[str, Any]] = []
    decisions: Counter[str] = Counter()
    seen = set()
    for chain in audit.chains(root, which):
        seen.add(chain.name)
        decisions += chain.decisions
        rows.append({"file": chain.name, "lines": chain.lines, **audit.compare(chain, anchors.get(chain.name, (0, {}))[1])})
    first = state.now - dt.timedelta(days=state.settings.app.retention.audit_days)
    for name, (run, anchor) in anchors.items():
        kept = name[:10] >= first.date().isoformat()
        asked = not which or name.startswith(f"{which}/") or str(run) == which
        if name not in seen and kept and asked:
            why = tr(f"整份记录不见了（应有 {anchor['lines']} 行）", f"the whole log is missing ({anchor['lines']} lines)")
            rows.append({"file": name, "lines": 0, "state": "broken", "why": why})
    return rows, decisions
