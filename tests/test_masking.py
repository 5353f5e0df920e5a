"""Masking: what must go, what must stay, and that nothing about the text can break it."""

from __future__ import annotations

import gzip
import json
import random
import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import SHARED
from vocwatch.masking import mask, mask_nicknames, mask_with_report

MASKED = [
    ("打我电话13900001234。", "打我电话[手机号]。"),
    ("139 0000 1234", "[手机号]"),
    ("139-0000-1234", "[手机号]"),
    ("139.0000.1234", "[手机号]"),
    ("139 000 01234", "[手机号]"),
    ("1 3 9 0 0 0 0 1 2 3 4", "[手机号]"),
    ("1*3*9*0*0*0*0*1*2*3*4", "[手机号]"),
    ("+86 13900001234", "[手机号]"),
    ("（+86）139-0000-1234", "[手机号]"),
    ("008613900001234", "[手机号]"),
    ("１３９００００１２３４", "[手机号]"),
    ("139\u200b0000\u200d1234", "[手机号]"),
    ("1️⃣3️⃣9️⃣0️⃣0️⃣0️⃣0️⃣1️⃣2️⃣3️⃣4️⃣", "[手机号]"),
    ("①③⑨⓪⓪⓪⓪①②③④", "[手机号]"),
    ("一三九零零零零一二三四", "[手机号]"),
    ("幺三九零零零零幺二三四", "[手机号]"),
    ("vx13900001234", "vx[手机号]"),
    ("微信同号13900001234", "微信同号[手机号]"),
    ("座机0571-88880000", "座机[电话]"),
    ("(010)88880000转123", "[电话]"),
    ("0571 8888 0000", "[电话]"),
    ("店里电话：88880000", "店里电话：[电话]"),
    ("身份证11010119000307123X不对", "身份证[身份证]不对"),
    ("证件号:110101900307123", "证件号:[身份证]"),
    ("身份证号 ３３０１０６１９０００１０１００１Ｘ", "身份证号 [身份证]"),
    ("卡号6222000000000000000", "卡号[银行卡]"),
    ("4111 1111 1111 1111", "[银行卡]"),
    ("6212 3412 3412 3412 341", "[银行卡]"),
    ("订单号3026101281566282666没发货", "订单号[订单号]没发货"),
    ("订单编号：E20260908-123456", "订单编号：[订单号]"),
    ("3026101281566282666这单什么时候发", "[订单号]这单什么时候发"),
    ("运单号SF1234567890123", "运单号[订单号]"),
    ("YT8800000000001一直不动", "[订单号]一直不动"),
    ("单号12345678", "单号[订单号]"),
    ("寄到杭州市青石路88号3栋1201室，别错了", "寄到[地址]，别错了"),
    ("浙江省杭州市西湖区文一路 12 号松果花园3号楼2单元502", "[地址]"),
    ("青石路88号", "[地址]"),
    ("住在松果小区5幢2单元301", "住在[地址]"),
    ("3栋1201室", "[地址]"),
    ("北京市朝阳区丰收路甲12号院3号楼", "[地址]"),
    ("三墩镇松果苑6-2-301", "[地址]"),
    ("体育西路101号松果广场A塔15楼", "[地址]"),
    ("松江路 887弄 72号 401室", "[地址]"),
    ("梧桐里12号2栋303室", "[地址]"),
    ("丰收村3组12号", "[地址]"),
    ("和平路二十三号", "[地址]"),
    ("杭州市青\u200b石路８８号", "[地址]"),
    ("收货地址：浙江省杭州市西湖区松果街道", "收货地址：[地址]"),
    ("收件人吴雨桐，", "收件人[姓名]，"),
    ("姓名：欧阳小明", "姓名：[姓名]"),
    ("收货人是王五", "收货人是[姓名]"),
    ("我叫李思远", "我叫[姓名]"),
    ("您好，王女士", "您好，[姓名]女士"),
    ("尊敬的张建国先生", "尊敬的[姓名]先生"),
    ("赵春燕 13900001234", "[姓名] [手机号]"),
    ("13900001234，赵春燕", "[手机号]，[姓名]"),
    ("发到songguo_88@example.com吧", "发到[邮箱]吧"),
    ("ｓｇ８８＠ｅｘａｍｐｌｅ．ｃｏｍ", "[邮箱]"),
    ("加我微信songguo_2026", "加我微信[微信]"),
    ("VX：abcdefg", "VX：[微信]"),
    ("加v songguo88", "加v [微信]"),
    ("加我微信 songguo", "加我微信 [微信]"),
    ("q:12345678", "q:[QQ]"),
    ("139oooo1234", "[手机号]"),
    ("一三九 零零零零 一二三四", "[手机号]"),
    ("wxid_abc123def456", "[微信]"),
    ("QQ:12345678", "QQ:[QQ]"),
    ("扣扣群 765432100", "扣扣群 [QQ]"),
    ("浙A·12345", "[车牌]"),
    ("粤BD12345拒载", "[车牌]拒载"),
    ("护照号E12345678", "护照号[护照]"),
]


@pytest.mark.parametrize(("text", "expected"), MASKED, ids=[text for text, _ in MASKED])
def test_personal_data_is_replaced(text: str, expected: str) -> None:
    assert mask(text) == expected


