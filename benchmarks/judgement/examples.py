"""Ten worked examples of the judgement: `python -m benchmarks.judgement examples [--write]`.

The same judgements make the table in docs/judgement*.md (between its marks) and the page that is drawn as
docs/judgement-examples.png: the text with its spans, and beside it what was decided and why.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from jinja2 import Environment

from benchmarks.judgement.topics import shipped
from sentiment.ready import make_judge
from vocwatch.browser import screenshot
from vocwatch.hit_words import hit_words
from vocwatch.lang import language, set_language
from vocwatch.models import Assessment, Sentiment, TextInput
from vocwatch.practice import folder
from vocwatch.settings import Settings, load_settings, read_environment

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = {"zh": ROOT / "docs" / "judgement.zh-CN.md", "en": ROOT / "docs" / "judgement.md"}
PICTURE = ROOT / "docs" / "judgement-examples.png"
TEXTS = (
    "面料摸着挺舒服，就是洗一次盆里全蓝了，问客服半天没人理",
    "性价比不高，跟介绍里写的差远了",
    "抹了两天脸上起了一片红疹，医生说是过敏性皮炎，药费谁报",
    "敏感肌用了半个月一点没泛红，没有过敏，回购第三瓶",
    "朋友说她买的别家那款起火了，这个用到现在没出过问题",
    "真是谢谢您嘞，等了半个月，等来一箱烂的",
    "便宜得不像话，好吃到哭",
    "请问这件羽绒服跑绒吗？家里有鼻炎的",
    "松*果*匣的暖手宝充不进电，退货还要我出运费",
    "厂家直供，一件代发，招代理，加薇信了解",
)
_WORDS: dict[str, dict[str, Any]] = {
    "zh": {
        "negative": "负", "neutral": "中", "positive": "正", "review": "待复核", "red": "红线", "severity": "严重程度",
        "voice": "非顾客", "watch": "命中", "praise": "夸", "complaint": "投诉", "head": "| 原文 | 判定 | 依据 |", "none": "没有可判的方面",
        "marks": ("：", "（", "，", "）"),
        "ad": "广告", "lottery": "抽奖", "resale": "代购转卖", "recruit": "招聘", "merchant": "商家", "media": "媒体", "other": "其他",
    },
    "en": {
        "negative": "negative", "neutral": "neutral", "positive": "positive", "review": "to review", "red": "red line",
        "severity": "severity", "voice": "not a customer", "watch": "watch", "praise": "praise", "complaint": "complaint",
        "head": "| Text | Judgement | Why |", "none": "no aspect judged",
        "marks": (": ", " (", ", ", ")"),
        "ad": "advertisement", "lottery": "lottery", "resale": "resale", "recruit": "recruiting", "merchant": "merchant",
        "media": "media", "other": "other",
    },
}
_MARK = re.compile(r"(<!-- examples -->\n).*?(<!-- /examples -->)", re.S)
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>十个例子</title><style>
body{font:16px/1.7 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:24px auto;max-width:720px;padding:0 16px;color:#1a2230;background:#f4f6f9}
article{background:#fff;border-radius:8px;padding:14px 18px;margin:0 0 14px;border-left:5px solid #9aa5b5}
article.negative{border-color:#c62828}article.positive{border-color:#2e7d32}
p{margin:0 0 6px;font-size:18px}.c{background:#fde2e0;border-bottom:2px solid #c62828}.p{background:#e0f2e3;border-bottom:2px solid #2e7d32}
ul{margin:0;padding-left:18px;color:#46505f;font-size:14px}b{font-weight:600}</style>
{% for one in examples %}<article class="{{ one.sentiment }}"><p>{% for piece, kind in one.pieces %}<span class="{{ kind }}">{{ piece }}</span>{% endfor %}</p>
<ul><li><b>{{ one.verdict }}</b></li>{% for line in one.reasons %}<li>{{ line }}</li>{% endfor %}</ul></article>{% endfor %}</html>"""


@dataclass(frozen=True)
class Example:
    """One text as it is shown: its pieces with `c` (complaint), `p` (praise) or "", the verdict, the reasons."""

    text: str
    sentiment: str
    pieces: tuple[tuple[str, str], ...]
    verdict: str
    reasons: tuple[str, ...]


