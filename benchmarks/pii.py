"""Personal data: what masking leaves and what it takes too much: `python -m benchmarks.pii [--seeds 7 11 23] [--texts 3000]`.

Three measures: made-up sentences of every kind in many written forms (none may be left); what the scenario kit plants,
by kind (recall), and what is masked in its texts that nobody planted; and the share of texts of the measuring corpora
in which anything is masked at all, which bounds the false masks from above. The last two need the kit and the corpora
beside the checkout and are left out without them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from vocwatch.masking import mask, mask_with_report

SHARED = Path(__file__).resolve().parents[2] / "shared"
SYNTHETIC = 5000
_TEXT_KEYS = ("title", "text", "body", "content")
_FULL_WIDTH = {ord(digit): chr(ord(digit) + 0xFEE0) for digit in "0123456789"}
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙马朱胡郭何高林罗"
_GIVEN = ("明远", "雨桐", "子涵", "建国", "春燕", "思远", "小蕊", "浩", "婷婷", "志强")
_ROADS = ("青石路", "文二西路", "丰收街", "梧桐大道", "和平里", "松江路")
_CITIES = ("浙江省杭州市西湖区", "上海市浦东新区", "成都市武侯区", "广东省深圳市南山区", "武汉市洪山区", "")
_ESTATES = ("松果花园", "丁香小区", "桂花苑", "阳光公寓", "")
_PLATES = "京沪粤浙苏川鄂"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def synthetic(number: int, seed: int = 1) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, the personal part, a sentence that holds it); all of it made up."""
    chance = random.Random(seed)
    kinds = sorted(_MAKERS)
    for count in range(number):
        kind = kinds[count % len(kinds)]
        make, frames = _MAKERS[kind]
        value = make(chance)
        frame = chance.choice(frames)
        yield kind, value, chance.choice(_BEFORE) + frame.replace("{}", value) + chance.choice(_AFTER)


_BEFORE = ("", "亲，", "客服你好，", "杯子漏水了，", "已经三天了！", "麻烦处理一下：", "🙏", "有人吗？\n")
_AFTER = ("", "，快点处理", "。谢谢", "！！", "\n等回复", "～", "，壶盖还是烫手", " 在吗")


def _digits(chance: random.Random, number: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(number))


def _phone(chance: random.Random) -> str:
    plain = "1" + chance.choice("356789") + _digits(chance, 9)
    form = chance.randrange(7)
    if form == 1:
        return f"{plain[:3]} {plain[3:7]} {plain[7:]}"
    if form == 2:
        return f"{plain[:3]}-{plain[3:7]}-{plain[7:]}"
    if form == 3:
        return f"+86 {plain}"
    if form == 4:
        return plain.translate(_FULL_WIDTH)
    if form == 5:
        return plain[:3] + "\u200b" + plain[3:]
    return " ".join(plain) if form == 6 else plain


def _id_card(chance: random.Random) -> str:
    body = chance.choice(("110101", "330106", "440305", "510107")) + f"{chance.randint(1955, 2010)}{chance.randint(1, 12):02d}{chance.randint(1, 28):02d}" + _digits(chance, 3)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    card = body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]
    form = chance.randrange(3)
    return card.lower() if form == 1 else f"{card[:6]} {card[6:14]} {card[14:]}" if form == 2 else card


def _bank_card(chance: random.Random) -> str:
    body = "62" + _digits(chance, 16)
    total = sum(n - 9 if n > 9 else n for n in (int(c) * (2 if i % 2 == 0 else 1) for i, c in enumerate(reversed(body))))
    card = body + str(-total % 10)
    return " ".join(re.findall(".{1,4}", card)) if chance.random() < 0.4 else card


def _name(chance: random.Random) -> str:
    return chance.choice(_SURNAMES) + chance.choice(_GIVEN)


def _address(chance: random.Random) -> str:
    road = f"{chance.choice(_ROADS)}{chance.randint(1, 999)}号"
    flat = chance.choice((f"{chance.randint(1, 30)}栋{chance.randint(101, 2999)}室", f"{chance.randint(1, 30)}幢{chance.randint(1, 4)}单元{chance.randint(101, 2999)}室", f"{chance.randint(1, 9)}号楼{chance.randint(101, 999)}"))
    return chance.choice(_CITIES) + road + chance.choice(_ESTATES) + flat


def _order(chance: random.Random) -> str:
    return chance.choice("123456789") + _digits(chance, chance.choice((15, 17, 18)))


