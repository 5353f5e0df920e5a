"""`vocwatch doctor`: proves the installation, and says what to do where it is not sound."""

from __future__ import annotations

import datetime as dt
import importlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from crawlers.extractors import SpecError, check_source
from sentiment import shelf
from sentiment.ready import make_engine
from vocwatch.browser import NoBrowser, find_browser, screenshot
from vocwatch.cli.context import Context, JsonOption, print_json, print_lines, print_rows
from vocwatch.cli.reference import reference
from vocwatch.cli.sources_doc import sources_documents
from vocwatch.exits import Exit
from vocwatch.lang import listed, tr
from vocwatch.plain import one_line
from vocwatch.reasons import spoken
from vocwatch.settings import ConfigError, checkout_root
from vocwatch.settings.loader import export_schemas
from vocwatch.store import StorageError, outbox
from vocwatch.store.dictionary import data_dictionary
from vocwatch.store.queries import texts_by_watch

PACKAGES = ("vocwatch", "crawlers", "sessions", "sentiment", "reports")
OUTBOX_SPAN, OUTBOX_LATE = dt.timedelta(days=7), dt.timedelta(hours=1)
LOW_DISK_BYTES = 2 * 1024**3
EXAMPLE_BRAND = "松果匣"
BROAD_DAYS, BROAD_LEAST, BROAD_SHARE = 28, 20, 0.5  # a keyword in half of twenty texts or more is too broad


@dataclass(frozen=True)
class Line:
    """One finding: ok, note or fault, what was seen, and the next step where it is not ok."""

    check: str
    state: str
    seen: str
    step: str = ""
    code: Exit = Exit.OK


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("doctor")(doctor_command)


def doctor_command(
    context: typer.Context, as_json: JsonOption = False,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="重新生成 config/schema/、数据字典、命令手册和来源目录后退出")] = False,
) -> None:
    """Check everything; exit with the code of the first fault."""
    state: Context = context.obj
    if write_docs:
        print_lines(str(path) for path in generate(checkout_root(), context.find_root().command))
        return
    lines = list(examine(state))
    words = {"ok": tr("正常", "ok"), "note": tr("注意", "note"), "fault": tr("故障", "FAULT")}
    if as_json:
        print_json([asdict(line) for line in lines])
    else:
        print_rows([{**asdict(line), "state": words[line.state]} for line in lines], {
            "state": tr("结果", "State"), "check": tr("项目", "Check"), "seen": tr("看到", "Seen"),
            "step": tr("怎么办", "What to do"),
        }, False)
    faults = [line for line in lines if line.state == "fault"]
    if faults:
        raise typer.Exit(faults[0].code)


def generate(root: Path, command: Any) -> list[Path]:
    """Write everything that is made from code: schemas, data dictionary, command reference, source catalogue."""
    written = export_schemas(root / "config" / "schema")
    made = {"data-dictionary.md": data_dictionary(), "commands.md": reference(command), **sources_documents(root)}
    for name, text in made.items():
        path = root / "docs" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


def examine(state: Context) -> Iterator[Line]:
    """Yield one finding per check; no check stops another."""
    checks: tuple[Callable[[Context], Line], ...] = (
        _python, _packages, _configuration, _zone, _data_folder, _database, _watches, _browser, _fonts, _mail, _channels, _outbox, _llm, _own_model,
    )
    for check in checks:
        yield check(state)


def _python(_state: Context) -> Line:
    version = ".".join(map(str, sys.version_info[:3]))
    return Line("Python", "ok", version)


def _packages(_state: Context) -> Line:
    root = checkout_root()
    strangers = []
    for name in PACKAGES:
        place = Path(importlib.import_module(name).__file__ or "").resolve()
        if not place.is_relative_to(root):
            strangers.append(f"{name} → {place}")
    if strangers:
        return Line(tr("程序包", "Packages"), "fault", listed(strangers), tr(
            "同名的包挡住了本项目，请在本项目的虚拟环境里运行（make setup）",
            "Another package of that name comes first; run in this project's virtual environment (make setup)"), Exit.CONFIGURATION)
    return Line(tr("程序包", "Packages"), "ok", tr(f"{len(PACKAGES)} 个都来自本目录", f"all {len(PACKAGES)} come from this checkout"))


