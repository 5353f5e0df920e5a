"""Masking of personal data in free text: phone, ID card, bank card, order number, address, name and so on.

Detectors run over a *view* of the text in which characters without width are gone and every kind of digit is
an ASCII digit, so that neither hides a number; what they find is replaced in the original. A detector's
patterns are bounded or start only where a run starts, so that time grows linearly with the text.
"""

from __future__ import annotations

import bisect
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from vocwatch.addresses import SURNAME, find_addresses

PHONE, LANDLINE, ID_CARD, BANK, ORDER = "手机号", "电话", "身份证", "银行卡", "订单号"
ADDRESS, NAME, EMAIL, WECHAT, QQ, PLATE, PASSPORT = "地址", "姓名", "邮箱", "微信", "QQ", "车牌", "护照"
SCHOOL = "学校班级"

# A replaced text is searched again, since taking one thing away can show another. Two rounds are the rule.
_ROUNDS = 10

Span = tuple[int, int, str]
Finder = Callable[[str], Iterator[Span]]

# What shows nothing: controls, zero-width, bidi, fillers, variation selectors, keycaps, combining marks.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20f0\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]+"
)


# The zero of every script's digits (Unicode 16): looking for them takes a tenth of the program's start.
_ZEROS = (
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50,
    0x11D50, 0x11DA0, 0x11F50, 0x16130, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2,
    0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
)


def _folding() -> dict[int, str]:
    """Return the one-to-one table: full-width to ASCII, every script's and circled digits to 0-9, dashes."""
    table = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table.update({zero + i: str(i) for zero in _ZEROS for i in range(10)})
    for start in (0x2460, 0x2776, 0x2780, 0x278A, 0x24F5):  # ① ❶ ➀ ➊ ⓵
        table.update({start + i: str(i + 1) for i in range(9)})
    table.update({0x24EA: "0", 0x24FF: "0", 0x3000: " ", 0xA0: " "})
    table.update(dict.fromkeys((0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015, 0x2212, 0xFE63, 0xFE58), "-"))
    return table


_FOLD = _folding()
# Nearly all that is ever folded; replacing these few is several times faster than a table.
_EVERYDAY = {wide: _FOLD[ord(wide)] for wide in "，！？：；（）"}
_RARE_CODES = [code for code in sorted(_FOLD) if chr(code) not in _EVERYDAY]
# Two classes: one that reaches beyond the first 65,536 characters is searched ten times slower.
_RARE_NEAR = re.compile(
    f"{_UNSEEN.pattern[:_UNSEEN.pattern.index(chr(0xE0000))]}"
    f"{re.escape(''.join(chr(code) for code in _RARE_CODES if code < 0x10000))}]"
)
_FAR = re.compile("[\U00010000-\U0010ffff]")
_RARE_FAR = re.compile(f"[\U000e0000-\U000e0fff{''.join(chr(code) for code in _RARE_CODES if code >= 0x10000)}]")


def _holds_rare(text: str) -> bool:
    """Whether there is anything unseen, or folded but for everyday punctuation."""
    return bool(_RARE_NEAR.search(text) or (_FAR.search(text) and _RARE_FAR.search(text)))


class _View:
    """The text as the detectors see it, and the way back to the original offsets."""

    def __init__(self, original: str):
        self._cuts: list[int] = []  # view offset at which something was left out
        self._gone: list[int] = []  # how much was left out up to and including that place
        if not _holds_rare(original):
            for wide, narrow in _EVERYDAY.items():
                original = original.replace(wide, narrow)
            self.text = original
            return
        total = 0
        for match in _UNSEEN.finditer(original):
            self._cuts.append(match.start() - total)
            total += match.end() - match.start()
            self._gone.append(total)
        self.text = (_UNSEEN.sub("", original) if self._cuts else original).translate(_FOLD)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Return the original offsets of the view's [start, end)."""
        return self._shift(start), self._shift(end)

    def _shift(self, offset: int) -> int:
        count = bisect.bisect_right(self._cuts, offset)
        return offset + (self._gone[count - 1] if count else 0)


# --- numbers ---------------------------------------------------------------------------------------------

