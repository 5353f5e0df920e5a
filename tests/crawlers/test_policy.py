"""Policy as code: what every source has to say, and what no code here may do. Exceptions stand below with their reason."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlers import settings as scrapy_settings
from crawlers.credentials import Unusable, credentials
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from vocwatch.settings import Source
from vocwatch.settings.app import App
from vocwatch.settings.loader import NOT_SOURCES
from vocwatch.settings.yamlfile import load_model

CATALOGUE = sorted((ROOT / "config/sources/catalogue").glob("*.yaml"))
OWN = sorted(p for p in (ROOT / "config/sources").glob("*.yaml") if p.name not in NOT_SOURCES)
LOCAL = sorted([*(ROOT / "examples/practice/config/sources").glob("*.yaml"), *(ROOT / "tests/scenario/config/sources").glob("*.yaml")])
SOURCES = [*CATALOGUE, *OWN, *LOCAL]
SHIPPED = load_model(ROOT / "config/vocwatch.yaml", App, {})

# What lets a source go beyond a ceiling, and why. A new line here is a decision that a person has to defend.
FAST = dict.fromkeys(LOCAL, "本机上的练习网站，没有别人会受影响")
LONG: dict[Path, str] = {}
MAX_CONCURRENCY, MAX_PAGES, MAX_MINUTES = 1, 500, 60


def source_id(path: Path) -> str:
    return f"{path.parent.parent.parent.name if path.parent.name == 'sources' else path.parent.name}-{path.stem}"


def read(path: Path) -> Source:
    return load_model(path, Source, {})


@pytest.mark.parametrize("path", SOURCES, ids=source_id)
def test_somebody_answers_for_it_and_says_on_what_ground(path: Path) -> None:
    source = read(path)
    for name, text in (
        ("owner", source.owner), ("access.basis", source.access.basis), ("access.robots", source.access.robots),
        ("access.reviewer", source.access.reviewer), ("access.impact", source.access.impact), ("limits", source.limits),
    ):
        assert text.strip(), f"{path}: {name} 没有写"
    assert source.access.date.year >= 2026


@pytest.mark.parametrize("path", SOURCES, ids=source_id)
def test_it_is_slow_and_has_a_ceiling(path: Path) -> None:
    source = read(path)
    if path in FAST:
        assert all(re.search(r"://(?:127\.0\.0\.1|localhost)[:/]", url) for url in source.start), FAST[path]
        return
    delay = SHIPPED.crawler.default_delay_seconds if source.rate.delay_seconds is None else source.rate.delay_seconds
    assert delay >= SHIPPED.crawler.default_delay_seconds >= 2.0
    assert source.rate.concurrency <= MAX_CONCURRENCY
    assert source.rate.max_pages <= MAX_PAGES and source.rate.max_minutes <= MAX_MINUTES


@pytest.mark.parametrize("path", SOURCES, ids=source_id)
def test_nothing_is_kept_longer_than_the_house_keeps_it(path: Path) -> None:
    source, rules = read(path), SHIPPED.retention
    if path not in LONG:
        assert (source.raw_days or 0) <= rules.raw_days and (source.text_days or 0) <= rules.text_days


def test_exceptions_speak_of_files_that_there_are() -> None:
    assert all(path.exists() and reason for path, reason in {**FAST, **LONG}.items())


def test_the_house_keeps_no_longer_than_the_law_suggests() -> None:
    rules = SHIPPED.retention
    assert rules.raw_days <= 30 and rules.text_days <= 180 and rules.evidence_days <= 180
    assert rules.deleted_days == 0 and rules.audit_days >= 180


def test_no_switch_turns_robots_off() -> None:
    for model in (App, Source):
        for place, schema in _fields(model.model_json_schema()):
            if re.search(r"robots|obey|respect", place, re.IGNORECASE):
                assert schema.get("type") != "boolean" and schema.get("const", "robots") == "robots", place
    guards = scrapy_settings.DOWNLOADER_MIDDLEWARES
    assert {"crawlers.audit.Audit", "crawlers.guard.Guard", "crawlers.robots.Robots"} <= {n for n, at in guards.items() if at is not None}


def _fields(schema: dict[str, object]) -> Iterator[tuple[str, dict[str, object]]]:
    for place, part in {"": schema, **schema.get("$defs", {})}.items():  # type: ignore[dict-item]
        for name, field in part.get("properties", {}).items():  # type: ignore[attr-defined]
            yield f"{place}.{name}", field


def test_no_source_sets_what_identifies_or_hides_us(lab: Lab) -> None:
    lab.forum("shop", "https://shop.example", allow=False)
    settings = lab.settings(SECRET_KEY="x")
    source = settings.sources["shop"]
    for name in ("Cookie", "User-Agent", "X-Forwarded-For", "X-Real-IP", "Referer", "Origin", "Host", "Via", "Forwarded"):
        asking = source.model_copy(update={"headers": {name: "env:SECRET_KEY"}})
        with pytest.raises(Unusable):
            credentials(settings, asking)


@pytest.mark.parametrize("path", SOURCES, ids=source_id)
def test_no_source_file_holds_a_secret_or_a_disguise(path: Path) -> None:
    text = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#"))
    found = re.findall(r"(?im)^\s*(cookie|user[_-]?agent|proxy|proxies|password|passwd|username|login|token|x-forwarded-for)\s*:", text)
    assert not found, f"{path}: {found}"
    assert not re.search(r"(?i)[?&](?:a_bogus|x-bogus|_signature|x-s|mstoken|wbi|w_rid|sign)=(?!\{)[^\"'&]", text), path


# -- code -------------------------------------------------------------------------------------------------------

CODE = sorted([*(ROOT / "crawlers").rglob("*.py"), *(ROOT / "vocwatch").rglob("*.py")])
# Calls that type into a page, click through a challenge, carry a session, or leave by another door.
CALLS = {
    "fill": "types into a form", "type": "types into a page", "press_sequentially": "types into a page",
    "add_cookies": "carries a session", "set_extra_http_headers": "disguises the browser",
    "drag_and_drop": "slides a slider", "drag_to": "slides a slider", "add_init_script": "hides that it is a browser",
    "set_input_files": "uploads", "storage_state": "carries a session", "launch_persistent_context": "carries a session",
}
# (file, name): why it is something else there.
OTHER_MEANING: dict[tuple[str, str], str] = {}
WORDS = (
    (r"(?i)x-forwarded-for|x-real-ip|x-client-ip|cf-connecting-ip", "forges its own address"),
    (r"Mozilla/5\.0|AppleWebKit|Chrome/\d|Safari/\d|(?i:baiduspider|googlebot|bingbot)", "claims to be another program"),
    (r"(?i)fake[_-]?user|user_?agents\b|random[_-]?user[_-]?agent|rotat\w*[_-](?:ua|agent|proxy|ip)\b", "changes its name"),
    (r"(?i)\bproxy_?pool\b|\brotating_?prox|--proxy-server=(?!http://127\.0\.0\.1:)", "hides where it comes from"),
    (r"(?i)a_bogus|x-bogus|x_bogus|w_rid|mstoken|x-s-common|_signature\b|signature_?v\d", "forges a signature"),
    (r"(?i)2captcha|anticaptcha|capsolver|ddddocr|solve_?captcha|geetest_?solv|hcaptcha_?solv", "solves challenges"),
    (r"(?i)playwright[_-]?stealth|undetected|navigator\.webdriver|puppeteer-extra", "hides that it is a browser"),
    (r"COOKIES_ENABLED\s*=\s*True|FormRequest|InitSpider|http_user\b|http_pass\b", "logs in"),
    (r"ROBOTSTXT_OBEY\s*=\s*True", "hands robots.txt to a middleware that fails open"),
    (r"DOWNLOAD_VERIFY_CERTIFICATES\s*=\s*False|ignore_https_errors\"?\s*[:=]\s*True", "takes any certificate"),
)
# Lists of what is refused name what they refuse.
NAMES_WHAT_IT_REFUSES = {"crawlers/credentials.py"}


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_logs_in_solves_signs_or_hides(path: Path) -> None:
    where, text = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
            assert (where, node.func.attr) in OTHER_MEANING, f"{where}:{node.lineno}: .{node.func.attr}() {CALLS[node.func.attr]}"
    bare = _without_docstrings(tree)
    for pattern, why in WORDS:
        if where not in NAMES_WHAT_IT_REFUSES:
            found = re.search(pattern, bare)
            assert found is None, f"{where}: {found.group()} {why}"


def _without_docstrings(tree: ast.Module) -> str:
    """The code as it runs: what a comment or docstring speaks about is not done."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node):
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