def _configuration(state: Context) -> Line:
    name = tr("配置", "Configuration")
    try:
        settings = state.settings
    except ConfigError as error:
        return Line(name, "fault", error.problems[0], tr(
            f"共 {len(error.problems)} 处，按行号改好再运行", f"{len(error.problems)} in all; mend them by line number"), Exit.CONFIGURATION)
    for source in settings.sources.values():
        try:
            check_source(source)
        except SpecError as error:
            return Line(name, "fault", f"{state.env.config / 'sources' / source.name}.yaml: {spoken(str(error))}", tr(
                "按提示改来源文件", "Mend the source file as it says"), Exit.CONFIGURATION)
    enabled = [source for source in settings.sources.values() if source.enabled]
    seen = tr(f"{state.env.config}：{len(settings.watches.watches)} 个监测词，{len(enabled)} 个启用的来源",
              f"{state.env.config}: {len(settings.watches.watches)} watches, {len(enabled)} enabled sources")
    if settings.app.brand.name == EXAMPLE_BRAND and state.env.config == checkout_root() / "config":
        return Line(name, "note", seen, tr("还是示例品牌，请改 config/vocwatch.yaml 和 config/watches.yaml",
                                           "Still the example brand: edit config/vocwatch.yaml and config/watches.yaml"))
    if "example.com" in settings.app.crawler.contact:
        return Line(name, "note", seen, tr("crawler.contact 还是示例地址，请换成你们的", "crawler.contact is still the example; put your own"))
    if not enabled:
        return Line(name, "note", seen, tr("还没有启用的来源：vocwatch source new 名字 网址", "No source yet: vocwatch source new NAME URL"))
    return Line(name, "ok", seen)


def _zone(state: Context) -> Line:
    try:
        zone = state.settings.app.timezone
        ZoneInfo(zone)
    except (ConfigError, ZoneInfoNotFoundError):
        return Line(tr("时区", "Time zone"), "fault", tr("读不到", "not readable"), tr(
            "安装 tzdata（系统包或 pip install tzdata）", "Install tzdata (system package or pip install tzdata)"), Exit.CONFIGURATION)
    return Line(tr("时区", "Time zone"), "ok", listed((zone, f"{state.now.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}")))


def _data_folder(state: Context) -> Line:
    name = tr("数据目录", "Data folder")
    try:
        state.env.data.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=state.env.data):
            pass
    except OSError as error:
        return Line(name, "fault", f"{state.env.data}: {error.strerror}", tr(
            "换一个可写的目录：VOCWATCH_DATA", "Choose a writable folder: VOCWATCH_DATA"), Exit.STORAGE)
    free = shutil.disk_usage(state.env.data).free
    seen = tr(f"{state.env.data}，剩余 {free / 1024**3:.1f} GB", f"{state.env.data}, {free / 1024**3:.1f} GB free")
    if free < LOW_DISK_BYTES:
        return Line(name, "note", seen, tr("不足 2 GB，请清理或换盘", "Less than 2 GB left: clean up or move"))
    return Line(name, "ok", seen)


def _database(state: Context) -> Line:
    name = tr("数据库", "Database")
    try:
        current, head = state.store.versions()
    except StorageError as error:
        return Line(name, "fault", str(error), tr("修好后重试", "Mend and try again"), Exit.STORAGE)
    if current != head:
        return Line(name, "fault", f"{current} ≠ {head}", tr("版本不符：用新版程序打开", "Schema differs: use the newer program"), Exit.STORAGE)
    return Line(name, "ok", tr(f"{state.store.dialect}，表结构 {current}", f"{state.store.dialect}, schema {current}"))


