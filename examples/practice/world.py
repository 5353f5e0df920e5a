"""The invented world behind the practice web, seen at one fixed moment.

Everything later than ``now`` does not exist: posts, comments, follow-ups, replies, edits and status steps.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"
ZONE = dt.timezone(dt.timedelta(hours=8))
DEFAULT_NOW = "2026-11-16T08:30:00+08:00"

Row = dict[str, Any]


def parse_time(text: str) -> dt.datetime:
    """An ISO time; without an offset it is read as +08:00."""
    at = dt.datetime.fromisoformat(text)
    return at.replace(tzinfo=ZONE) if at.tzinfo is None else at.astimezone(ZONE)


def read_json(name: str) -> Any:
    """One JSON file of the data folder."""
    return json.loads((DATA / name).read_text(encoding="utf-8"))


def read_jsonl(name: str) -> list[Row]:
    """One JSON Lines file of the data folder."""
    with (DATA / name).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def visible_post(post: Row, now: dt.datetime) -> Row:
    """The post as it stands at ``now``, with ``edited`` and ``modified`` filled in."""

    def seen(part: Row) -> bool:
        return parse_time(part["at"]) <= now

    shown = dict(post, edited=None)
    for edit in filter(seen, post.get("edits", [])):
        shown.update(text=edit["text"], edited=parse_time(edit["at"]))
    shown["comments"] = [c for c in post["comments"] if seen(c)]
    shown["steps"] = [s for s in post.get("steps", []) if seen(s)]
    for key in ("follow_up", "reply"):
        if key in post and not seen(post[key]):
            shown[key] = None
    parts = [shown.get("follow_up"), shown.get("reply"), *shown["comments"], *shown["steps"]]
    times = [parse_time(part["at"]) for part in parts if part]
    shown["modified"] = max([parse_time(post["at"]), *times, *([shown["edited"]] if shown["edited"] else [])])
    return shown


class World:
    """Posts that exist at ``now``, newest first, by site, address and product page."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now.astimezone(ZONE)
        self.facts: Row = read_json("world.json")
        self.by_site: dict[str, list[Row]] = defaultdict(list)
        self.by_path: dict[tuple[str, str], Row] = {}
        self.by_item: dict[str, list[Row]] = defaultdict(list)
        for post in sorted(read_jsonl("posts.jsonl"), key=lambda p: p["at"], reverse=True):
            if parse_time(post["at"]) <= self.now:
                self._add(visible_post(post, self.now))
        self.items = self._items()

    def _add(self, post: Row) -> None:
        self.by_site[post["site"]].append(post)
        self.by_path[post["site"], post["path"]] = post
        if "item" in post:
            self.by_item[post["item"]].append(post)

    def _items(self) -> dict[str, Row]:
        """Everything that has a product page: the brand's, the competitor's and other goods."""
        brand, rival = self.facts["brand"]["name"], self.facts["competitor"]
        shop_of = {sku: shop["name"] for shop in self.facts["shops"] for sku in shop["skus"]}
        items = {}
        for product in self.facts["products"]:
            full = f"{brand} {product['name']} {product['sku']}"
            extra = {"brand": brand, "title": full, "shop": shop_of[product["sku"]]}
            items[product["sku"]] = {**product, **extra}
        for product in rival["products"]:
            shop = f"{rival['name']}旗舰店"
            extra = {"brand": rival["name"], "title": product["name"], "shop": shop}
            items[product["sku"]] = {**product, **extra}
        for product in self.facts["other_products"]:
            extra = {"title": product["name"], "shop": f"{product['brand']}日用店"}
            items[product["sku"]] = {**product, **extra}
        return items

    def find(self, site: str, path: str) -> Row | None:
        """The post at this address, if it exists yet."""
        return self.by_path.get((site, path))

    def search(self, site: str, word: str) -> list[Row]:
        """Posts of a site whose title or text has the word; all of them without a word."""
        posts = self.by_site[site]
        folded = word.casefold()
        return [p for p in posts if folded in f"{p['title']}\n{p['text']}".casefold()] if folded else posts


def chinese_time(at: dt.datetime, now: dt.datetime) -> str:
    """How Chinese sites print a time: 刚刚, 5分钟前, 3小时前, 昨天 20:13, 11-02, 2025-12-30."""
    seconds = int((now - at).total_seconds())
    if seconds < 60:
        return "刚刚"
    if seconds < 3600:
        return f"{seconds // 60}分钟前"
    if seconds < 12 * 3600:
        return f"{seconds // 3600}小时前"
    days = (now.date() - at.date()).days
    if days <= 1:
        return f"{'昨天' if days else '今天'} {at:%H:%M}"
    return f"{at:%m-%d}" if at.year == now.year else f"{at:%Y-%m-%d}"