@pytest.mark.parametrize("bad", [
    "page.fill('#password', secret)", "headers = {'X-Forwarded-For': ip}", "UA = 'Mozilla/5.0 (Windows NT 10.0)'",
    "params['a_bogus'] = sign(url)", "context.add_cookies(saved)", "from ddddocr import DdddOcr", "COOKIES_ENABLED = True",
])
def test_the_rules_above_can_fail(bad: str) -> None:
    tree = ast.parse(bad)
    called = any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in CALLS for n in ast.walk(tree))
    assert called or any(re.search(pattern, _without_docstrings(tree)) for pattern, _ in WORDS)


def test_we_say_who_we_are(lab: Lab) -> None:
    from crawlers.loader import spider_class
    from crawlers.worker import project_settings

    lab.forum("shop", "https://shop.example", allow=False)
    configured = project_settings()
    spider_class(lab.settings(), "shop").update_settings(configured)
    assert re.fullmatch(r"vocwatch/[\d.]+ \(\+https://example\.com/vocwatch\)", configured.get("USER_AGENT"))
    assert not configured.getbool("COOKIES_ENABLED") and not configured.getbool("TELNETCONSOLE_ENABLED")
    assert configured.getbool("DOWNLOAD_VERIFY_CERTIFICATES") and configured.get("DOWNLOAD_DELAY_JITTER") == 0
