"""Finding postal addresses in Chinese text, for masking.

An address is recognised by its house number: first the numbered parts (88号3栋1201室) are found, then the
road or estate and the regions in front of them. Both are bounded, so that time grows linearly with the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COMPOUND = "欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|司徒|夏侯|端木|南宫|独孤|百里|呼延"
_SINGLE = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳"
    "酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅皮卞齐康伍余卜顾孟黄穆萧尹姚邵汪祁毛禹狄米贝臧计伏戴谈宋茅庞熊纪舒屈"
    "祝董梁杜阮蓝闵席季麻强贾路娄江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房裘缪解宗丁宣邓郁单杭洪包左石"
    "崔吉龚程嵇邢裴陆荣翁荀甄曲封储靳焦巴牧隗山谷车侯宓蓬秋仲伊宫宁仇栾甘厉戎祖武符刘景詹束龙叶幸司韶黎印宿白蒲邰"
    "鄂索赖卓蔺屠蒙池乔阴胥苍闻莘党翟谭贡劳姬申扶堵冉宰郦雍桑桂牛寿边扈燕冀浦尚农温庄晏柴瞿阎慕连茹习宦艾鱼容向古易慎戈"
    "廖庾暨衡步耿弘匡国文寇广禄阙东欧沃蔚夔隆师巩聂晁勾敖融冷訾辛阚简饶曾沙巢关蒯荆红游盖桓闫肖"
    "仝岳佟佘代付占兰冼卿涂漆焉苟覃邸邝阳青隋鞠"
)
SURNAME = f"(?:{_COMPOUND}|[{_SINGLE}])"

# Characters that end an address to the left: they belong to the sentence around it.
_STOP = "我你您他她它们在到是住寄送给的了把被让请这说吗呢吧啊就去址问找买卖于为"
_C = f"(?:(?![{_STOP}])[一-龥])"
_N = r"(?:[甲乙丙]?\d{1,5}(?:[-—之/]\d{1,5}){0,2}|[A-Za-z]\d{0,3}|[一二三四五六七八九十百零〇]{1,5})"
_UNIT = (
    r"(?:号楼|号院|塔(?!罗)|舍|号(?!线|店|机|球|电池|码|口|出口|门|厅|馆|窗|桌|桶)|弄|栋|幢|座|单元|楼|层|室"
    r"|房(?!间|子|东|型)|户(?!外|型)|组|队|门(?!店|口))"
)
_PART = rf" ?{_N} ?{_UNIT}"
_INNER = rf"(?:{_C}{{1,12}}?(?=[A-Za-z\d]{{1,4}} ?(?:号楼|栋|幢|座|塔|舍|单元|室)))"
_TAIL = re.compile(
    rf"{_N} ?{_UNIT}(?:{_INNER}?{_PART}){{0,5}}(?P<bare>[ -]?\d{{3,4}}(?![\d元块件个条天年月日点人%.]))?"
)
_REGION = rf"(?:{_C}{{1,9}}?(?:特别行政区|自治[区州县]|开发区|新区|街道|[省市区县旗州盟镇乡]) ?)"
_ROAD = r"(?:大?街|大?道|路|巷|弄|胡同|里|村|屯|庄|组)"
_ESTATE = (
    r"(?:小区|社区|花苑|公寓|新村|大厦|广场|宿舍|佳苑|名苑|雅苑|苑|城|府|庭|湾|坊|园|院|校区|中心|楼盘)"
)
_STEM = re.compile(
    rf"(?P<region>{_REGION}{{0,5}})(?P<name>(?:{_C}|\d(?=[^\d]{{1,3}}$)){{1,8}}?(?:(?P<road>{_ROAD})|(?P<estate>{_ESTATE})))?"
    rf"(?P<more>(?:{_C}{{1,8}}{_ESTATE})?) ?$"
)
_DASHED = re.compile(r"(?<![\d-])\d{1,3}-\d{1,3}-\d{2,4}(?![\d-])")  # 松果苑6-2-301
_FIRST = re.compile(rf"(?P<number>{_N}) ?(?P<unit>{_UNIT})")
_UNITS = re.compile(_UNIT)
# 路, 街 and others also end everyday words; a number with 号 behind them is then a day of the month.
_EVERYDAY = re.compile(
    r"[一半思线走网电出逛上修公铁马死顺套末后退问赶迷带在这那条全街]路$|(?:[逛上满全扫]|这条)大?街$"
)
_DAY_CONTEXT = re.compile(
    r" ?(?:[早晚到收拍付发买才就开说订去来和]|上午|下午|中午|凌晨|那天|当天|的时候|左右|之?前|之?后|下单"
    r"|,?\d{1,2}[点:])"
)
_WINDOW = 60
# One character that each unit, and each label, cannot do without: most texts hold no address.
_UNIT_SIGN = re.compile("[号楼院塔舍弄栋幢座元层室房户组队门]")
_LABEL_SIGN = re.compile("址|家住|寄到|寄往|送货到")
_BUILDING = frozenset(("栋", "幢", "单元", "室", "号楼", "座", "塔", "舍"))

_LABELLED = re.compile(
    r"(?:(?:收货|收件|寄件|家庭|详细|邮寄|送货|退货|联系|通讯|我的?)?(?:地址|住址)|家住|寄到|寄往|送货到)"
    r"(?P<sign>[:=是为] ?|)"
    r"(?P<body>[^\n,。;!?\[\]的了]{5,60})"
)
_HINT = re.compile(r"[省市区县镇乡路街巷弄村栋幢号室]")
_SURE = re.compile(r"[市区县镇乡].{0,20}(?:[路街巷弄道村苑园]|小区).{0,12}\d|[省市].{1,12}[区县市镇].{2,}")


def find_addresses(view: str) -> Iterator[tuple[int, int]]:
    """Yield [start, end) of each address, in order of their house numbers, without overlap."""
    done = 0
    for match in _TAIL.finditer(view) if _UNIT_SIGN.search(view) else ():
        left = max(done, match.start() - _WINDOW)
        start = _start_of(view, left, match)
        if start is not None:
            yield start, match.end()
            done = match.end()
    for match in _DASHED.finditer(view) if view.count("-") >= 2 else ():
        stem = _STEM.search(view, max(0, match.start() - _WINDOW), match.start())
        if stem and (stem.group("road") or stem.group("estate") or stem.group("region")):
            yield stem.start(), match.end()
    for match in _LABELLED.finditer(view) if _LABEL_SIGN.search(view) else ():
        body = match.group("body")
        hints = len(_HINT.findall(body))
        if hints >= (2 if match.group("sign") else 3) and _SURE.search(body):
            yield match.span("body")


def _start_of(view: str, left: int, tail: re.Match[str]) -> int | None:
    """Return where the address with these numbered parts begins, or None if they are no address."""
    units = _UNITS.findall(tail.group())
    first = _FIRST.match(tail.group())
    assert first is not None  # the tail begins with it
    stem = _STEM.search(view, left, tail.start())
    region = bool(stem and stem.group("region"))
    if stem and (stem.group("road") or stem.group("estate") or stem.group("more")):
        if _is_address(view, stem, tail, first, units):
            return stem.start()
    elif stem and region and (len(units) > 1 or units[0] in _BUILDING):
        return stem.start()
    if _is_inside_building(units, bool(tail.group("bare"))):
        return tail.start()
    return None


def _is_address(
    view: str, stem: re.Match[str], tail: re.Match[str], first: re.Match[str], units: list[str],
) -> bool:
    """Say whether a road or estate with these numbered parts is an address."""
    if all(unit in ("楼", "层", "户", "门", "队") for unit in units):
        return False  # a floor of a shopping centre is nobody's home
    if stem.group("region") or (len(units) > 1 and _BUILDING & set(units)):
        return True
    unit, number = first.group("unit"), first.group("number")
    if stem.group("estate") or stem.group("more"):
        return unit in _BUILDING and number[0].isdigit()
    # 店里3号, 知道12号: these endings are everyday words far more often than roads.
    if stem.group("road") in ("里", "道", "庄", "屯", "组") or len(stem.group("name")) < 3:
        return False
    if unit not in _BUILDING | {"号", "弄", "号院", "组"} or _EVERYDAY.search(stem.group("name")):
        return False
    day = number.isdigit() and int(number) <= 31 and unit == "号"
    return not (day and _DAY_CONTEXT.match(view, tail.end()))


def _is_inside_building(units: list[str], bare: bool) -> bool:
    """Say whether numbered parts without road or estate still name one flat: 3栋1201室, 5幢2单元301."""
    block = any(unit in ("栋", "幢", "单元") for unit in units)
    flat = bare or units[-1] in ("室", "户")
    return block and flat and (len(units) > 1 or bare)