def _watches(state: Context) -> Line:
    """Whether a keyword hits so much of what is stored that it says nothing."""
    name = tr("监测词", "Watches")
    try:
        keywords = {watch.id for watch in state.settings.watches.watches if watch.kind == "keyword"}
        with state.store.read() as connection:
            total, counts = texts_by_watch(connection, state.now - dt.timedelta(days=BROAD_DAYS))
    except (ConfigError, StorageError):
        return Line(name, "note", tr("先修好配置和数据库", "mend configuration and database first"))
    broad = [watch for watch in sorted(counts) if watch in keywords and total >= BROAD_LEAST and counts[watch] > BROAD_SHARE * total]
    if not broad:
        return Line(name, "ok", tr(f"近 {BROAD_DAYS} 天 {total} 条里没有太宽的关键词", f"no keyword too broad in {total} texts of {BROAD_DAYS} days"))
    seen = tr("、", ", ").join(f"{watch} {counts[watch] / total:.0%}" for watch in broad)
    return Line(name, "note", tr(f"太宽：{seen}", f"too broad: {seen}"), tr(
        f"用 vocwatch watch test {broad[0]} 看样本，再加 require 或换更具体的词",
        f"Look at samples with vocwatch watch test {broad[0]}, then add require or a narrower word"))


def _browser(state: Context) -> Line:
    name = tr("浏览器", "Browser")
    step = tr("运行 make browser，或 python -m playwright install --with-deps chromium；没有它，浏览器来源标为未运行",
              "Run make browser, or python -m playwright install --with-deps chromium; without it browser sources are not run")
    choice = find_browser(state.env)
    if choice is None:
        return Line(name, "note", tr("没有找到", "none found"), step)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text("<!doctype html><meta charset=utf-8><p style='font-size:40px'>体检", encoding="utf-8")
        try:
            screenshot(page, Path(folder) / "page.png", 200, env=state.env)
        except (NoBrowser, OSError) as error:
            return Line(name, "note", spoken(str(error)), step)
    return Line(name, "ok", tr(f"{choice.path or 'Playwright'} {choice.version}，能渲染", f"{choice.path or 'Playwright'} {choice.version}, renders"))


def _fonts(_state: Context) -> Line:
    name = tr("中文字体", "Chinese fonts")
    step = tr("安装一种中文字体，如 apt-get install fonts-noto-cjk；只影响截图", "Install one, such as fonts-noto-cjk; only pictures need it")
    try:
        listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return Line(name, "note", tr("没有 fc-list，无法检查", "no fc-list, cannot tell"), step)
    families = sorted({line.split(",")[0].strip() for line in listed.splitlines() if line.strip()})
    return Line(name, "ok", families[0]) if families else Line(name, "note", tr("没有", "none"), step)


def _mail(state: Context) -> Line:
    smtp = state.env.smtp
    if not smtp.host or not smtp.sender:
        return Line(tr("邮件", "Mail"), "note", tr("未配置", "not configured"), tr(
            "要发日报就设置 VOCWATCH_SMTP_HOST、VOCWATCH_SMTP_FROM 等（见 .env.example）",
            "To send digests set VOCWATCH_SMTP_HOST, VOCWATCH_SMTP_FROM … (see .env.example)"))
    return Line(tr("邮件", "Mail"), "ok", listed((f"{smtp.host}:{smtp.port} {smtp.security}", smtp.sender)))


def _channels(state: Context) -> Line:
    name = tr("红线预警", "Red-line alerts")
    try:
        app = state.settings.app
    except ConfigError:
        return Line(name, "note", tr("配置读不到", "the configuration can't be read"), tr("先改好配置", "Mend the configuration first"))
    missing = [v for c in app.channels for v in (c.url_env, c.secret_env) if v and not state.env.variables.get(v)]
    if missing:
        return Line(name, "fault", tr(f"环境变量没有设置：{listed(missing)}", f"not set: {listed(missing)}"), tr(
            "把机器人的地址写进这些变量（见 .env.example）", "Put the robot's address into these variables (see .env.example)"), Exit.DELIVERY)
    if not app.alerts.to:
        return Line(name, "note", tr("没有人收，只进日报和 vocwatch alerts list", "nobody gets them; see the digest and vocwatch alerts list"), tr(
            "在 config/vocwatch.yaml 写 alerts.to（邮箱或 channels 里的名字）", "Set alerts.to in config/vocwatch.yaml (addresses, or names of channels)"))
    seen = tr(f"发给 {listed(app.alerts.to)}", f"to {listed(app.alerts.to)}")
    if not app.alerts.second or not app.alerts.admins:
        return Line(name, "note", seen, tr(
            "再配上 alerts.second（发不出去时改用）和 alerts.admins（发送出问题告诉谁）",
            "Add alerts.second (used when the first is down) and alerts.admins (told when sending fails)"))
    return Line(name, "ok", seen + tr(f"，备用 {listed(app.alerts.second)}", f", second {listed(app.alerts.second)}"))


