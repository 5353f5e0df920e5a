"""How the default judge does on the hard sentences of tests/judgement: a table per class, open and locked.

    python -m benchmarks.judgement.hard                     the table
    python -m benchmarks.judgement.hard --failures irony    and the open sentences of a class that fail
    python -m benchmarks.judgement.hard --write             raise the floors to what stands; never lowers one

A sentence is right when everything is right that its line asks for: sentiment, topics complained of, severity,
red lines, voice. The format of the files is in tests/judgement/README.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML

from sentiment.judge import Judge
from sentiment.ready import make_engine
from vocwatch.lang import tr
from vocwatch.models import Assessment, Sentiment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "judgement"
FLOORS = FOLDER / "floors.yaml"
PARTS = ("open", "locked")
CLASSES = {
    "negation": "否定", "irony": "反讽", "turn": "转折", "comparison": "比较", "hypothetical": "假设传闻",
    "question": "疑问反问", "slang": "网络用语", "oddwords": "正话反词", "homonym": "同形异义", "evasion": "变体规避",
    "redline": "红线", "lookalike": "红线相似句", "mixed": "褒贬混合", "chat": "客服会话", "short": "短文本",
    "neutral": "中性事实", "voice": "非客户发声",
}
RED_LINES = frozenset((
    "过敏受伤", "烫伤烧伤", "起火冒烟", "漏电触电", "爆炸鼓包", "食品异物", "未成年人",
    "隐私泄露", "假货", "集体维权", "媒体监管介入", "员工不当言行", "召回",
))
VOICES = frozenset(("customer", "ad", "merchant", "media", "other"))
_SIGNS = {"-": Sentiment.NEGATIVE, "0": Sentiment.NEUTRAL, "+": Sentiment.POSITIVE}
_LINE = re.compile(r"(\d\d) ([-0+]{1,3}|\*)((?: [^ |]+)*) \| (\S.*)")
_SEVERITY = re.compile(r"s([0-3])([+-]?)")
_NAME = re.compile(r"[^/\s]+/[^/\s]+")


_KIND_OF = {"lottery": "ad", "resale": "ad", "recruit": "other"}
"""Finer voices of the judgement, and the voice that the sentences ask for."""

@dataclass(frozen=True, slots=True)
class Sentence:
    """One hard sentence and what must be said of it.

    Of each set in `topics` one must be complained of, of `not_topics` none; `red_lines` is the exact set (None: not asked),
    of which `tolerated` may be there or not; `voices` are the admitted ones (None: not asked).
    """

    id: str
    kind: str
    part: str
    text: str = field(repr=False)  # a failing assertion must not show a locked one
    sentiments: frozenset[Sentiment]
    severity: tuple[int, int] = (0, 3)
    topics: frozenset[frozenset[str]] = frozenset()
    not_topics: frozenset[str] = frozenset()
    red_lines: frozenset[str] | None = None
    tolerated: frozenset[str] = frozenset()
    voices: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A sentence that is judged wrong, with the aspects that are wrong: aspect → what was said."""

    sentence: Sentence
    wrong: Mapping[str, str]

    def line(self) -> str:
        """Return one line for people. Locked sentences are named only, so that nobody tunes to them unawares."""
        said = "；".join(f"{aspect} {what}" for aspect, what in self.wrong.items())
        text = f"  {self.sentence.text}" if self.sentence.part == "open" else ""
        return f"{self.sentence.id}  [{said}]{text}"


@dataclass(slots=True)
class Result:
    """How one class of one part did."""

    total: int = 0
    failures: list[Failure] = field(default_factory=list)

    @property
    def right(self) -> int:
        """Sentences judged right."""
        return self.total - len(self.failures)

    @property
    def percent(self) -> int:
        """Share of right sentences in percent, rounded down."""
        return 100 * self.right // self.total if self.total else 0


