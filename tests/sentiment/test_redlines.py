"""Red lines by signs and model beside the rules: what fires, why, and what bounds the work."""

from __future__ import annotations

import numpy as np
import pytest

from sentiment.clauses import split
from sentiment.normalise import normalise
from sentiment.redlines import Alarm
from sentiment.rules import PRAISE, Match
from sentiment.signs import MOST, NEAR, Signs, number, signs
from sentiment.topic_model import RED_LINES, TopicModel, features, load
from sentiment.topics import Passage, Taxonomy, _Praised
from sentiment.training.topics import build
from tests.sentiment.test_taxonomy import SHIPPED, TAXONOMY
from vocwatch.settings.topics import RedLineClass, Topics

PAIR = Signs({"热": ["开水"], "身": ["胳膊"]})


def alarms(text: str, taxonomy: Taxonomy = TAXONOMY) -> tuple[Alarm, ...]:
    form = normalise(text).text
    return taxonomy.find(form, split(form)).alarms


def test_signs_count_as_a_pair_only_side_by_side() -> None:
    near, far = "开水" + "了" * NEAR + "胳膊", "开水" + "了" * (NEAR + 1) + "胳膊"
    both = {number("热"), number("身")}
    pair = number("+".join(sorted(("热", "身"))))
    assert PAIR.features(PAIR.find(near)) == both | {pair}
    assert PAIR.features(PAIR.find(far)) == both


def test_the_signs_of_one_text_are_bounded() -> None:
    assert len(PAIR.find("胳膊" * 3 * MOST)) == MOST


def test_a_fault_is_compared_with_the_praise_beside_it_alone() -> None:
    praises = [(Match(1, 3 * place, 3 * place + 3, "word", (), PRAISE), None) for place in range(2000)]
    near = _Praised(praises).near(Match(1, 3001, 3003, "word"))
    assert len(near) <= 3 and any(praise.start == 3000 for praise in near)
    assert _Praised(praises).near(Match(2, 3001, 3003, "word")) == ()


def test_praise_of_the_very_topic_silences_the_model() -> None:
    text = "扫了防伪码是正品"
    loud = load(RED_LINES)
    biases = tuple(9.0 if head == "!假货" else -9.0 for head in loud.heads)
    sure = TopicModel(loud.heads, biases, loud.steps, loud.keys, np.zeros_like(loud.table))
    taxonomy = Taxonomy(SHIPPED, red=sure)
    assert [alarm.line.name for alarm in alarms("买来就这样", taxonomy)] == ["假货"]
    assert alarms(text, taxonomy) == ()


def test_an_alarm_says_why_in_words() -> None:
    (alarm,) = alarms("淋浴喷头漏的热水把小臂浇出一串水泡，去医院换了一周药")[:1]
    assert alarm.reason.startswith(("规则", "模型 0."))
    (by_rule,) = alarms("被防滑垫漏电电到了")
    assert by_rule.line.name == "漏电触电" and by_rule.reason.startswith("规则：") and "漏电" in by_rule.reason


def test_a_class_that_the_model_does_not_know_goes_by_its_rules() -> None:
    own = RedLineClass(name="宠物走失", words=("跑丢",))
    taxonomy = Taxonomy(Topics(version="1", topics=SHIPPED.topics[:1], red_lines=(own,)))
    assert [alarm.line.name for alarm in alarms("寄养把猫跑丢了", taxonomy)] == ["宠物走失"]
    assert alarms("没有跑丢过", taxonomy) == ()


@pytest.mark.parametrize("text", ["漏水不" * 6000, "不漏水" * 6000, "手烫泡医院" * 4000])
def test_long_repetition_is_read(text: str) -> None:
    form = normalise(text).text
    TAXONOMY.find_many([Passage(form, split(form))])


def test_rebuilding_gives_the_shipped_bytes() -> None:
    for path, model in build().items():
        assert model.to_bytes() == path.read_bytes(), f"{path.name}: python -m sentiment.training topics"


def test_evidence_has_numbers_of_its_own() -> None:
    model = load(RED_LINES)
    assert number("身体") in set(model.keys.tolist())
    assert features(["身体"], [(0, 0, 2)]).indices.max() < min(signs().numbers)
