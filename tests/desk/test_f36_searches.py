"""F36: whatever is typed into the search is answered or told, never an exception and never SQL; and what is found is
what the expression says, on both databases.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from reports.desk.ask import Desk, Question, QuestionError, ask, facets
from tests.reports.factory import Text, World, day
from vocwatch.settings.grammar import Node, parse
from vocwatch.store import schema as s
from vocwatch.store.desk import words
from vocwatch.store.desk.rows import mention_rows

HOSTILE = (
    "'", '"', "';", "' OR '1'='1", "'; DROP TABLE mentions; --", '" OR "1"="1', "%", "_", "%%%", "_%", "\\", "\\'", "*", "杯*", "^杯", "杯:漏", "words:杯",
    "NEAR(杯 漏, 2)", "杯 NEAR 漏", "NEAR", "NEAR/", "AND", "OR", "NOT", "NOT NOT 杯", "(", ")", "()", "(((((杯", "杯)", "（杯", "“杯", "杯 AND", "OR 杯", "a-b",
    "-杯", "+杯", "杯 + 漏", "{杯 漏}", "rowid:1", "desk_words:杯", "'杯':*", "杯 <-> 漏", "杯 & 漏", "!杯", "杯 | 漏", ":*", "\0", "杯\0漏", "\ud800", "$1", "%s",
    "{{7*7}}", ":key", "1=1", "x'; SELECT pg_sleep(10)--", "漏 UNION SELECT 1", "\u202e杯", "，。！", "🤮", "NEAR/9999 杯", "杯 NEAR/600 漏", "@", "的",
    "a" * 3000, "(" * 300 + "杯" + ")" * 300, "杯 " * 500, '""', '"%"', "杯 NOT", "杯 NEAR/3", "NOT 杯", "NOT (杯 OR 漏)", "杯 OR NOT 漏",
)
TEXTS = (
    "杯子漏水，退货", "杯盖不漏水了", "杯 子 有裂缝 100% 不行", "O'Brien said \"it's bad\"", "包装破损；漏 水", "iPhone15 壳 a-b c_d", "吐了🤮", "颜色掉色严重，杯子也掉色",
    "掉。色", "色", "NEAR AND OR 也是词", "１００％满意", "漏水" * 30 + "杯",
)
WORDS = ("杯", "漏水", "杯子", "掉色", "色", "水", "100", "bad", "it's", "phone", "破损 漏", "漏水漏水", "不")


@pytest.fixture
def searched(both: Desk) -> Desk:
    world = World(both.store, 36)
    for text in TEXTS:
        world.mention(day(1), Text(text, ("产品质量/漏水",)), title="标题里的掉色" if text == "色" else None)
    world.save()
    return both


def texts_of(desk: Desk, question: Question) -> set[int]:
    return {row["id"] for row in ask(desk, "mentions", question).rows}


def test_every_search_is_answered_or_told(searched: Desk) -> None:
    answered = told = 0
    for text in HOSTILE:
        try:
            question = Question.from_params({"q": text})
        except QuestionError as error:
            assert error.field == "q" and error.message and "\n" not in error.message
            told += 1
            continue
        for subject in ("mentions", "sessions", "incidents", "topics"):
            list(ask(searched, subject, question).rows)
        facets(searched, question, "source")
        answered += 1
    assert answered > 20 and told > 20
    with searched.store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(s.mentions)).scalar() == len(TEXTS)


@pytest.mark.parametrize("field", ["topic", "source", "product", "watch", "shop", "red_line", "incident"])
def test_every_other_condition_takes_any_text_as_a_name(searched: Desk, field: str) -> None:
    for text in HOSTILE:
        if len(text) <= 200:
            question = Question.from_params({field: text})
            found = texts_of(searched, question)
            assert not found or not question.to_params(), (field, text)


def test_what_is_found_is_what_the_expression_says(searched: Desk) -> None:
    draw = random.Random(36)
    for _ in range(60):
        text = _expression(draw, 2)
        node = parse(text)
        with searched.read() as connection:
            found = {row["id"] for row in mention_rows(connection, searched.scope(connection, Question(text=text)))}
        wanted = {
            number for number, said in enumerate(TEXTS, 1)
            if words.holds(node, words.fold(f"标题里的掉色\n{said}" if said == "色" else said))
        }
        assert found == wanted, text


def _expression(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.3:
        word = draw.choice(WORDS)
        return f'"{word}"' if " " in word else word
    one, other = _expression(draw, depth - 1), _expression(draw, depth - 1)
    form: Callable[[], str] = draw.choice([
        lambda: f"({one} {other})", lambda: f"({one} OR {other})", lambda: f"({one} NOT {other})", lambda: f"(NOT {one})",
        lambda: f"({draw.choice(WORDS[:6])} NEAR/{draw.randrange(1, 9)} {draw.choice(WORDS[:6])})",
    ])
    return form()


def test_a_near_of_words_that_stand_everywhere_is_refused(searched: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from vocwatch.store.desk import scope

    monkeypatch.setattr(scope, "MAX_LOOKED", 1)
    with pytest.raises(QuestionError, match="太常见"):
        ask(searched, "mentions", Question(text="漏 NEAR 水"))
    node: Node = parse("漏 NEAR 水")
    assert not words.exact(node)