def load(folder: Path = FOLDER) -> list[Sentence]:
    """Read all sentences below `folder`. Raises ValueError naming file and line of what cannot be read."""
    sentences: list[Sentence] = []
    for part in PARTS:
        for path in sorted((folder / part).glob("*.txt")):
            sentences += read_file(path, part)
    return sentences


def read_file(path: Path, part: str) -> list[Sentence]:
    """Read the sentences of one file. Raises ValueError naming file and line of what cannot be read."""
    kind, found = "", []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        try:
            if line.startswith("@ "):
                kind = line[2:]
                if kind not in CLASSES:
                    raise ValueError(f"没有这个类别 {kind}")
            else:
                found.append(parse(line, kind, part))
        except ValueError as error:
            raise ValueError(f"{path.name}:{number}: {error}: {line[:60]}") from error
    return found


def parse(line: str, kind: str, part: str) -> Sentence:
    """Return the sentence of one line. Raises ValueError."""
    match = _LINE.fullmatch(line)
    if not match or not kind:
        raise ValueError("格式不对")
    number, signs, conditions, text = match.groups()
    asked: dict[str, list[str]] = {}
    severity = (0, 3)
    for condition in conditions.split():
        bounds = _SEVERITY.fullmatch(condition)
        if bounds:
            level = int(bounds[1])
            severity = (0 if bounds[2] == "-" else level, 3 if bounds[2] == "+" else level)
            continue
        key, _, value = condition.partition(":")
        if not _admitted(key, value):
            raise ValueError(f"不认识的条件 {condition}")
        asked.setdefault(key, []).append(value)
    return Sentence(
        id=f"{part}/{kind}/{number}", kind=kind, part=part, text=text,
        sentiments=frozenset(_SIGNS.values()) if signs == "*" else frozenset(_SIGNS[sign] for sign in signs),
        severity=severity, topics=frozenset(frozenset(value.split(",")) for value in asked.get("t", ())),
        not_topics=frozenset(asked.get("x", ())),
        red_lines=frozenset(asked["r"]) - {"none"} if "r" in asked else None,
        tolerated=frozenset(asked.get("o", ())),
        voices=frozenset(asked["v"][0].split("/")) if "v" in asked else None,
    )


def _admitted(key: str, value: str) -> bool:
    if key in ("t", "x"):
        return all(_NAME.fullmatch(name) for name in value.split(","))
    if key == "v":
        return VOICES.issuperset(value.split("/"))
    return (key in ("r", "o") and value in RED_LINES) or (key, value) == ("r", "none")


def default_judge() -> Judge:
    """Return the judge as shipped: default engine, shipped topics, the example watches."""
    topics = load_model(ROOT / "config" / "topics.yaml", Topics, {})
    watches = load_model(ROOT / "config" / "watches.yaml", Watches, {})
    return Judge(watches, topics, make_engine())


def judge_all(judge: Judge, sentences: Sequence[Sentence]) -> dict[tuple[str, str], Result]:
    """Judge the sentences and return the results by class and part."""
    inputs = [
        TextInput(sentence.id, sentence.text, kind="session", about_brand=True) if sentence.kind == "chat"
        else TextInput(sentence.id, sentence.text, kind="post" if sentence.kind == "voice" else "review")
        for sentence in sentences
    ]
    results: dict[tuple[str, str], Result] = {}
    for sentence, assessment in zip(sentences, judge.assess(inputs), strict=True):
        result = results.setdefault((sentence.kind, sentence.part), Result())
        result.total += 1
        wrong = mistakes(sentence, assessment)
        if wrong:
            result.failures.append(Failure(sentence, wrong))
    return results