_SEP = r"(?: {0,2}[-.·/_ ] ?)"
_MOBILE = re.compile(
    r"(?<!\d)(?<!\d\.)(?:\(?(?:\+|00)?86\)?[ -]{0,2}|0)?(?P<body>"
    rf"1[3-9]\d{_SEP}?\d{{4}}{_SEP}?\d{{4}}"  # 138 0013 8000 and without separators
    r"|1[3-9](?:[ -]{0,3}\d){9}"  # any other grouping by blanks and dashes
    r"|1(?P<s>[^\w]{1,2})[3-9](?:(?P=s)\d){9}"  # one and the same sign between all digits
    r")(?!\d)(?![:.]\d)"
)
_CN_DIGIT = "零〇一二三四五六七八九幺壹贰叁肆伍陆柒捌玖两洞拐勾"
_WORD_DIGIT = rf"[\d{_CN_DIGIT}oO]"
_WORD_START = re.compile(rf"[1一幺壹][ -]?[{_CN_DIGIT}3-9]")
_MOBILE_WORDS = re.compile(  # 一三九零零零…, 139oooo1234
    rf"(?<![\d{_CN_DIGIT}])[1一幺壹][ -]?[{_CN_DIGIT}3-9](?:[ -]?{_WORD_DIGIT}){{9}}(?![\d{_CN_DIGIT}A-Za-z])"
)
_DATE_START = re.compile(r"1[3-9]\d\d[-. ]{1,3}(?:0?[1-9]|1[0-2])[-. ]{1,3}\d")
_LANDLINE = re.compile(
    r"(?<!\d)(?<!\d[.-])(?:\(?(?:\+|00)86\)?[ -]?)?\(?0(?:10|2\d|[3-9]\d\d)(?:\) ?|[ -]{1,2})?"
    r"[2-8]\d{2,3}[ -]?\d{4}(?:(?:-|转| 转 ?)\d{1,6})?(?!\d)"
)
_LANDLINE_LOCAL = re.compile(
    r"(?:电话|座机|固话|手机|号码|[Tt][Ee][Ll])[号码是为:. ]{0,4}(?P<body>[2-8]\d{2,3}[ -]?\d{4})(?!\d)"
)

_ID18 = re.compile(r"(?<!\d)[1-9](?:[ -]?\d){16}[ -]?[\dXx](?!\d)")
_ID_LABELLED = re.compile(
    r"(?:身份证|证件|实名|公民身份)[一-龥]{0,4}[:= ]{0,3}(?P<body>[1-9]\d{14}(?:\d\d[\dXx])?)(?![\dA-Za-z])"
)
_PROVINCES = re.compile(r"1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]|91")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)

_CARD_GROUPED = re.compile(r"(?<!\d)\d{4}(?:[ -]\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)")
_CARD_LABELLED = re.compile(
    r"(?:银行卡|储蓄卡|信用卡|借记卡|卡号|银行账号|银行账户|收款账号)[一-龥]{0,4}[:= ]{0,3}"
    r"(?P<body>\d(?:[ -]?\d){14,18})(?!\d)"
)
_CARD_START = re.compile(r"62|4|5[1-5]|2[2-7]|3[5-7]|60|6[5-9]|9[0-9]")