KEPT = [
    "199.00元，满3000减400",
    "￥1299",
    "2026-09-14 12:30:00下的单",
    "20260914",
    "2026/9/14 9:05",
    "尺码165/88A",
    "打12315投诉",
    "客服热线400-820-0000",
    "95188",
    "SKU-12345678",
    "货号SG-K101",
    "型号RTX3060",
    "新RTX3060显卡",
    "iPhone 15 Pro Max 256GB",
    "小区里有3栋楼",
    "店里11号买的，13号到",
    "上街11号买的",
    "66666666666666666",
    "233333333333333",
    "第3层抽屉坏了",
    "住了3楼",
    "地铁2号线",
    "订单2026-09-14下的",
    "退款3000元",
    "5号充电电池",
    "广场4楼",
    "微信支付android",
    "QQ音乐",
    "鲁迅先生的书",
    "小姐姐人很好",
    "先生说不要",
    "联系人没写",
    "收件人不在家",
    "我叫他来",
    "地址发错了",
    "地址：已修改",
    "条码6901234567892",
    "商品ID 7750995829348748016",
    "https://example.com/detail/4932012345678901",
    "3.141592653589793",
    "0.12345678901234567",
    "1600x1200",
    "12、13、14、15",
    "身高165体重120",
    "收货地址写错了能改吗",
    "99.9%纯棉",
    "周末 打不通",
    "版本号1.2.3",
    "@songguo 你好",
    "新款MACBOOK",
    "他是一号人物",
    "一路上三号线很挤",
    "店里3号4号都没人",
    "商场里1楼2号柜台",
    "日期12-11-20",
    "[手机号]",
]


@pytest.mark.parametrize("text", KEPT)
def test_other_words_and_numbers_stay(text: str) -> None:
    assert mask(text) == text


def test_the_report_counts_kinds() -> None:
    text, counts = mask_with_report("收件人吴雨桐 13900001234 13900005678，杭州市青石路88号3栋1201室")
    assert not re.search(r"\d", text)
    assert counts == {"姓名": 1, "手机号": 2, "地址": 1}


def test_text_around_keeps_its_own_characters() -> None:
    assert mask("ＡＢＣ①\u200b。13900001234ｘ\u200by") == "ＡＢＣ①\u200b。[手机号]ｘ\u200by"


def test_longer_runs_hide_no_phone() -> None:
    assert "手机号" not in mask("213900001234")
    assert "手机号" not in mask("1390000123456")


ALPHABET = st.sampled_from(
    list(
        "0123456789１３９①一三九零 -:：,，。\n\u200b[]()@._aAxXvVQqF+86"
        "微信订单号收件人王小明先生市区路街号栋室省京浙加"
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(ALPHABET, max_size=80), st.text(max_size=80)))
def test_masking_never_raises_and_is_idempotent(text: str) -> None:
    once = mask(text)
    assert mask(once) == once


SEPARATORS = st.sampled_from(["", " ", "-", "\u200b", "\u2060", " - "])


@settings(max_examples=200, deadline=None)
@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    SEPARATORS,
    st.booleans(),
    st.sampled_from(["", "电话", "加我", "，", "收件人王小明 "]),
    st.sampled_from(["", "，", "谢谢", "。"]),
)
def test_no_planted_phone_survives(phone: str, separator: str, wide: bool, before: str, after: str) -> None:
    shown = separator.join((phone[:3], phone[3:7], phone[7:]))
    if wide:
        shown = shown.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789"})
    masked = mask(f"{before}{shown}{after}")
    assert masked == f"{mask(before.replace('王小明', '[姓名]'))}[手机号]{after}"


WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["110101", "330106", "650102"]),
    st.dates().filter(lambda d: 1900 <= d.year <= 2020),
    st.integers(0, 999),
)
def test_every_valid_id_card_goes(area: str, born: object, serial: int) -> None:
    body = f"{area}{born:%Y%m%d}{serial:03d}"
    number = body + "10X98765432"[sum(int(c) * w for c, w in zip(body, WEIGHTS, strict=True)) % 11]
    assert mask(f"证号{number}。") == "证号[身份证]。"


@pytest.mark.parametrize(
    "piece",
    [
        "洗了一次就掉色，订单号3026101281566282666，",
        "1",
        "1 ",
        "13900001234",
        "3栋",
        "青石路1号",
        "a@",
        "一",
        "王先生",
        "微信a",
        "\u200b1",
        "市",
    ],
)
def test_large_texts_are_no_trap(piece: str) -> None:
    # No timing here: a pattern that is not linear would never end on 300,000 characters.
    text = piece * (300_000 // len(piece))
    assert len(mask(text)) > 0


def test_the_digits_of_every_script_are_known() -> None:
    zeros = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.decimal(char, None) == 0]
    for zero in zeros:
        number = "".join(chr(ord(zero) + int(digit)) for digit in "13900001234")
        assert mask(f"打我电话{number}。") == "打我电话[手机号]。", f"U+{ord(zero):04X}"


def test_nicknames_become_roles() -> None:
    names = {"爱吃西柚": "买家", "松果匣旗舰店:小七": "客服", "爱": "买家"}
    assert mask_nicknames("我是小七，爱吃西柚您好，我爱它", names) == "我是客服，买家您好，我爱它"
    assert mask_nicknames("松果匣旗舰店:小七", names) == "客服"
    assert mask_nicknames("没有人", {}) == "没有人"


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "corpora").is_dir(), reason="corpora are not here")
def test_few_real_reviews_are_touched() -> None:
    texts: list[str] = []
    for path in sorted((SHARED / "corpora").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            texts += [json.loads(line)["text"] for line in file]
    sample = random.Random(5).sample(texts, 5000)
    touched = sum(mask(text) != text for text in sample)
    # Right masks are among them: people do write phone numbers into reviews.
    assert touched <= len(sample) * 0.005, touched