def practice() -> Settings:
    """Return the watches and topics of the practice brand."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return load_settings(read_environment({
        **kept, "VOCWATCH_HOME": str(ROOT), "VOCWATCH_CONFIG": str(folder() / "config"), "VOCWATCH_SECRET": "examples",
    }))


def judged(settings: Settings) -> list[tuple[str, Assessment]]:
    """Judge the ten texts."""
    items = [TextInput(id=str(number), body=text) for number, text in enumerate(TEXTS, 1)]
    return list(zip(TEXTS, make_judge(settings).assess(items), strict=True))


def example(text: str, found: Assessment, lang: str, names: Mapping[str, str]) -> Example:
    """Put an assessment into words; `names` are those of the watches."""
    words = _WORDS[lang]
    colon, left, comma, right = words["marks"]
    verdict = f"{words[found.sentiment.value]} {found.score or 0.0:+.2f}".replace("-0.00", "+0.00")
    if found.review:
        verdict += f" · {words['review']}"
    if found.severity:
        verdict += f" · {words['severity']} {found.severity}"
    reasons = [f"{words['red']}{colon}{line.name}{left}{_reason(line.reason, lang)}{right}" for line in found.red_lines]
    for span in found.spans:
        praised = span.sentiment is Sentiment.POSITIVE
        kind = words["praise" if praised else "complaint"]
        level = f"{comma}{words['severity']} {span.severity}" if span.severity else ""
        reasons.append(f"{text[span.start:span.end]} → {shipped().shown(span.topic, praised)}{left}{kind}{level}{right}")
    reasons += [
        f"{words['watch']}{colon}{names[hit.watch]}{left}{hit.matched}{comma}{hit_words(hit.rule)}{right}" for hit in found.hits
    ]
    if found.voice != "customer":
        reasons.append(f"{words['voice']}{colon}{words[found.voice]}")
    return Example(text, found.sentiment.value, _pieces(text, found), verdict, tuple(reasons) or (words["none"],))


def _reason(reason: str, lang: str) -> str:
    return reason if lang == "zh" else reason.replace("规则：", "rule: ").replace("模型 ", "model ").replace("：", ": ")


def _pieces(text: str, found: Assessment) -> tuple[tuple[str, str], ...]:
    kinds = [""] * len(text)
    for span in found.spans:
        kind = "p" if span.sentiment is Sentiment.POSITIVE else "c"
        for place in range(span.start, span.end):
            kinds[place] = "c" if kinds[place] == "c" else kind
    cuts = [0, *(place for place in range(1, len(text)) if kinds[place] != kinds[place - 1]), len(text)]
    return tuple((text[left:right], kinds[left]) for left, right in pairwise(cuts))


def table(lang: str) -> str:
    """Return the examples as a Markdown table."""
    lines = [_WORDS[lang]["head"], "|---|---|---|"]
    for one in examples(lang):
        cells = one.text, one.verdict, "<br>".join(one.reasons)
        lines.append("| " + " | ".join(cell.replace("*", "\\*") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def examples(lang: str) -> list[Example]:
    """Return the ten examples in a language."""
    settings, before = practice(), language()
    names = {watch.id: watch.name for watch in settings.watches.watches}
    set_language(lang)
    try:
        return [example(text, found, lang, names) for text, found in judged(settings)]
    finally:
        set_language(before)


def with_table(document: str, lang: str) -> str:
    """Return a document with its examples as they are judged now."""
    return _MARK.sub(lambda found: found.group(1) + table(lang) + found.group(2), document)


def draw() -> None:
    """Draw the examples as the page shows them."""
    page = Environment(autoescape=True).from_string(_PAGE).render(examples=examples("zh"))
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "examples.html"
        file.write_text(page, encoding="utf-8")
        screenshot(file, PICTURE, 760)


def main(arguments: Sequence[str] = ()) -> int:
    """Print the examples; with --write bring the documents and the picture up to date."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judgement examples")
    parser.add_argument("--write", action="store_true")
    if not parser.parse_args(arguments).write:
        print(table("zh"))
        return 0
    for lang, path in DOCUMENTS.items():
        path.write_text(with_table(path.read_text(encoding="utf-8"), lang), encoding="utf-8")
    draw()
    return 0
