"""Whether a complaint is stated of the thing itself: not negated, asked, feared, supposed or another's."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from sentiment.clauses import Clause
from sentiment.frames import Frames, frames
from sentiment.phrases import Phrases
from sentiment.rules import PRAISE, Match, hint

Spans = Sequence[tuple[int, int]]

_NEGATOR = (
    r"(?:不会|不太会|不易|不容易|不怎么会?|不太|不|没有|没|无|未|毫无|从不|从没|从未|并无|并未|绝不|零|杜绝|避免"
    r"|防止|防|抗|免|拒绝|告别|远离|无惧|减少|降低|改善|解决|缓解|预防|去除|消除|不至于|不存在|不用|没要|不必|不需要|无需|不是(?!就|一般|吗|么|很))"
)
_FILLER = (
    r"(?:想象中?的?|以前|之前|从前|原来|上次|上回|第一次|去年|图片?上?|照片上?|专柜|实体店|别家|出现|发生|发现|看到|遇到|碰到|闻到|听到|感觉到?|觉得|感到|引起|导致|造成|产生|任何|什么|啥|一点儿?|半点|丝毫"
    r"|丁点|再|有|过|会|明显|太|很|怎么|那么|这么|特别|非常|的|现象|情况|问题|容易|被|让我?|给我?|它的?|大|严重|那种|所谓|担心|害怕|怕|过于|突然|"
    r"皮肤|孩子|宝宝|客服|客户|顾客|消费者)"
)
_NEGATED = re.compile(_NEGATOR + _FILLER + r"{0,4}$")
_NEGATED_GAP = re.compile(r"(?:没有|没人|未见|未发现|不存在|不会|绝不|毫无)[^，,。]{0,4}$")
_NEGATED_LIST = re.compile(
    r"(?:没有|没|无|不会|不|毫无|零|未)(?:[\u4e00-\u9fff]{1,6}(?:、|和|或者?|及|以及|/)){1,4}(?:有)?$"
)
_DENIED_AFTER = re.compile(
    r"(?:现象|情况|问题)?(?:也|都|倒|并|一点也?|一点都)?不(?:是很|是太|太|算|怎么)?(?:严重|明显|厉害)(?:的|呢|哦|哈|啦)?$"
    r"|(?:的)?(?:现象|情况|问题|什么的|之类的?|啥的|味)?(?:也|都|倒|完全|基本|几乎|暂时|目前|根本|真的)?"
    r"(?:没有|没出现|没发生|不存在|未出现|未发现|没发现)(?:出现|发生|过)?(?:的|呢|哦|哈|啦)?$"
)
_FOR_SURE = re.compile(r"严重|得(?:很|厉害|一塌糊涂|要命)|了(?!吗|么|没)")
_ASKED_BEFORE = re.compile(
    r"会不会|是否|会不|容不容易|会否|能不能|哪[里儿]?(?:可以|能)?查|怎么(?:才能|能)?查|(?:有没有|有无)[^人]{0,6}$"
    r"|(?:有没有|有无|有谁|有人).{0,8}(?:遇到|碰到|知道|用了|穿了|也)[^了]{0,4}$|(?:求问|请问|想问|问一下|问下|咨询|求科普|想知道)"
)
_ASKED_AFTER = re.compile(r"(?:吗|么|嘛|不|没|没有|呢|不呢)[?？\s]*$")
_ASKING_PEOPLE = re.compile(
    r"\s*(?:大家|姐妹们?|各位|请问|想问)?(?:有没有|有无|有)(?:人|谁|姐妹|宝妈|宝子|朋友|用过|买过)"
)
_RHETORICAL = re.compile(
    r"怎么(?!(?:才能|能)?查)|为什么|为啥|凭什么|凭啥|难道|一律不|还有脸|这也|就这|这叫|居然|竟然|良心|你们管|不觉得|又|什么玩意|好意思|正常吗|搞笑"
)
_SUPPOSED = re.compile(
    r"(?:如果|要是|万一|假如|倘若|若是|若|一旦|假设|除非|哪怕|就算|即使|以为会?|本以为)(?!不是)(?!没)"
)
_SUPPOSED_GAP = re.compile(r"(?:如果|要是|万一|假如|一旦)(?!不是)[^，,。]{0,6}$")
_SUPPOSED_AFTER = re.compile(
    r".{0,6}(?:的话|怎么办|咋办|包赔|包退|可退|必赔|就退|可以退|可退换|可换|全额退)|[也都](?:不怕|不用怕|不担心|没关系|不要紧)"
)
_FEARED = re.compile(
    r"(?:(?<!恐)(?<!哪)怕(?!是)|担心|害怕|生怕|唯恐|以免|省得|免得|(?<!不)小心|当心|注意(?!到)|谨防|警惕|留意"
    r"|避开|提防|以防|防范)[^了]{0,8}$"
)
_MIGHT = re.compile(r"(?:可能会?|也许会?|说不定|早晚会?|迟早会?|容易|有可能|或许会?|易)[^了]{0,3}$")
_SHORT_QUESTION = 12
_LOOK_BACK = 120
_EITHER = 8  # 不是掉色就是起球 is both
_HEARSAY = re.compile(
    r"听说|据说|网传|听[^，,。了话得]{1,4}[说讲]|听讲|看新闻|看到新闻|新闻说|新闻里|的新闻|有报道|刷到|网上说|有人说|都说这|都说会|说是某"
    r"|评论(?:里|区)?(?:有人)?说|视频里|热搜|疯传|谣言|造谣|辟谣|别再传|澄清|不知真假|不是我家|有说|那种用了"
)
_OTHER = re.compile(
    r"某牌|某品牌|某家|某款|某大牌|某国产|某进口|别家|别人家|别的家|其他家|其它家|别的(?:牌子|品牌|店|款)"
    r"|其[他它](?:牌子|品牌|店|款|的)|隔壁|上一个|上一家|上一款|上家"
    r"|(?:之前|以前|原来|从前)(?:的|买的?|用的?|穿的?|家里的?)?(?:那|别|其他|一个|旧|老|某)"
    r"|旧的|老款|另一家|另外一家|杂牌|小牌子|友商|外面买的|地摊货?|市面上|普通的?"
)
_BACK = re.compile(
    r"这款|这个|这家|这件|这双|这次|这里|这瓶|这台|这条|你家|你们家?|他家|她家|它家|贵司|本品|现在|换了|换成"
    r"|没想到|结果(?:也|还|一样)|也一样|同样"
)
# One look tells for most places that none of these is there.
_BEFORE = hint(_ASKED_BEFORE, _NEGATED, _NEGATED_LIST, _FEARED, _SUPPOSED, _MIGHT)
_ELSEWHERE = Phrases(_OTHER, _HEARSAY)
_COMPARED = re.compile(r"(?:比|不如|还不如|跟|和|与|像|同|除了|换成?|没有|连|学|对比|从|弃)\s*(?:起)?$")


_DEMANDED = frozenset("退管理负处解发换赔修认还给回")


class Surroundings:
    """A text, its clauses, and where the own brand and its competitors stand in it."""

    def __init__(self, text: str, clauses: Sequence[Clause], own: Spans = (), others: Spans = ()):
        self.text = text
        self.clauses = clauses
        self._own = own
        self._others = others
        self._elsewhere: bool | None = None
        self._frames: Frames | None = None
        self._ends = [clause.end for clause in clauses]

    def clause_of(self, match: Match) -> Clause:
        """Return the clause in which the match begins (or the next, where it begins between two)."""
        return self._clause_at(match.start)

    def _clause_at(self, place: int) -> Clause:
        return self.clauses[min(bisect_right(self._ends, place), len(self.clauses) - 1)]

    def dismissed(self, match: Match, threats: bool = False, happened: bool = False) -> str | None:
        """Return why the match is no complaint about the thing itself, or None if it is one.

        `threats` lets suppositions stand (再不处理我就投诉); `happened` asks for more than 可能会.
        """
        if not threats and self._whether(match):
            return "asked"
        clause = self.clause_of(match)
        framed = self.framed()
        if clause.start in framed.expected:
            return "feared"
        if not threats and clause.start in framed.unreal:
            return "supposed"
        before = self.text[min(clause.start, match.start):match.start]
        lead = before if before and _BEFORE.search(before) else ""  # what can hold any of the expressions
        last = clause if match.end <= clause.end else self._clause_at(match.end - 1)
        after = self.text[match.end:max(last.end, match.end)]
        gaps = bool(match.groups)
        if not (lead or after or gaps or clause.question):
            return "other" if self._others_fault(match, clause) else None
        asked = bool(lead) and _ASKED_BEFORE.search(lead) is not None
        if not threats and asked and not _RHETORICAL.search(before):
            return "asked"
        either = before.endswith("不是") and self.text.find("就是", match.end, match.end + _EITHER) >= 0
        if (not either and self._negated(lead, after)) or (gaps and self._in_gap(match, _NEGATED, _NEGATED_GAP)):
            return "negated"
        if not threats:
            if gaps and self._in_gap(match, _FEARED, _SUPPOSED_GAP):
                return "supposed"
            if asked or self._asked(before, match, after, clause):
                return "asked"
            if lead and _FEARED.search(lead):
                return "feared"
            if (lead and _SUPPOSED.search(lead)) or (after and _SUPPOSED_AFTER.match(after)):
                return "supposed"
        if happened and ((lead and _MIGHT.search(lead)) or (gaps and self._in_gap(match, _MIGHT))):
            return "possible"
        return "other" if self._others_fault(match, clause) else None

    def framed(self) -> Frames:
        """Return the clauses that tell of nothing that happened to the thing."""
        if self._frames is None:
            self._frames = frames(self.text, self.clauses)
        return self._frames

    def _whether(self, match: Match) -> bool:
        """Whether words are half of a question: 贵(不贵), 好(不好用), 是(不是正品); 是不是 is one of praise alone, and what
        a shop is to do is demanded (负不负责).
        """
        text, start = self.text, match.start
        if match.kind == PRAISE and text.startswith("是不是", max(0, start - 3)) and start > 2:
            return True
        if text[start:start + 1] in _DEMANDED or text[start + 1:start + 2] in _DEMANDED:
            return False
        if start and text[start] in "不没" and text[start - 1:start] == text[start + 1:start + 2]:
            return True
        return start > 1 and text[start - 1] in "不没" and text[start - 2] == text[start]

    @staticmethod
    def _negated(before: str, after: str) -> bool:
        if before and _NEGATED.search(before):
            return True
        if before and _NEGATED_LIST.search(before) and not _FOR_SURE.match(after):
            return True
        return bool(after) and _DENIED_AFTER.match(after) is not None

    def _in_gap(self, match: Match, *expressions: re.Pattern[str]) -> bool:
        """Whether one of the expressions ends a gap of the pattern: 噪音(不)大, 做工一点也(不)粗糙."""
        for start, _ in match.groups:
            if start <= match.start:
                continue
            lead = self.text[match.start:start]
            for found in (expression.search(lead) for expression in expressions):
                if found is None:
                    continue
                left, right = match.start + found.start(), match.start + found.end()
                if not any(first < right and left < last for first, last in match.groups):
                    return True
        return False

    def _asked(self, before: str, match: Match, after: str, clause: Clause) -> bool:
        """Whether the clause is a question, beginning apart."""
        if not (clause.question or after.endswith(("吗", "么", "嘛"))):
            return False
        whole = before + self.text[match.start:match.end] + after
        if _RHETORICAL.search(whole):
            return False
        if clause.question and _ASKING_PEOPLE.match(whole):
            return True
        if _ASKED_AFTER.search(after):
            return True
        last = clause.question and clause.end == clause.sentence_end
        return last and len(whole) <= _SHORT_QUESTION and not _FOR_SURE.search(whole)

    def elsewhere(self, clause: Clause) -> bool:
        """Whether a clause tells what happened to another's thing, or what others tell; comparing with it doesn't."""
        if not self.of_others():
            return False
        text = self.text
        if any(
            _COMPARED.search(text[max(clause.start, found.start() - 4):found.start()])
            for found in _OTHER.finditer(text, clause.start, clause.end)
        ):
            return False
        return self._others_fault(Match(0, clause.end, clause.end, ""), clause)

    def of_others(self) -> bool:
        """Whether the text speaks of anything but the thing itself at all."""
        if self._elsewhere is None:
            self._elsewhere = bool(self._others) or bool(_ELSEWHERE.found(self.text))
        return self._elsewhere

    def _others_fault(self, match: Match, clause: Clause) -> bool:
        if not self.of_others():
            return False
        start = max(clause.sentence_start, match.start - _LOOK_BACK)
        lead = self.text[start:match.start]
        own_after = max((s for s, _ in self._own if start <= s < clause.end), default=-1)
        blamed = -1
        for found in _OTHER.finditer(lead):
            blamed = start + found.start()
        for left, _right in self._others:
            if start <= left < match.end and not _COMPARED.search(self.text[max(start, left - 4):left]):
                blamed = max(blamed, left)
        if blamed >= 0:
            return own_after <= blamed and not _BACK.search(self.text, blamed, match.start)
        return own_after < 0 and _HEARSAY.search(lead) is not None
