"""What a text tells without its having happened to the thing itself: advice, suppositions, rumours, plans, and what
one expected before it came otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from sentiment.clauses import Clause
from sentiment.phrases import Phrases

_REACH = 200
"""So many characters before a denial of a rumour belong to the rumour."""
_ADVISERS = r"(?:师傅|技师|柜姐|店员|导购|营业员|医生|大夫|药师|老师|说明书|包装上|标签上)"
_ADVICE = re.compile(
    r"如(?:有|遇|出现|发生|感到?|发现)[^，,。！!]{1,10}[，,]?(?:请|应|需|可|要|须|立即|及时|马上|停)"
    r"|(?:使用|食用|佩戴|服用|安装|清洗|充电)前[，,]?(?:请|应|须|务必|先|建议)|(?:请勿|切勿|切忌|严禁)(?!购|买|下单|上当|入坑|相信|踩|入手)"
    r"|科普(?:一下|个|下|时间)?[:：]|(?:冷|小)知识[:：]?|小贴士|注意事项|从?理论上(?:来?[讲说])?[，,]"
    r"|任何(?!问题|一?个?人|时候|事|售后|客服|回|解释|处理)[^，,。！!?？]{1,10}都(?:有|会|可能|存在|容易)"
    rf"|{_ADVISERS}[^，,。]{{0,3}}(?:提醒|叮嘱|嘱咐|交代|交待)"
)
_SUPPOSITION = re.compile(r"假设|倘若|假如|我猜|演[习练](?!得|技)|要是没[^，,。]{1,6}会|如果没[^，,。]{1,6}会|若没[^，,。]{1,6}会")
_RUMOUR_ENDED = re.compile(
    r"辟(?:了)?谣|是谣言|虚惊一场|是假消息|是误传|真假没人|真假不知|不知真假|真假(?:未知|难辨)"
    # Somebody who has tried it says so. A shop says “没事，别自己吓自己”, too: that ends nothing.
    r"|(?<![说回复称道讲])没(?:有)?(?:冒|起|着|自|爆|炸|漏|烫|鼓|闻)[^，,。！!]{1,8}[，,](?:大家)?别(?:再)?(?:自己)?吓(?:自己|人)"
)
_PLAN = re.compile(r"等[^，,。！!?？了]{1,10}再(?:入手|买|下单|下手|入|冲|囤|来看|考虑)|先(?:收藏|加购|码住|观望)|坐等更新")
_EXPECTED = re.compile(
    r"做好了?[^，,。]{1,14}准备|预想(?:中|的)|(?:本来?|原)以为|(?:本来|原本|原先|起初|起先|[一刚]开始|当初|之前)[还也我是有点挺]{0,3}"
    r"(?:嫌|怕|担心|以为|犹豫|纠结|没抱|怀疑|不信|抱着)"
)
_WHY_BOUGHT = re.compile(r"所以(?:才|就|一直|特意)?(?:挑的?|选[了的]|买(?!了?[药个创]))|才想(?:起来?|到|着)要?买(?!了?[药个创])")
_CAME = re.compile(r"结果|没想到|谁知|居然|竟然?|反而|倒是|却|其实")
_FRAMES = Phrases(_ADVICE, _SUPPOSITION, _RUMOUR_ENDED, _PLAN, _EXPECTED, _WHY_BOUGHT)
_STRAIGHT_AFTER = 1  # so many clauses more belong to what somebody advises or supposes


class Frames(NamedTuple):
    """The starts of clauses that tell of nothing that happened (`unreal`), and of those that tell what was expected
    before (`expected`).
    """

    unreal: frozenset[int] = frozenset()
    expected: frozenset[int] = frozenset()


NONE = Frames()


def frames(text: str, clauses: Sequence[Clause]) -> Frames:
    """Return which clauses of a normal form stand in such a frame."""
    if not _FRAMES.found(text):
        return NONE
    unreal: set[int] = set()
    for expression in (_ADVICE, _SUPPOSITION):
        for found in expression.finditer(text):
            unreal.update(_from(text, clauses, *found.span()))
    for found in _PLAN.finditer(text):
        unreal.update(clause.start for clause in clauses if clause.start < found.end() and found.start() < clause.end)
    for found in _RUMOUR_ENDED.finditer(text):
        unreal.update(
            clause.start for clause in clauses
            if clause.start < found.end() and clause.end > found.start() - _REACH
        )
    expected = {
        clause.start for found in _EXPECTED.finditer(text) for clause in clauses
        if clause.start < found.end() and found.start() < clause.end
    }
    for found in _WHY_BOUGHT.finditer(text):
        expected.update(clause.start for clause in _sentence_before(clauses, found.start()))
    return Frames(frozenset(unreal), frozenset(expected))


def _sentence_before(clauses: Sequence[Clause], place: int) -> list[Clause]:
    """The clauses of the sentence at `place` that begin at or before it: what made somebody buy."""
    return [clause for clause in clauses if clause.start <= place <= clause.sentence_end]


def _from(text: str, clauses: Sequence[Clause], start: int, end: int) -> list[int]:
    """The clauses that an expression touches and the next one, not beyond its sentence or where it came otherwise."""
    found: list[int] = []
    more, sentence = _STRAIGHT_AFTER, -1
    for clause in clauses:
        if clause.end <= start:
            continue
        if clause.start >= end:
            if not more or clause.sentence != sentence or clause.turn or _CAME.match(text, clause.start):
                break
            more -= 1
        sentence = clause.sentence
        found.append(clause.start)
    return found
