"""The invented brand of the report tests: products, sources, topics, and the words people use of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from vocwatch.settings import Settings
from vocwatch.settings.app import App
from vocwatch.settings.sources import Source
from vocwatch.settings.topics import Topics
from vocwatch.settings.watches import Watches

ZONE = ZoneInfo("Asia/Shanghai")
FIRST = dt.date(2026, 10, 7)
LENGTH = 40
QUIET_DAYS = 23
LAST = FIRST + dt.timedelta(days=LENGTH - 1)


def day(number: int) -> dt.date:
    """The business date of day 1 to 40."""
    return FIRST + dt.timedelta(days=number - 1)


PLANTED = {
    "leak_inside": day(26),
    "leak_outside": day(28),
    "leak_end": day(32),
    "silent": day(33),
    "rumour": day(34),
    "campaign": day(36),
    "blind": day(38),
    "leak_again": day(39),
    "burn": day(40),
}
PRODUCTS = {"PC-B2": "暖杯", "PC-H1": "暖手宝", "PC-K3": "大水壶", "PC-S4": "收纳箱"}
SOURCES = {
    "reviews": ("评价集", 0.4),
    "notes": ("笔记站", 0.8),
    "forum": ("闲谈坊", 0.5),
    "complaints": ("投诉台", 0.9),
}
TOPICS = {
    "version": "t1",
    "topics": [
        {
            "name": "产品质量",
            "sensitivity": 0.4,
            "leaves": [{"name": n, "words": [n]} for n in ("漏水", "掉漆", "异味", "破损")],
        },
        {
            "name": "商品安全",
            "sensitivity": 0.9,
            "leaves": [{"name": "烫伤", "words": ["烫伤"], "severity": 3}],
        },
        {
            "name": "物流",
            "sensitivity": 0.2,
            "leaves": [{"name": n, "words": [n]} for n in ("物流慢", "错发")],
        },
        {
            "name": "客服服务",
            "sensitivity": 0.4,
            "leaves": [{"name": n, "words": [n]} for n in ("态度差", "响应慢")],
        },
        {"name": "售后", "sensitivity": 0.4, "leaves": [{"name": "退款难", "words": ["退款难"]}]},
        {"name": "宣传", "sensitivity": 0.5, "leaves": [{"name": "假货", "words": ["假货"], "severity": 3}]},
    ],
    "red_lines": [
        {"name": "人身伤害", "words": ["烫伤"], "topic": "商品安全/烫伤"},
        {"name": "假货", "words": ["假货"], "topic": "宣传/假货", "sensitivity": 0.8, "first_class": False},
    ],
}
EVERYDAY = {
    "产品质量/掉漆": "杯盖边上掉漆了",
    "产品质量/异味": "开封有股塑料味",
    "产品质量/破损": "到手有一道裂缝",
    "产品质量/漏水": "倒着放会渗一点水",
    "物流/物流慢": "路上走了一个星期",
    "物流/错发": "颜色发错了",
    "客服服务/态度差": "客服说话不耐烦",
    "客服服务/响应慢": "客服半天才回一句",
    "售后/退款难": "退款拖了好几天",
}
FILLER = (
    "周末从外地回来才拆的箱子",
    "同事推荐我买的这一款",
    "放在办公室每天都在用",
    "妈妈看了以后直摇头",
    "上个月搬家的时候添置的",
    "本来打算送给朋友当生日礼物",
    "比对了三家店最后选的它",
    "颜色在灯下比图片深一些",
    "孩子上学背着正好",
    "快递小哥放在驿站",
    "第一次在这家下单",
    "群里有人也提到过",
    "用之前特意看过说明书",
    "晚上加班的时候拿来用",
    "楼下邻居家也有一个",
    "春天的时候就收藏了",
    "拍照发给家里人看过",
    "双十一前没舍得买",
    "拿到公司被问了好几次",
    "平时放在床头柜上",
)
LEAK = (
    "杯盖一拧就漏水",
    "杯口一直往外漏水",
    "装满热水杯盖漏水",
    "背包里漏水漏了一整包",
    "才用三天杯盖漏水",
    "密封圈不行老是漏水",
    "放平就漏水",
    "杯盖漏水把电脑弄湿了",
)
BURN = ("暖手宝外壳突然发烫把手烫伤了", "睡前捂着暖手宝结果烫伤起了水泡", "孩子抱着暖手宝被烫伤送去医院")
RUMOUR = (
    "内部人士告诉大家松果匣旗舰店卖的全是假货，吊牌都是找小作坊仿的，已经有人拿去鉴定了，赶紧退货别再上当"
)
GOOD = (
    "保温一整天还是热的很满意",
    "手感特别好颜色也喜欢",
    "做工扎实盖子很紧",
    "客服小姐姐很耐心",
    "物流快包装也严实",
    "回购第二次了质量稳定",
)


def make_settings(settings: Settings, **digest: Any) -> Settings:
    """The shipped settings with the invented brand's shops, products, topics and sources."""
    app = App.model_validate(
        {
            **settings.app.model_dump(mode="json"),
            "brand": {"name": "松果匣", "watch": "songguoxia"},
            "default_owner": "值班QA",
            "shops": [
                {"id": "S1", "name": "松果匣旗舰店", "owner": "何雨", "skus": ["PC-B2", "PC-H1"]},
                {"id": "S2", "name": "松果匣家居店", "owner": "马川", "skus": ["PC-K3", "PC-S4", "PC-B2"]},
            ],
            "campaigns": [{"date": PLANTED["campaign"].isoformat(), "name": "双11"}],
            "digest": {
                "recipients": [
                    {"email": "qa@example.com"},
                    {"email": "boss@example.com", "audience": "executive"},
                ],
                **digest,
            },
        }
    )
    watches = Watches.model_validate(
        {
            "watches": [
                {"id": "songguoxia", "kind": "brand", "name": "松果匣"},
                {"id": "rival", "kind": "competitor", "name": "暖山"},
                *(
                    {"id": sku.lower(), "kind": "product", "name": name, "brand": "songguoxia", "sku": sku}
                    for sku, name in PRODUCTS.items()
                ),
            ]
        }
    )
    sources = {
        name: Source.model_validate(
            {
                "name": name,
                "title": title,
                "owner": "阮青",
                "tier": tier,
                "start": ["https://example.com/"],
                "access": {"basis": "公开页面", "robots": "允许", "reviewer": "阮青", "date": "2026-10-01"},
                "listing": {
                    "extract": "html",
                    "records": [{"kind": "post", "items": "li", "fields": {"text": "p"}}],
                },
            }
        )
        for name, (title, tier) in SOURCES.items()
    }
    return dataclasses.replace(
        settings, app=app, watches=watches, topics=Topics.model_validate(TOPICS), sources=sources
    )