def _outbox(state: Context) -> Line:
    name = tr("发件箱", "Outbox")
    step = tr("看原因：vocwatch outbox list；改好后：vocwatch outbox retry", "Why: vocwatch outbox list; once mended: vocwatch outbox retry")
    try:
        now = state.now
        with state.store.read() as connection:
            waiting, oldest = outbox.waiting_since(connection)
            lost = outbox.listed(connection, states=("dead",), since=now - OUTBOX_SPAN)
    except (ConfigError, StorageError):
        return Line(name, "note", tr("读不到", "can't be read"))
    dead = sorted({one_line(row["recipient"], 60) for row in lost if row["fault"] == "address"})
    if dead:
        return Line(name, "note", tr(f"7 天内收不到信的地址：{listed(dead[:5])}", f"addresses that took no mail in 7 days: {listed(dead[:5])}"), step)
    if oldest is not None and now - oldest > OUTBOX_LATE:
        return Line(name, "note", tr(f"{waiting} 封没发出去，最早的等了 {(now - oldest).total_seconds() / 3600:.1f} 小时",
                                     f"{waiting} not sent, the oldest for {(now - oldest).total_seconds() / 3600:.1f} h"), step)
    return Line(name, "ok", tr(f"{waiting} 封待发", f"{waiting} waiting"))


def _llm(state: Context) -> Line:
    name = tr("大模型", "Language model")
    try:
        llm = state.settings.app.llm
    except ConfigError:
        return Line(name, "note", tr("配置读不到", "the configuration can't be read"), tr("先改好配置", "Mend the configuration first"))
    if not llm.enabled:
        return Line(name, "ok", tr("关闭，文本不出本机", "off; no text leaves this machine"))
    place = urlsplit(llm.base_url)
    seen = tr(f"开启：拿不准的文本脱敏后发给 {place.netloc} 的 {llm.model}，至多 {llm.max_share:.0%}，每日 {llm.requests_per_day} 次",
              f"on: uncertain texts go masked to {llm.model} at {place.netloc}, {llm.max_share:.0%} at most, {llm.requests_per_day} requests a day")
    if importlib.util.find_spec("httpx") is None:
        return Line(name, "note", seen, tr("缺少组件，现在不会请求：pip install 'vocwatch[llm]'", "Not installed, nothing is asked: pip install 'vocwatch[llm]'"))
    if place.scheme == "http" and place.hostname not in ("localhost", "127.0.0.1", "::1"):
        return Line(name, "note", seen, tr("接口不是 https，文本和密钥明文传输；只在自己的内网这样用", "Not https: texts and key travel in the clear; only do so inside your own network"))
    if not state.env.llm_key and place.scheme == "https":
        return Line(name, "note", seen, tr("没有密钥：接口要的话，设置 VOCWATCH_LLM_KEY", "No key: set VOCWATCH_LLM_KEY if the endpoint asks for one"))
    return Line(name, "ok", seen)


def _own_model(state: Context) -> Line:
    name = tr("自训模型", "Own model")
    models, problem = shelf.in_use(state.env.data)
    if problem:
        return Line(name, "note", problem, "vocwatch train --list")
    if models.version == shelf.SHIPPED:
        return Line(name, "ok", tr("没有，用自带模型", "none, the shipped one is used"))
    if shelf.card(state.env.data, models.version).get("engine") != make_engine().version:
        return Line(name, "note", tr(f"{models.version}，是在旧版自带模型上学的", f"{models.version}, learned on an older shipped model"),
                    tr("重新 vocwatch train，或 vocwatch train --reset", "vocwatch train again, or vocwatch train --reset"))
    return Line(name, "ok", models.version)