def mistakes(sentence: Sentence, said: Assessment) -> dict[str, str]:
    """Return what is wrong: aspect → what was said. Empty when all is right.

    Topics count where they are complained of; spans that praise or only mention an aspect don't.
    """
    wrong: dict[str, str] = {}
    complained = frozenset(span.topic for span in said.spans if span.sentiment is Sentiment.NEGATIVE)
    low, high = sentence.severity
    if said.sentiment not in sentence.sentiments:
        wrong["情感"] = str(said.sentiment)
    if not all(choice & complained for choice in sentence.topics) or sentence.not_topics & complained:
        wrong["主题"] = "、".join(sorted(complained)) or "无"
    if not low <= said.severity <= high:
        wrong["严重"] = str(said.severity)
    fired = frozenset(line.name for line in said.red_lines)
    if sentence.red_lines is not None and fired - sentence.tolerated != sentence.red_lines - sentence.tolerated:
        wrong["红线"] = "、".join(sorted(fired)) or "无"
    if sentence.voices is not None and not {said.voice, _KIND_OF.get(said.voice, said.voice)} & sentence.voices:
        wrong["声源"] = said.voice
    return wrong


def read_floors(path: Path = FLOORS) -> dict[str, dict[str, int]]:
    """Return class → part → floor in percent."""
    tree = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    return {kind: dict(parts) for kind, parts in tree["floors"].items()}


def raise_floors(results: Mapping[tuple[str, str], Result], path: Path = FLOORS) -> int:
    """Write floors that have been surpassed; a floor is never lowered. Returns how many were raised."""
    floors = read_floors(path)
    raised = 0
    for (kind, part), result in results.items():
        parts = floors.setdefault(kind, {})
        if result.percent > parts.get(part, -1):
            parts[part] = result.percent
            raised += 1
    head = path.read_text(encoding="utf-8").split("floors:")[0]
    lines = [
        f"  {kind}: {{open: {floors[kind].get('open', 0)}, locked: {floors[kind].get('locked', 0)}}}\n"
        for kind in CLASSES if kind in floors
    ]
    path.write_text(f"{head}floors:\n{''.join(lines)}", encoding="utf-8")
    return raised


def table(results: Mapping[tuple[str, str], Result], floors: Mapping[str, Mapping[str, int]]) -> str:
    """Return the figures per class: right of total in percent, with the pinned floor."""
    rows = [tr("类别                  公开   对 %  底线 |  锁定   对 %  底线", "class                  open  right floor | locked right floor")]
    for kind, chinese in CLASSES.items():
        cells = []
        for part in PARTS:
            result = results.get((kind, part), Result())
            cells.append(f"{result.total:5} {result.percent:5}  {floors.get(kind, {}).get(part, 0):4}")
        name = f"{kind:13}{tr(chinese, '')}"
        rows.append(f"{name}{' ' * (22 - _width(name))}{' | '.join(cells)}")
    cells = []
    for part in PARTS:
        total = _sum(result for (_, where), result in results.items() if where == part)
        cells.append(f"{total.total:5} {total.percent:5}      ")
    name = tr("合计", "all")
    rows.append(f"{name}{' ' * (22 - _width(name))}{' | '.join(cells)}")
    for part in PARTS:
        wrong = Counter(
            aspect for (_, where), result in results.items() if where == part
            for failure in result.failures for aspect in failure.wrong
        )
        rows.append(tr("错在", "wrong: ") + f" {part}: " + "  ".join(f"{a} {n}" for a, n in wrong.most_common()))
    return "\n".join(rows)


def _width(text: str) -> int:
    return sum(2 if "\u4e00" <= letter <= "\u9fff" else 1 for letter in text)


def _sum(results: Iterable[Result]) -> Result:
    total = Result()
    for result in results:
        total.total += result.total
        total.failures += result.failures
    return total


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judgement.hard", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=tr("底线只升不降地写回", "raise the floors, never lower one"))
    parser.add_argument("--failures", choices=[*CLASSES, "all"], help=tr("列出该类判错的句子", "list what fails in a class"))
    given = parser.parse_args(arguments)
    results = judge_all(default_judge(), load())
    print(table(results, read_floors()))
    if given.failures:
        for (kind, _), result in results.items():
            if given.failures in (kind, "all"):
                print("\n".join(failure.line() for failure in result.failures))
    if given.write:
        raised = raise_floors(results)
        print(tr(f"底线提高 {raised} 处：{FLOORS.name}", f"{raised} floors raised in {FLOORS.name}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
