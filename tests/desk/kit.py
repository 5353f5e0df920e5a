"""An invented console's home for tests: the forty days of the factory, with a configuration that may be edited."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reports import factory
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.store import Store, open_store

APP = """# 总配置
brand: {name: 松果匣, watch: songguoxia}   # 示例品牌
crawler: {contact: 'https://example.com/vocwatch'}
schedule:
  digest_at: "09:00"   # 几点发
  crawl_every_minutes: 60
digest: {max_risks: 5}
default_owner: 值班QA
shops:
  - {id: S1, name: 松果匣旗舰店, owner: 张三}
"""
WATCHES = """# 监测词
watches:
  - id: songguoxia   # 本品牌
    kind: brand
    name: 松果匣
    aliases: [松果家]
    ambiguous: [松果]   # 附近要有买卖的话
  - {id: cup, kind: product, name: 儿童保温杯, brand: songguoxia, sku: PC-B2, needs_brand: true}
  - {id: leak, kind: keyword, name: 漏水, exclude: [不漏水]}
  - {id: burn, kind: keyword, name: 烫伤, red_line: true}
"""
TOPICS = """version: "1"
topics:
  - name: 产品质量
    leaves:
      - {name: 漏水, words: 漏水 渗水}
  - name: 商品安全   # 大类
    leaves:
      - {name: 烫伤, words: 烫伤}
red_lines:
  # 一碰就报
  - name: 人身伤害
    words: 烫伤 烫到 起水泡
    topic: 商品安全/烫伤
  - {name: 假货, words: 假货 高仿}
"""
SOURCE = """name: {name}
title: {name} 站
enabled: {enabled}
owner: 李四
access: {{basis: 公开页面，无需登录, robots: 允许, impact: 每天两次, reviewer: 李四, date: 2026-10-01}}
start: [https://{name}.example.com/list]
listing:
  extract: html
  records:
    - kind: post
      items: li
      fields: {{text: p, url: a@href}}
"""


def write_config(folder: Path) -> None:
    """Write a small configuration, which is read quickly."""
    for inner in ("sources", "sessions"):
        (folder / inner).mkdir(parents=True, exist_ok=True)
    (folder / "vocwatch.yaml").write_text(APP, encoding="utf-8")
    (folder / "watches.yaml").write_text(WATCHES, encoding="utf-8")
    (folder / "topics.yaml").write_text(TOPICS, encoding="utf-8")
    (folder / "keywords.yaml").write_text("classes: []\n", encoding="utf-8")
    for name in sorted(factory.SOURCES):
        text = SOURCE.format(name=name, enabled="true" if name != "notes" else "false")
        (folder / "sources" / f"{name}.yaml").write_text(text, encoding="utf-8")


def settings_at(home: Path) -> Settings:
    """The settings of a home, the day after the factory's last; the fixed clock is the factory's."""
    write_config(home / "config")
    env = read_environment({"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T09:00:00"})
    return load_settings(env)


@contextmanager
def practice() -> Iterator[tuple[Settings, Store]]:
    """A home with forty invented days in its store."""
    with tempfile.TemporaryDirectory(prefix="vocwatch-desk-") as place:
        settings = settings_at(Path(place))
        store = open_store(settings.env.database_url)
        factory.forty_days(store)
        yield settings, store
        store.close()