_ORDER_LABEL = (
    r"(?:订单|运单|快递单|物流单|面单|包裹单|售后单|退款单|退货单|工单|服务单|投诉单|支付单)(?:编?号码?)?"
    r"|(?:快递|物流|包裹|售后|退款|退货|交易|流水|支付)(?:编?号码?|单号)|单号"
    r"|[Oo]rder ?(?:[Nn]o|[Ii][Dd]|[Nn]umber)?"
)
_ORDER_LABELLED = re.compile(
    rf"(?:{_ORDER_LABEL})[是为:=#.“\"'(【\[ ]{{0,4}}"
    r"(?P<body>[A-Za-z]{0,6}-?\d(?:-?[\dA-Za-z]){7,39}|\d{4}(?: \d{2,6}){2,6})(?![\dA-Za-z])"
)
_TRACKING = re.compile(r"(?<![A-Za-z0-9/=_-])(?:SF|YT|JT|ZTO?|STO?|EMS|DPK|YD|JD[A-Z]{0,2})\d{11,15}(?!\d)")
_LONG_RUN = re.compile(r"(?<![\dA-Za-z_/=?&#%])(?<!\d\.)\d{15,64}(?![\dA-Za-z_])")
_POST_ID = re.compile(
    r"(?:(?<![A-Za-z])(?:[mpvtfa]?id|uid|sku|bvid|url)|商品|货号|条码|帖子?|微博|视频|笔记|评论)"
    r"(?:编?号|码|id)?[:=# 是为]{0,3}$",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")


def _valid_date(text: str) -> bool:
    try:
        dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return True


def _is_id18(digits: str) -> bool:
    """Say whether 18 characters are an ID card by province, birth date and check digit (GB 11643)."""
    if not _PROVINCES.match(digits) or digits[6:8] not in ("18", "19", "20") or not _valid_date(digits[6:14]):
        return False
    total = sum(int(c) * w for c, w in zip(digits[:17], _ID_WEIGHTS, strict=True))
    return digits[17].upper() == "10X98765432"[total % 11]


def _is_id15(digits: str) -> bool:
    return bool(_PROVINCES.match(digits)) and _valid_date("19" + digits[6:12])


def _luhn(digits: str) -> bool:
    """Say whether the check digit of a card number is right (ISO/IEC 7812-1)."""
    doubled = (int(c) * (2 if i % 2 else 1) for i, c in enumerate(reversed(digits)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _plain(text: str) -> str:
    return text.replace(" ", "").replace("-", "")


def _id_cards(view: str) -> Iterator[Span]:
    for match in _ID18.finditer(view):
        if _is_id18(_plain(match.group())):
            yield match.start(), match.end(), ID_CARD
    for match in _ID_LABELLED.finditer(view):
        yield *match.span("body"), ID_CARD


def _cards(view: str) -> Iterator[Span]:
    for match in _CARD_LABELLED.finditer(view):
        yield *match.span("body"), BANK
    for match in _CARD_GROUPED.finditer(view):
        digits = _plain(match.group())
        # UnionPay's 62 in groups of four is a card even with a mistyped check digit.
        if (_luhn(digits) and _CARD_START.match(digits)) or digits.startswith("62"):
            yield match.start(), match.end(), BANK


def _orders(view: str) -> Iterator[Span]:
    for match in _ORDER_LABELLED.finditer(view):
        body = match.group("body")
        # A date after the word (订单2026-09-14) and a word of letters are no order numbers.
        if sum(map(len, _DIGITS.findall(body))) >= 8 and not _looks_like_date(body):
            yield *match.span("body"), ORDER
    for match in _TRACKING.finditer(view):
        yield match.start(), match.end(), ORDER


_DATE_BODY = re.compile(r"20\d\d-?(?:0?[1-9]|1[0-2])-?(?:0?[1-9]|[12]\d|3[01])")


def _looks_like_date(body: str) -> bool:
    return bool(_DATE_BODY.fullmatch(body))


def _long_runs(view: str) -> Iterator[Span]:
    """Find long numbers that stand alone: an ID or bank card by check digit, else an order number."""
    for match in _LONG_RUN.finditer(view):
        digits = match.group()
        if len(set(digits)) < 4 or _POST_ID.search(view, max(0, match.start() - 12), match.start()):
            continue  # 66666666666666666 is laughter
        kind = ORDER
        if len(digits) == 15 and _is_id15(digits):
            kind = ID_CARD
        elif 16 <= len(digits) <= 19 and _CARD_START.match(digits) and _luhn(digits):
            kind = BANK
        yield match.start(), match.end(), kind


def _mobiles(view: str) -> Iterator[Span]:
    for match in _MOBILE.finditer(view):
        if not _DATE_START.match(match.group("body")):
            yield match.start(), match.end(), PHONE


def _mobile_words(view: str) -> Iterator[Span]:
    if not _WORD_START.search(view):
        return
    for match in _MOBILE_WORDS.finditer(view):
        yield match.start(), match.end(), PHONE


def _landlines(view: str) -> Iterator[Span]:
    for match in _LANDLINE.finditer(view):
        yield match.start(), match.end(), LANDLINE
    for match in _LANDLINE_LOCAL.finditer(view):
        yield *match.span("body"), LANDLINE


# --- accounts, plates, documents -------------------------------------------------------------------------

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+ ?@ ?(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_WECHAT = re.compile(
    r"(?:(?P<lead>加我? ?)?"
    r"(?:微信|薇信|威信|徽信|[Vv]信|(?<![A-Za-z])(?:[Ww]e ?[Cc]hat|[Ww]ei ?[Xx]in|[VvWw][Xx]))"
    r"|(?P<v>[加➕+]我? ?[Vv])(?![A-Za-z]))"
    r"(?P<gap>(?:同号|号码?|[Ii][Dd]|账号|是|为|加我?|[:=➕+ ]){0,4})"
    r"(?P<body>[A-Za-z][A-Za-z0-9_-]{5,19}|\d{5,12})(?![A-Za-z0-9_-])"
)
_WXID = re.compile(r"(?<![A-Za-z0-9])wxid_[A-Za-z0-9]{6,30}")
_QQ = re.compile(
    r"(?:(?<![A-Za-z])[Qq] ?[Qq]|扣扣|抠抠|球球|企鹅|[加➕+]我? ?[Qq](?![A-Za-z])|(?<![A-Za-z])[Qq](?=[:=]))"
    r"(?:群|号码?|账号|是|为|加我?|[:=➕+ ]){0,4}"
    r"(?P<body>[1-9]\d{4,11})(?!\d)"
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•. -]?"
    r"(?P<tail>(?:[A-HJK]\d{5}|[A-HJK][A-HJ-NP-Z]\d{4}|\d{5}[A-HJK])|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])"
    r"(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(r"(?:护照|通行证)[一-龥]{0,3}[:= ]{0,3}(?P<body>[A-Za-z]{1,2}\d{7,8})(?![A-Za-z0-9])")


def _accounts(view: str) -> Iterator[Span]:
    if "@" in view:
        for match in _EMAIL.finditer(view):
            yield match.start(), match.end(), EMAIL
    for match in _WECHAT.finditer(view):
        body = match.group("body")
        explicit = match.group("lead") or match.group("v") or set(match.group("gap")) & set(":=号是")
        if explicit or any(not c.isalpha() for c in body):
            yield *match.span("body"), WECHAT
    for match in _WXID.finditer(view):
        yield match.start(), match.end(), WECHAT
    for match in _QQ.finditer(view):
        yield *match.span("body"), QQ


def _documents(view: str) -> Iterator[Span]:
    for match in _PLATE.finditer(view):
        if sum(c.isdigit() for c in match.group("tail")) >= 3:
            yield match.start(), match.end(), PLATE
    for match in _PASSPORT.finditer(view):
        yield *match.span("body"), PASSPORT


# --- names -----------------------------------------------------------------------------------------------

# Characters that go on with the sentence instead of the name.
_NOT_GIVEN = (
    "的了是在不没我你您他她电手地住说收已签要让给把被和与及先女有也就都吗呢吧啊这那个一什谁怎很太必请找询面含部时"
)
_GIVEN = f"(?![{_NOT_GIVEN}])[一-龥]"
_NAME_LABELLED = re.compile(
    r"(?:收件人|收货人|联系人|寄件人|发件人|签收人|开户人|持卡人|户名|姓名)(?:姓名)?"
    r"(?:(?:[:=]| ?[是为叫]) ?(?P<strict>[一-龥]{2,4}(?:·[一-龥]{1,8})*)(?![一-龥])"
    rf"|[:= 是为叫]{{0,3}}(?P<loose>{SURNAME}(?:{_GIVEN}){{1,2}}))"
)
_NAME_SELF = re.compile(rf"(?:我叫|本人叫|名叫|名字[是叫]|大名叫?)(?P<body>{SURNAME}(?:{_GIVEN}){{1,2}})")
_CHILD = "孩子|小孩|儿子|女儿|闺女|宝宝|宝贝|娃|孙子|孙女|外孙|外孙女"
# A child's name ends where the sentence does, or its age or school begins: 儿子叫高兴坏了 is none.
_NAME_CHILD = re.compile(
    rf"(?:{_CHILD})(?:叫做?(?P<called>{SURNAME}(?:{_GIVEN}|一){{1,2}})(?=$|[^一-龥]|今年|在读|读|上[小中大幼]|[今才]|是)"
    rf"|(?P<aged>{SURNAME}(?:{_GIVEN}){{1,2}})(?=今年|才?\d{{1,2}}个?[岁月]|读|上[小中大幼]))"
)
_SCHOOL = re.compile(
    r"(?:[^\W\d_a-zA-Z我你他她在到是的了读上住去给让]{2,12}?(?:小学|中学|幼儿园|学校|初中|高中|[一二三四五六][中小]) ?)?"
    r"(?:[一二三四五六七八九1-9]年级|[初高][一二三1-3]|(?<=[学中小])[一二三四五六]|(?<=园)[大中小])"
    r" ?[(（]?[\d一二三四五六七八九十]{1,3}[)）]? ?班(?![次车])"
)
_NAME_TITLE = re.compile(
    rf"(?:(?<![一-龥])|(?<=我是)|(?<=我姓)|(?<=联系)|(?<=您好)|(?<=你好)|(?<=的)|(?<=和)|(?<=给)|(?<=找))"
    rf"(?P<body>{SURNAME})(?=先生|女士|小姐(?!姐))"
)
_NAME_FULL_TITLE = re.compile(
    r"(?:我是|联系人?|收件人?|客户|顾客|买家|尊敬的|您好[,!]? ?|你好[,!]? ?|致)"
    rf"(?P<body>{SURNAME}(?:{_GIVEN}){{1,2}})(?=先生|女士|小姐(?!姐))"
)
_NO_NAME = re.compile(
    "周[末一二三四五六日天]|高兴|安全|平台|方便|时间|全部|常用|马上|麻烦|谢谢|应该|从来|万一|任何|成功|明天|后天|查询|盛大|单号|何时"
    "|申请|解决|支付|全额|金额|何人|向我|不详|未知|匿名|保密|错误|如下|填错|写错|有误"
)
_NEAR_SEP = r"[ ,:、;。\t\n]{1,3}"
_NAME_BEFORE = re.compile(rf"(?<![一-龥])(?P<body>{SURNAME}(?:{_GIVEN}){{1,2}}){_NEAR_SEP}$")
_NAME_AFTER = re.compile(rf"{_NEAR_SEP}(?P<body>{SURNAME}(?:{_GIVEN}){{1,2}})(?![一-龥])")


def _names(view: str) -> Iterator[Span]:
    for match in _NAME_LABELLED.finditer(view):
        group = "strict" if match.group("strict") else "loose"
        if not _NO_NAME.fullmatch(match.group(group)):
            yield *match.span(group), NAME
    for pattern in (_NAME_SELF, _NAME_TITLE, _NAME_FULL_TITLE):
        for match in pattern.finditer(view):
            if not _NO_NAME.fullmatch(match.group("body")):
                yield *match.span("body"), NAME
    for match in _NAME_CHILD.finditer(view):
        group = "called" if match.group("called") else "aged"
        if not _NO_NAME.fullmatch(match.group(group)):
            yield *match.span(group), NAME


def _schools(view: str) -> Iterator[Span]:
    """A class at a school tells a child, where the school alone does not."""
    for match in _SCHOOL.finditer(view) if "班" in view else ():
        yield match.start(), match.end(), SCHOOL


def _names_beside(view: str, spans: list[Span]) -> Iterator[Span]:
    """Find the name in a pasted block: 王小明 13800138000 杭州市…, before or behind a phone number."""
    for start, end, kind in spans:
        if kind not in (PHONE, LANDLINE):
            continue
        before = _NAME_BEFORE.search(view, max(0, start - 8), start)
        after = _NAME_AFTER.match(view, end)
        for match in (before, after):
            if match and not _NO_NAME.fullmatch(match.group("body")):
                yield *match.span("body"), NAME


def _addresses(view: str) -> Iterator[Span]:
    for start, end in find_addresses(view):
        yield start, end, ADDRESS


# Earlier finders win where two overlap.
_NUMERIC: tuple[Finder, ...] = (_id_cards, _cards, _mobiles, _orders, _long_runs, _landlines)


def mask(text: str) -> str:
    """Return `text` with personal data replaced by tokens such as [手机号]. A second time changes nothing."""
    return text if _is_harmless(text) else mask_with_report(text)[0]


# What the finders cannot do without, looked for at once: most texts hold none of it.
_NUMBERED = re.compile(r"[0-9A-Za-z一二三四五六七八九十百零〇][ ]?[号楼院塔舍弄栋幢座单层室房户组队门]")
_SPELT = re.compile(r"[件货系收户卡]人|户名|姓名|[我人名子儿女宝贝娃]叫|名字|大名|岁|今年|[读上][小中大幼一二三四五六]|[\d一二三四五六七八九十)）]班|先生|女士|小姐|址|家住|寄到|寄往|送货到")


def _is_harmless(text: str) -> bool:
    """Whether a text surely holds nothing that a finder could find; says no where it isn't sure."""
    return not (
        _holds_rare(text) or _ALNUM.search(text) or _NUMBERED.search(text) or _SPELT.search(text)
        or _WORD_START.search(text) or "@" in text
        or sum(map(len, _DIGITS.findall(text))) >= _FEWEST_DIGITS
    )


def mask_with_report(text: str) -> tuple[str, Counter[str]]:
    """Return the masked text and how many of each kind were replaced."""
    counts: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        view = _View(text)
        spans = _find(view.text)
        if not spans:
            break
        pieces, position = [], 0
        for start, end, kind in spans:
            first, last = view.original(start, end)
            pieces += [text[position:first], f"[{kind}]"]
            position = last
            counts[kind] += 1
        text = "".join(pieces) + text[position:]
    return text, counts


# What a finder cannot do without, looked for first: most texts hold nothing, and should cost next to nothing.
_FEWEST_DIGITS = 7  # a telephone number without its area code
_ALNUM = re.compile(r"[A-Za-z0-9_-]{4}")  # accounts, plates and passports; plates have the shortest run
_NAME_WORDS = (
    "件人", "货人", "系人", "收人", "户人", "卡人", "户名", "姓名", "我叫", "人叫", "名叫", "先生", "女士", "小姐",
    "名字", "大名", "孩", "儿", "女", "宝", "娃", "孙",
)


def _find(view: str) -> list[Span]:
    """Return the spans to replace, in order and without overlap."""
    taken: list[Span] = []
    if sum(map(len, _DIGITS.findall(view))) >= _FEWEST_DIGITS:
        for finder in _NUMERIC:
            _add(taken, finder(view))
    _add(taken, _mobile_words(view))
    if "@" in view or _ALNUM.search(view):
        _add(taken, _accounts(view))
        _add(taken, _documents(view))
    _add(taken, _addresses(view))
    _add(taken, _schools(view))
    if any(word in view for word in _NAME_WORDS):
        _add(taken, _names(view))
    if taken:
        _add(taken, _names_beside(view, list(taken)))
    return taken


def _add(taken: list[Span], found: Iterator[Span]) -> None:
    """Merge what a finder found into the sorted spans, leaving out what overlaps them."""
    fresh = sorted(found)
    if not fresh:
        return
    merged: list[Span] = []
    old, end = 0, 0
    for span in fresh:
        while old < len(taken) and taken[old][0] < span[0]:
            merged.append(taken[old])
            end = max(end, taken[old][1])
            old += 1
        blocked = span[0] < end or (old < len(taken) and taken[old][0] < span[1])
        if not blocked:
            merged.append(span)
            end = span[1]
    merged += taken[old:]
    taken[:] = merged


def mask_nicknames(text: str, names: Mapping[str, str]) -> str:
    """Replace each nickname (two characters or more) by its role word, such as 买家 or 客服; longest first.

    Of a shop's sub-account (店铺名:客服名) the part behind the colon is replaced as well.
    """
    words: dict[str, str] = {}
    for name, role in names.items():
        for part in (name.strip(), re.split("[:：]", name)[-1].strip()):
            if len(part) >= 2 and not any(part in word for word in names.values()):
                words.setdefault(part, role)
    for part in sorted(words, key=len, reverse=True):
        text = text.replace(part, words[part])
    return text
