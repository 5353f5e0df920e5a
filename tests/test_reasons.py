"""Stored reasons in English: every one that the crawlers can give has its form, and hostile ones do no harm."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlers.fetch import WORDS
from vocwatch.lang import set_language
from vocwatch.reasons import english, spoken
from vocwatch.reasons_en import TEMPLATES
from vocwatch.settings import checkout_root

HAN = re.compile(r"[\u3400-\u9fff]")
# Modules whose Chinese is what they look for in pages, never what they say.
READERS = frozenset({"addresses.py", "charset.py", "times.py", "values.py"})
OTHERS = ("sessions/readings.py", "vocwatch/browser.py", "vocwatch/store/engine.py", "vocwatch/store/pages.py", "vocwatch/store/writer.py")
PATTERNS = frozenset({"compile", "either", "only", "sub"})  # calls over words to be looked for
# Chinese that is data or a mark: what is put into texts, looked for in pages, or written into files.
NO_REASONS = frozenset({
    "[视频]", "[图片]", "[表情]", "成功", "待填", "空壳", "用户{number}", "看得见", "<p>看得见</p>",
    "1楼", "一楼", "主楼", "楼主", "沙发前", "下一页", "下页", "后一页",
})


def strings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and template of the Chinese strings that a module says; `tr` has both languages already."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(part) for node in ast.walk(tree) for root in _unspoken(node) for part in ast.walk(root)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if id(node) in skipped or id(node) in inside:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if HAN.search(text):
            yield node.lineno, text


def _unspoken(node: ast.AST) -> list[ast.AST]:
    """Docstrings, words to be looked for, and what has both languages side by side."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        first = node.body[0] if node.body else None
        return [first] if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else []
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return list(node.args) if name == "tr" or name in PATTERNS else []
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        zh, en = (part.value if isinstance(part, ast.Constant) else None for part in node.elts)
        both = isinstance(zh, str) and isinstance(en, str) and HAN.search(zh) and en.isascii()
        return list(node.elts) if both else []
    return []


def stored_by_workers(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the Chinese half of StorageError(tr(zh, en)): a worker that meets one stores it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "StorageError" and isinstance(node.args[0], ast.Call):
            said = node.args[0].args[0]
            parts = said.values if isinstance(said, ast.JoinedStr) else [said]
            yield node.lineno, "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)


def modules() -> list[Path]:
    root = checkout_root()
    found = [path for path in sorted((root / "crawlers").rglob("*.py")) if path.name not in READERS]
    return [*found, *(root / name for name in OTHERS)]


def test_every_reason_has_an_english_form() -> None:
    lacking = [
        f"{path.name}:{line}: {text}" for path in modules()
        for line, text in [*strings(path), *stored_by_workers(path)]
        if text not in TEMPLATES and text not in NO_REASONS and HAN.search(english(text.replace("{}", "7")))
    ]
    assert not lacking, "give these an English form in vocwatch/reasons_en.py (or use tr):\n" + "\n".join(lacking)


def test_every_form_is_of_a_reason_that_there_is_and_takes_its_values() -> None:
    said = "".join(path.read_text(encoding="utf-8") for folder in ("crawlers", "sessions", "vocwatch")
                   for path in (checkout_root() / folder).rglob("*.py") if path.name != "reasons_en.py")
    said = re.sub(r'"\s*\n\s*f?"', "", said)  # a sentence may stand in two pieces
    for zh, en in TEMPLATES.items():
        longest = max(zh.split("{}"), key=len)
        assert longest in said, f"nobody says this any more: {zh}"
        values = [f"v{number}" for number in range(zh.count("{}"))]
        assert all(value in en.format(*values) for value in values), f"a value is lost: {zh}"
        assert not HAN.search(en), en


def test_every_kind_of_error_has_english_words() -> None:
    assert not [word for word in WORDS.values() if HAN.search(english(word))]


@pytest.mark.parametrize(("reason", "told"), [
    ("连不上：对方服务器报错（5xx）（http://x/ 网站出错（502））", "not reached: their server failed (5xx) (http://x/ the site failed (502))"),
    ("有 3 页列表没读出来：TLS 证书校验不通过 3 页", "3 list pages could not be read: the TLS certificate does not verify, 3 pages"),
    ("12 条里只有 3 条读到了 detail.author，页面写法可能变了；列表页是空的",
     "detail.author was read in only 3 of 12 records; the markup may have changed; the list is empty"),
    ("列表翻到 max_pages 还没接上上次读过的内容，中间可能有遗漏；请调大 max_pages 或加密采集；2 个页面滚到上限还没到底（browser.max_scrolls）",
     "the list reached max_pages before what was read last time, so something may be missing; raise max_pages or crawl more often; "
     "2 pages were not at their end after browser.max_scrolls"),
    ("上次受阻（连续 2 次），11-16 09:37:31 之后再试（http://x/list 返回 403，拒绝访问）",
     "blocked last time (2 in a row); tried again after 11-16 09:37:31 (http://x/list returned 403: access refused)"),
    ("config/sources/a.yaml: CSS 写法有误：div[（bad）。请改成浏览器认得的选择器，或用 xpath: 开头",
     "config/sources/a.yaml: not a CSS selector: div[ (bad). Write one that browsers know, or begin with xpath:"),
    ("http://x/ 出现验证或拦截页：页面要求完成验证（“请完成验证”）",
     "http://x/ is a challenge or blocking page: the page wants a challenge solved (“请完成验证”)"),
    ("最近 3 次的 20 个详情页有 4 个没读出该有的内容：要求登录，平时没有这么多",
     "last 3 runs: 4 of 20 detail pages lack what they should hold: a login is wanted, more than usual"),
    ("detail.text：缺少必填字段，整条不用", "detail.text: a required field is missing; the record is left out"),
    ("读到了条目，但都缺少必填字段 text、url", "entries were found, but all lack the required text, url"),
    ("别人写的一句话（没有见过）", "别人写的一句话（没有见过）"),
])
def test_numbers_names_and_what_others_said_stay(reason: str, told: str) -> None:
    assert english(reason) == told


@pytest.mark.parametrize("text", [
    "；（“" * 1300, "（" * 3999, "：启动不了（" * 600, " 个" * 1900, "{}" * 1900, "{0}{x}网站拒绝", "网站说：" * 900, "\ud800网站拒绝\x00", "验" * 100_000,
])
def test_hostile_reasons_stay_text(text: str) -> None:
    assert isinstance(english(text), str)


def test_only_english_readers_get_english() -> None:
    assert spoken("要求登录") == "要求登录" and spoken(None) == ""
    set_language("en")
    try:
        assert spoken("要求登录") == "a login is wanted"
    finally:
        set_language("zh")