def _handle(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefghkmnpqrstuvwxyz") for _ in range(chance.randint(4, 8))) + f"_{chance.randint(10, 9999)}"


def _plate(chance: random.Random) -> str:
    return chance.choice(_PLATES) + chance.choice("ABCDE") + chance.choice(("", "·")) + chance.choice(_LETTERS) + _digits(chance, 4)


_MAKERS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "手机号": (_phone, ("电话{}", "打{}找我", "我的号码是{}", "{}", "联系{}吧", "手机：{}")),
    "身份证": (_id_card, ("身份证{}", "证件号：{}", "身份证号是{}", "实名用的{}")),
    "银行卡": (_bank_card, ("退到{}", "卡号{}", "银行卡：{}", "打到我卡上 {}")),
    "地址": (_address, ("寄到{}", "收货地址：{}", "地址是{}", "我住{}", "送到{}")),
    "姓名": (_name, ("收件人{}", "收货人：{}", "姓名：{}", "我叫{}", "联系人 {}")),
    "订单号": (_order, ("订单号{}", "订单编号：{}", "{}这单", "单号 {}", "我的订单{}")),
    "微信": (_handle, ("微信{}", "加我微信：{}", "vx：{}", "加v {}", "微信号是{}")),
    "QQ": (lambda chance: chance.choice("123456789") + _digits(chance, chance.randint(6, 9)), ("QQ{}", "加QQ：{}", "我的qq号是{}", "扣扣 {}")),
    "车牌": (_plate, ("车牌{}", "开的{}", "{}这辆车")),
    "邮箱": (lambda chance: f"{_handle(chance)}@{chance.choice(('example.com', 'mail.example.cn', 'qq.example'))}", ("邮箱{}", "发到{}", "{}")),
}


def leaks(number: int = SYNTHETIC, seed: int = 1) -> dict[str, list[str]]:
    """Return the made-up sentences, masked, in which the personal part can still be read, by kind."""
    left: dict[str, list[str]] = defaultdict(list)
    for kind, value, sentence in synthetic(number, seed):
        masked = mask(sentence)
        core = re.sub(r"\W", "", value)
        if value in masked or core in re.sub(r"\W", "", masked):
            left[kind].append(masked)
    return dict(left)


def planted(seed: int) -> tuple[Counter[str], Counter[str], int, Counter[str]]:
    """Build the scenario's world and return planted items, those left after masking, texts that hold nothing planted,
    and what was masked in these.
    """
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-B", "build.py", "--world", "dev", "--days", "42", "--seed", str(seed), "--out", folder],
            cwd=SHARED / "scenario", check=True, capture_output=True,
        )
        truth = json.loads((Path(folder) / "truth.json").read_text(encoding="utf-8"))
        texts = _world(Path(folder))
    everything, left, falsely = Counter[str](), Counter[str](), Counter[str]()
    holding: set[str] = set()
    for item in truth["pii"]:
        found = [text for text in texts.get(item["where"], ()) if item["value"] in text]
        holding.update(found)
        everything[item["kind"]] += bool(found)
        left[item["kind"]] += any(item["value"] in mask(text) for text in found)
    values = {item["value"] for item in truth["pii"]}
    clean = [text for one in texts.values() for text in one if text not in holding and not any(value in text for value in values)]
    for text in clean:
        kinds = mask_with_report(text)[1]
        falsely.update(set(kinds))
        falsely["texts"] += bool(kinds)
    return everything, left, len(clean), falsely


def _world(folder: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for line in (folder / "sessions.jsonl").read_text(encoding="utf-8").splitlines():
        session = json.loads(line)
        texts[session["session_id"]] += [message["text"] for message in session["messages"]]
    for line in (folder / "posts.jsonl").read_text(encoding="utf-8").splitlines():
        post = json.loads(line)
        texts[post["path"]] += list(_strings(post))
    return texts


def _strings(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _strings(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner, key)
    elif isinstance(value, str) and key in _TEXT_KEYS:
        yield value


def corpora(number: int) -> Iterator[tuple[str, int, Counter[str]]]:
    """Yield each measuring corpus with the texts sampled and how many were masked, by kind."""
    for path in sorted((SHARED / "corpora").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = file.readlines()
        sample = random.Random(5).sample(lines, min(number, len(lines)))
        found: Counter[str] = Counter()
        for line in sample:
            record = json.loads(line)
            text = next((record[key] for key in _TEXT_KEYS if isinstance(record.get(key), str)), "")
            kinds = mask_with_report(text)[1]
            found.update(set(kinds))
            found["texts"] += bool(kinds)
        yield path.name.removesuffix(".jsonl.gz"), len(sample), found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="*", default=[7, 11, 23])
    parser.add_argument("--texts", type=int, default=3000)
    options = parser.parse_args(arguments)
    left = leaks()
    print(f"synthetic: {SYNTHETIC} sentences, {sum(map(len, left.values()))} left")
    for kind, sentences in left.items():
        print(f"  {kind} {len(sentences)}: {sentences[0]}")
    if not (SHARED / "scenario").is_dir():
        return
    for seed in options.seeds:
        everything, still, clean, falsely = planted(seed)
        recall = 1 - sum(still.values()) / max(1, sum(everything.values()))
        print(f"scenario seed {seed}: {sum(everything.values())} planted {dict(everything)}, recall {recall:.4f}; "
              f"{clean} texts without, masked in {falsely['texts']} ({falsely['texts'] / clean:.3%}) {dict(falsely)}")
    for name, size, found in corpora(options.texts):
        kinds = {kind: number for kind, number in found.items() if kind != "texts"}
        print(f"corpus {name}: {size} texts, masked in {found['texts']} ({found['texts'] / size:.2%}) {kinds}")


if __name__ == "__main__":
    main()
