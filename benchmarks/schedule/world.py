"""What is said of an invented brand in sixty days, and when what is out of order. Drawn by chance from a seed."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
SOURCES = ("forum", "notes", "reviews")
READERS = ("qa@example.com", "lead@example.com", "shop@example.com")
ADMIN, GROUP = "admin@example.com", "duty"
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PRODUCTS = ("恒温电水壶", "儿童保温杯", "便携榨汁杯", "电炖锅", "暖手宝", "折叠电煮锅", "除螨仪", "奶瓶温奶器")
EVERYDAY = (
    "松果匣的{p}用了一个月，盖子有点漏水，客服让我再等等", "松果匣{p}挺好用的，颜色也正，会再买", "松果匣{p}发货慢，等了五天才到",
    "买了松果匣的{p}，做工一般，边角有毛刺", "松果匣客服态度不错，{p}坏了给换了新的", "松果匣{p}噪音有点大，晚上不敢用",
)
FILLER = (
    "上个月刚买的", "给我妈用的", "在官方旗舰店下的单", "本来是冲着评价去的", "家里还有老人", "问了客服说要等", "照片都留着", "小票还在",
    "同事也买了一个", "之前一直挺放心", "周末才拆开", "插在厨房的排插上", "说明书我看了两遍", "现在放在阳台不敢碰", "换季促销时囤的",
)
RED = (
    "松果匣的{p}半夜突然冒烟起火，桌子烧黑了一大块", "松果匣{p}漏电，我妈手一碰就被电到了", "用松果匣的{p}烫伤了，手背起了两个大水泡",
    "松果匣{p}喝完孩子全身起红疹，去医院说是严重过敏", "松果匣的{p}里面掉出一截刀片，嘴唇被划伤流血了",
)


@dataclass(frozen=True)
class Post:
    """One text and when it was published."""

    source: str
    native_id: str
    text: str
    at: dt.datetime
    red: bool


@dataclass(frozen=True)
class Outage:
    """Something that does not work for a while: smtp, robot, a source, or the service itself."""

    what: str
    begin: dt.datetime
    end: dt.datetime

    def holds(self, moment: dt.datetime) -> bool:
        """Whether it is out of order at that moment."""
        return self.begin <= moment < self.end


@dataclass(frozen=True)
class World:
    """Everything that happens."""

    begin: dt.datetime
    days: int
    posts: tuple[Post, ...]
    outages: tuple[Outage, ...]

    @property
    def end(self) -> dt.datetime:
        """The morning after the last day, when all should have been told."""
        return self.begin + self.days * DAY + 4 * HOUR

    def down(self, what: str, moment: dt.datetime) -> bool:
        """Whether something is out of order at a moment."""
        return any(outage.what == what and outage.holds(moment) for outage in self.outages)

    def until(self, what: str, moment: dt.datetime) -> dt.datetime:
        """When what is out of order at a moment works again."""
        return max((outage.end for outage in self.outages if outage.what == what and outage.holds(moment)), default=moment)


def draw(seed: int, days: int) -> World:
    """Draw a world: posts every day, a red line every three days or so, outages of everything."""
    chance = random.Random(seed)
    begin = dt.datetime(2026, 11, 2, 10, tzinfo=ZONE).astimezone(dt.UTC)
    posts = []
    for day in range(days):
        for _ in range(chance.randrange(2, 6)):
            posts.append((begin + day * DAY + chance.random() * DAY, chance.choice(EVERYDAY), False))
        if day % 3 == 1 and day < days - 2:  # read before all ends
            posts.append((begin + day * DAY + chance.random() * 0.9 * DAY, RED[day // 3 % len(RED)], True))
    def dressed(chance: random.Random, n: int, text: str) -> str:
        before, after = chance.sample(FILLER, 2)  # so that nobody seems to copy anybody
        return f"{before}，{text.format(p=PRODUCTS[n % len(PRODUCTS)])}。{after}，{n}号楼主"

    made = [
        Post(chance.choice(SOURCES), f"p{n}", dressed(chance, n, text), at.replace(microsecond=0), red)
        for n, (at, text, red) in enumerate(sorted(posts))
    ]

    def some(what: str, count: int, shortest: float, longest: float) -> list[Outage]:
        found = []
        for _ in range(count):
            since = begin + chance.random() * (days - 4) * DAY
            found.append(Outage(what, since, since + chance.uniform(shortest, longest) * HOUR))
        return found

    def over_nine(what: str, day: int, hours: float) -> Outage:
        nine = begin + day * DAY + 23 * HOUR
        return Outage(what, nine - HOUR / 2, nine + (hours - 0.5) * HOUR)

    both = some("smtp", 3, 2, 6)
    outages = [
        *both, *(Outage("robot", one.begin - HOUR / 2, one.end + HOUR / 2) for one in both[:2]), *some("smtp", 3, 1, 8), over_nine("smtp", days // 5, 6), over_nine("smtp", days // 2, 6), *some("robot", 5, 1, 10),
        *(one for source in SOURCES for one in some(source, 3, 4, 30)),
        over_nine("service", days // 6, 10 / 60 + 0.5), over_nine("service", days // 3, 6.5), over_nine("service", 2 * days // 3, 72.5),
    ]
    return World(begin, days, tuple(made), tuple(outages))
