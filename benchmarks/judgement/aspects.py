"""How the aspects of the labelled corpora relate to our taxonomy: the written mapping, and the reader.

What a corpus names and our taxonomy doesn't separate is measured together; what has no counterpart (a general
verdict, the brand's image, the looks of a thing, where a restaurant stands) is left out.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"

SERVICE = ("客服服务/*",)
PRICE = ("价格/*",)
# How a parcel was carried; what lies in it (错发, 少发漏发) the corpora file under the thing or the shop.
PARCEL = ("物流/物流慢", "物流/丢件", "物流/配送服务差", "物流/物流信息不更新")
WRAPPING = ("包装/*",)


@dataclass(frozen=True, slots=True)
class Corpus:
    """One corpus: `aspects` says which of its names make a measured aspect, `leaves` which of our leaves do
    (`大类/*` for all of a group), `keywords` what a plain word list would look for. A row under one of `unclear` is left
    out: the name holds what is measured and what isn't alike.
    """

    name: str
    files: tuple[str, ...]
    aspects: dict[str, tuple[str, ...]]
    leaves: dict[str, tuple[str, ...]]
    keywords: dict[str, str]
    unclear: frozenset[str] = frozenset()

    def aspects_of(self, topic: str) -> Iterator[str]:
        """Yield the measured aspects that one of our topics belongs to."""
        group = topic.partition("/")[0] + "/*"
        for aspect, leaves in self.leaves.items():
            if topic in leaves or group in leaves:
                yield aspect

    def rows(self, folder: Path = CORPORA) -> Iterator[tuple[str, set[str], set[str]]]:
        """Yield (text, aspects spoken of, aspects complained of); rows whose aspects nobody marked are left out."""
        known = {name: aspect for aspect, names in self.aspects.items() for name in names}
        for file in self.files:
            with gzip.open(folder / f"{file}.jsonl.gz", "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    marks = row.get("aspects") or {}
                    if not marks or not self.unclear.isdisjoint(marks):
                        continue
                    spoken = {known[name] for name in marks if name in known}
                    blamed = {
                        known[name] for name, side in marks.items()
                        if name in known and side in ("negative", "mixed")
                    }
                    yield row["text"], spoken, blamed


COSMETICS = Corpus(
    "cosmetics", ("zhijiang_makeup2019",),
    {
        "物流": ("物流",), "价格": ("价格",), "服务": ("服务",), "包装": ("包装",),
        "效果与体验": ("功效", "使用体验"), "气味": ("气味",), "尺寸": ("尺寸",), "真伪": ("真伪",),
        "新鲜度": ("新鲜度",),
    },
    {
        "物流": PARCEL, "价格": PRICE, "服务": SERVICE, "包装": WRAPPING,
        "效果与体验": ("使用体验/效果差", "使用体验/不好用", "使用体验/不舒服", "商品安全/过敏"),
        "气味": ("产品质量/异味",), "尺寸": ("尺码版型/*",), "真伪": ("宣传/假货",),
        "新鲜度": ("产品质量/临期旧货", "商品安全/变质"),
    },
    {
        "物流": "物流 快递 发货 送货 配送", "价格": "价格 便宜 贵 实惠 划算 性价比 优惠", "服务": "服务 客服 态度 卖家",
        "包装": "包装 盒子 瓶子", "效果与体验": "效果 补水 保湿 滋润 清爽 好用 油 干 舒服 遮瑕", "气味": "味道 气味 香味",
        "尺寸": "大小 尺寸", "真伪": "正品 假货 真假", "新鲜度": "日期 保质期 新鲜",
    },
)
LAPTOPS = Corpus(
    "JD", ("jd_surface_clause", "jd_surface_topic"),
    {
        "物流": ("快递",), "价格": ("价格",), "服务": ("售后维修",), "包装": ("包装",), "续航": ("电源电池",),
    },
    {
        "物流": PARCEL, "价格": PRICE, "服务": (*SERVICE, "售后/*"), "包装": WRAPPING,
        "续航": ("产品质量/续航差",),
    },
    {
        "物流": "物流 快递 发货 送货 配送", "价格": "价格 便宜 贵 实惠 划算 性价比", "服务": "售后 客服 服务 维修",
        "包装": "包装 盒子", "续航": "电池 续航 充电",
    },
    # What is marked 销售 speaks of the shop: its service, its parcels, its invoices, or its mere name.
    frozenset(("销售",)),
)
CARS = Corpus(
    "cars", ("bdci_car2018",),
    {
        "价格": ("价格",), "性能": ("动力", "操控", "油耗"), "舒适": ("舒适性", "空间"), "内饰": ("内饰",),
    },
    {
        "价格": PRICE, "性能": ("产品质量/性能故障",), "舒适": ("使用体验/不舒服", "产品质量/噪音大"),
        "内饰": ("产品质量/材质差", "产品质量/做工粗糙", "产品质量/异味"),
    },
    {
        "价格": "价格 便宜 贵 优惠 落地", "性能": "动力 发动机 油耗 操控 变速箱", "舒适": "舒适 空间 座椅 隔音 噪音",
        "内饰": "内饰 做工",
    },
)
RESTAURANTS = Corpus(
    "restaurants", ("aic2018_finegrained_2k",),
    {
        "价格": ("price_level", "price_cost_effective", "price_discount"),
        "服务": ("service_waiters_attitude", "service_wait_time", "service_serving_speed"),
        "环境": ("environment_decoration", "environment_noise", "environment_space", "environment_cleaness"),
        "口味分量": ("dish_taste", "dish_portion", "dish_look"),
    },
    {
        "价格": PRICE, "服务": SERVICE,
        "环境": ("环境设施/*", "产品质量/噪音大", "使用体验/不舒服"), "口味分量": ("使用体验/口味不好",),
    },
    {
        "价格": "价格 便宜 贵 实惠 划算 性价比 优惠 团购", "服务": "服务 态度 服务员 上菜 排队 等位",
        "环境": "环境 装修 卫生 干净 安静 吵 空间 位子 座位", "口味分量": "味道 口感 好吃 难吃 分量 份量 量",
    },
)
ALL = (COSMETICS, LAPTOPS, CARS, RESTAURANTS)


@dataclass(slots=True)
class Count:
    """Hits, guesses and truths of a set of labels."""

    hit: int = 0
    guessed: int = 0
    true: int = 0

    def add(self, guess: set[str], truth: set[str]) -> None:
        """Count one text."""
        self.hit += len(guess & truth)
        self.guessed += len(guess)
        self.true += len(truth)

    @property
    def precision(self) -> float:
        """Share of guesses that are right."""
        return self.hit / max(1, self.guessed)

    @property
    def recall(self) -> float:
        """Share of truths that were found."""
        return self.hit / max(1, self.true)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, over all labels together (micro)."""
        return 2 * self.hit / max(1, self.guessed + self.true)
