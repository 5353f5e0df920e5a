"""Names that are everyday language too: 云朵里 is a brand, and where birds fly.

Whether a name is one is read off the dictionary; whether it is meant as a name, off the words beside it.
"""

from __future__ import annotations

from functools import lru_cache

from ahocorasick_rs import AhoCorasick

_LOCATIVE = frozenset("里上中下间边外前后旁内底")
# What stands before a place, not before a shop: in, into, from, as if; fly, hide, sleep, sink.
_BEFORE_PLACE = frozenset("在到从进往向于像入自朝由飞藏躲睡躺掉陷漂飘钻住驶开沉坐站泡埋漏透穿似若卧游融")
_BEFORE_PLACE_LONG = ("一朵", "一片", "那片", "这片", "朵朵", "高高", "白白", "仿佛", "好像", "如同", "宛如", "踩在", "走进")
# What is done in a shop that is spoken of like a place: 在云朵里买的.
_AFTER_SHOP = ("买", "下单", "拍的", "抢的", "旗舰", "官方", "家", "店", "的店", "直播", "客服", "专柜", "退", "换货", "花了", "消费")
_BEFORE_NAME = ("#", "@", "—", "就是", "是叫", "名叫", "问下", "问问", "教下", "请问")
_AFTER_NAME = ("家", "的", "店", "这", "那", "真", "客服", "旗舰", "官", "新", "满", "是不是", "怎么", "和", "跟", "与", "vs", "又", "到底", "质量")
_EVIDENCE = """
买 卖 店 款 套 退 尺码 穿 洗 码 元 块钱 价 货 链接 推荐 拍下 下单 客服 快递 发货 物流 假货 仿的 吊牌 品牌 牌子 产品 商品 质量 包装 面料 颜色 新色 显白 柔软 舒服
起球 掉色 缩水 异味 过敏 红疹 发痒 烫 漏电 充电 报销 检测 投诉 维权 赔 售后 保修 优惠 满减 满300 预售 尾款 加购 攻略 种草 拔草 避雷 踩雷 雷 回购 性价比 代言 联名 直播 主播
门店 专柜 线下 会员 积分 消费者 用户 商家 公司 旗下 上市 召回 抽检 记者 招聘 代理 代购 正品 真假 评测 测评 开箱 试用 好用 难用 衣柜 收纳 送妈 送礼 不闷 不勒 线头 做工 便宜 贵 多少钱 双十一 双11 双12 618 活动 入手 值得入 寄到 寄来 寄回 包邮 色号 版型 走线 高仿 国货 好物 同款 客户 包裹 验货 假的 照骗 智商税 福利 满意 差评 好评 推 避坑 踩坑 曝光 补发 少发 漏发 发错
"""


@lru_cache(maxsize=1)
def _evidence() -> AhoCorasick:
    return AhoCorasick(_EVIDENCE.split())


@lru_cache(maxsize=4096)
def is_everyday_name(form: str) -> bool:
    """Whether a name in normal form is a word of the dictionary, or one with 里, 上, 中 … behind it."""
    if not 2 <= len(form) <= 5 or not all("\u4e00" <= char <= "\u9fff" for char in form):
        return False
    import rjieba  # its dictionary takes a moment, and most texts hold no such name

    if rjieba.has_word(form):
        return True
    return form[-1] in _LOCATIVE and len(form) >= 3 and rjieba.has_word(form[:-1])


def is_name(text: str, start: int, end: int, products: AhoCorasick | None) -> bool:
    """Whether an everyday name at [start, end) of a normal form is meant as a name.

    `products` finds the things that the brand sells.
    """
    before, after = text[max(0, start - 2):start], text[end:end + 4]
    near = f"{text[max(0, start - 40):start]}\n{text[end:end + 40]}"
    if before.endswith(_BEFORE_NAME) or (before[-1:] in "“「【《" and after[:1] in "”」】》" and before and _talk(near)):
        return True
    sold = products is not None and bool(products.find_matches_as_indexes(near))
    if text[end - 1] in _LOCATIVE and (before[-1:] in _BEFORE_PLACE or before in _BEFORE_PLACE_LONG):
        close = products is not None and bool(products.find_matches_as_indexes(text[end:end + 12]))
        return close or after.startswith(_AFTER_SHOP)
    return sold or _talk(near) or (not before.strip("，。！？ \n") and after.startswith(_AFTER_NAME))


def _talk(near: str) -> bool:
    return bool(_evidence().find_matches_as_indexes(near))
