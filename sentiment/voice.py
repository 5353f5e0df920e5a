"""Whose voice a text is: a customer's, or one of those that are labelled and kept apart.

Every cue (a word) speaks for one voice with a weight; a voice is heard where its cues together reach the mark.
Customers complain in the words of advertisers too (领券领不了), so what only a buyer says counts against.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

import numpy as np
from ahocorasick_rs import AhoCorasick

CUSTOMER, AD, LOTTERY, RESALE, RECRUIT = "customer", "ad", "lottery", "resale", "recruit"
MERCHANT, MEDIA, OTHER = "merchant", "media", "other"
SELLING = frozenset((AD, LOTTERY, RESALE, RECRUIT))
"""Voices that want something of the reader; what they say happened to nobody."""

VOICES_FILE = Path(__file__).resolve().parent / "model" / "voice.json"
"""The n-grams that `sentiment.training.voices` learned from the corpus."""

_MARK = 3.0
_READ = 600
_HEARD = {"review": 2.0}
_HEARD_ELSEWHERE = 0.5
"""Log-odds from which the model alone is believed that a text is no buyer's."""
_BUYER_FOR_SURE = 2.0
_DIGITS = re.compile(r"[0-9]+")
_BORDER = "\x01"  # no normal form holds it

# weight, then the cues of that weight
_CUES: dict[str, dict[float, str]] = {
    LOTTERY: {
        2.0: "开奖 抽奖 宠粉 中奖 锦鲤 抽一位 抽两位 抽三位 抽五位 抽十位 揪一位 揪两位 揪三位 揪五位 揪一个 揪个 随机抽 随机揪 随机翻牌 转发抽 评论区抽 评论区揪 转发送 送出",
        1.0: "转发 关注 点赞 收藏 评论 留言 转赞评 转+ 三连 @三位 @两位 @好友 福利 包邮到家 粉丝 截止 公布 获奖 宝送 欧皇 小可爱 位送 个送 人送 转起来 本条微博",
    },
    RESALE: {
        3.0: "出自用 出闲置 出个人自用 出全新 出二手 搬家出 低价出 半价出 收二手 转一张 转让 原价转 可小刀 不刀 屠龙刀 小刀可 代购 海外代 可带 断舍离出 支持代发 送有缘人 清柜 搬家甩卖",
        1.5: "闲置 自提 面交 九成新 八成新 九五新 全新未拆 全新未用 吊牌在 验货 走平台 平台担保 不退不换 介意勿拍 爽快的来 先到先得 付邮 回血 断舍离 带走 价格看标题 问价 要的私 私聊报 现货看 定金 人肉背 有需要的私 同城自提 打包价 不讲价 急出 忍痛出 转手 可邮 不单出",
    },
    RECRUIT: {
        2.0: "招聘 诚聘 急招 急聘 招人 招工 招兼职 招学徒 招店员 招客服 招主播 招导购 招收银 招普工 招模特 招阿姨 招司机 招师傅 招募 五险一金 岗位职责 任职要求 薪资面议 内推 找周末兼职 招早班 招夜班 长期招",
        1.5: "底薪 提成 包吃 包住 管吃 管住 包教 月薪 日结 时薪 保底 简历 计件 月休 双休 做六休一 有经验 优先 熟手 学徒 应聘 面试 待遇 住宿 管饭 管两顿饭 周末双休 计时工 长白班 可带新人 持证 岗位 非诚勿扰 试岗 车马费 日薪 转正",
    },
    MERCHANT: {
        3.0: "竭诚为您 期待您的再次 欢迎下次光临 欢迎再次光临 感谢您的支持 感谢您的反馈 感谢您的认可 感谢您的惠顾 感谢您的选择 感谢您的评价 为您催促 为您登记 为您核实 给您带来不便 给您带来的不便 老客户质保 敬请谅解 不便之处请谅解 店主本人 掌柜本人 老板本人来",
        1.5: "尊敬的顾客 尊敬的客户 亲爱的顾客 亲爱的街坊 给亲 谢谢宝 感谢宝 感谢亲 谢谢亲 谢谢家人 感谢家人 感谢支持 谢谢支持 感谢认可 谢谢认可 小助理 咱家 咱们家 本店 小店 戳客服 联系客服哦 随时联系 您反馈 您的订单 祝您 请您 为您 欢迎再来 欢迎光临 欢迎随时 照常营业 照常开门 歇业 搬迁 望周知 原路返回 注意查收 保持手机畅通 系统显示您 老客券 会继续加油 继续努力 第一时间处理 专员 亲， 亲~ 亲～ 亲, 亲亲 哦～ 哦~ 呢～ 呢~ 哈～ 您好， 您好, 店休 补货中 加购物车占位 不瞒大家 经核查 严正声明 补货啦 下周补货 截图下单 客服在线 加印的 开售 感谢催更 您这单 在的呢宝 备注了哈 仙女的返图 的返图 各位书友 各位毛孩子家长 本院 敬请 客房升级 先点右下角 店铺截图 随时到园 订一赠 感谢监督 本人的回复 周二补货 欢迎家长",
    },
    MEDIA: {
        3.0: "本报讯 本报记者 本网讯 记者从 记者获悉 记者了解到 记者采访 记者暗访 记者走访 记者注意到 通讯员 新华社 责任编辑 业内人士 股份公告 证券代码 市场监管部门 市场监管局 市监局 消保委 消协 卫健部门 执法人员 热线接到 帮办栏目 行业快讯 今日早报 早报 晚报 日报 晨报",
        1.5: "记者 据悉 获悉 近日 日前 抽检 通报 立案 同比 环比 专家提醒 专家表示 协会 试行 团体标准 国家标准 标准自 实施 市民 居民反映 负责人表示 负责人称 宣布 发布 下架 涉事 当地 部门 本市 某地 某市 营收 启用 上调 推介会 医生提醒 儿科医生 消费者提醒 新规 征求意见 有关部门 批次 【 来源： 来源: 通告 公告 今晨 今日通报 处罚 投放 落地 试点 据介绍 据了解 据报道 有摊主称 工作人员介绍 专家 出货量 前三季度 三季度 上半年 一季度 消保组织 检出 超标 启动召回 起召回 被召回 决定召回 涉及 即日起 研究人员 家长不必 企业决定 凭实物 业内预计 占比 拨打客服热线 立案调查 提示消费者 诈骗 公安 警方 街道 县域 【提醒】 【夜读】 #微科普# 微科普 点击收听 长图 统计 数据显示 万余 详情戳 网点 就近办理 暂停服务 学校 赛季 俱乐部 官方公告 确诊 气象台 预警",
    },
    AD: {
        3.0: "招代理 招加盟 招分销 一件代发 厂家直销 工厂直供 工厂直接对接 淘口令 内部券 隐藏券 优惠券链接 #广告 #推广 #ad 广告合作 商务合作 恰饭 橱窗自取 橱窗下单 手慢无 全网最低 批量拿货 刷单 兼职日结 戳我主页 戳主页 点我主页 主页橱窗 主页有群 看头像 报我名 接单 感兴趣扣1 想要扣1 扣1进群 内部渠道 免试入学 拿证 点赞一单 日结不囤货 懂的私 复制口令 复制链接 点击下方链接 戳链接 链接在评论 链接在主页 链接在橱窗 想了解扣 加盟找我 小投资 宝妈副业 私我进群 进群领 专属福利 好物分享官 #好物推荐 主页领券 主页领 返利群 返利 戳左下角 小黄车自取 小黄车见 作业抄 粉丝专享 直播间等你 直播间见 直播间福利 福利价 蹲我直播 #合作 报我昵称 我发你登记表 评论区链接领券 地址戳评论 学费全返 拼单立减 私信发你 图片发我报价 价目表踢我 领券立减 戳评论 踢我拿 #好物分享#",
        1.5: "副业 进群 想要的 滴滴我 私我 私信领 领取优惠 免费领 免费试 限时 秒杀 到手价 券后 尝鲜价 专属价 直降 前20名 前10名 前50名 前100名 限额 到店暗号 暗号 上门 预约享 起步 一单 货源 批发 团购 秒发 现货 包邮 库存不多 冲鸭 买一送一 买二送一 新品上市 首发 抢购 特惠 品质保证 正品保障 咨询客服 官方直营 加购 好物 试用报告 品牌方 寄样 受邀 限定色 被请去 体验官 合作款 探店 名师 老师一对一 加急 电话预约 全城 享八折 享折扣 会员价 评论区置顶 立减 同步上线 名额 报价 评论区链接 拼单 全国门店 看菜单 免跑腿 看过来 前99名 打卡营 体验课 @你的饭搭子 饭搭子 想了解 想瘦 不来真的亏 论斤称 免费拉走 免费出 三天改变 限量 甄选 臻选 匠心 焕新 礼遇 尊享 速抢 下单立减 拍下立",
    },
}
# What only somebody says who bought it and tells of it.
_BUYER = (
    "我买的 我买了 买回来 到手 用了 穿了 吃了 喝了 洗了 坏了 漏 退款 退货 差评 避雷 踩雷 骗 垃圾 失望 后悔 投诉我 维权 找不到入口 扣了我 不给退 客服不 我妈 我家娃 我老公 亲测 别买 不值 气死 "
    "无语 拔草 踩坑 翻车 笑话 活该 凭什么 不认 退差 价保 保价 买贵 吐槽 吐个槽 谁懂 涨价 更贵 还贵 割韭菜 套路 举报 求助 赔偿 老顾客 怎么办 我 俺"
)
_SHARP = re.compile(
    r"(?:加|\+|➕|薇|v)(?:我)?(?:微信|vx|v信|薇信|wx|威信|企鹅)|(?:微信|vx|wx|薇信|v信|扣扣|qq)(?:号)?[:：]?\s*[a-z0-9_-]{5,}"
    r"|[¥￥€][a-z0-9]{8,}[¥￥€]"
)
_PRIZE = re.compile(r"(?:抽|揪)[0-9一两二三四五六七八九十几]{1,3}(?:位|名|个|人|只|条)|转发.{0,8}(?:抽|揪|送)")
_JOB = re.compile(r"招[^，。,!！?？]{0,10}[0-9一两二三四五六七八九十]{1,2}(?:名|位|个|人)|招[^，。]{0,6}(?:学徒|师傅|兼职|主播|模特|工(?!具)|嫂|师(?!傅)|员)")
_OFFER = re.compile(r"^[^，。]{0,4}(?:出|转|收)[^，。来了门去现差]{0,6}[一二两三四五几0-9](?:张|台|套|双|瓶|个|件|盒|只|对|部|辆|盏|本)|[0-9一二三四五六七八九]{1,4}(?:元|块)?出[，。]")
_MERCHANT_START = re.compile(r"(?:亲爱的|尊敬的|亲[,，~～ ]|您好|亲亲|感谢您的?|非常抱歉(?:给您|让您|亲)|抱歉给您|很抱歉给您|谢谢(?:宝|亲|您)|感谢(?:宝|亲|家人))")
_LABEL = re.compile(r"[\[【(（「“]?(?:商家|掌柜|店家|客服|卖家|店铺|商户|官方)(?:官方|的)?回复(?:[\]】)）」”]|\s*[:：]|[,，]?\s*(?:亲|您|尊敬|感谢|谢谢|抱歉))")
"""How a site marks the shop's answer, at its beginning."""
_QUOTES = re.compile(
    r"(?:客服|商家|店家|卖家|掌柜|店员|店主|老板|售后|官方|厂家|他们|她们|人家|对方|机器人)[^。！!?？:：]{0,8}?"
    r"(?:回复|回我|回的|说|让我|叫我|告诉我|表示|答复|答|就?一句|来[一了]?句|复制|只会|就会|[:：])"
    r"|[找问催]了?[^，,。]{0,4}(?:客服|商家|店家|卖家|掌柜|老板|售后)"
)
"""A customer who tells what the shop said: its phrases are quoted."""


class _Cues:
    """All cues in one automaton."""

    def __init__(self) -> None:
        words: dict[str, list[tuple[str, float]]] = {}
        for voice, weights in _CUES.items():
            for weight, listed in weights.items():
                for word in listed.split(" "):
                    words.setdefault(word, []).append((voice, weight))
        for word in _BUYER.split():
            words.setdefault(word, []).append((CUSTOMER, 1.0))
        for word in ("微信", "vx", "v信", "薇信", "wx", "威信", "企鹅", "扣扣", "qq", "¥", "￥", "€"):
            words.setdefault(word, []).append(("sharp", 0.0))
        for word in "抽揪":
            words.setdefault(word, []).append(("prize", 0.0))
        words.setdefault("招", []).append(("job", 0.0))
        words.setdefault("回复", []).append(("reply", 0.0))
        for word in ("出", "转", "收"):
            words.setdefault(word, []).append(("offer", 0.0))
        self._uses = list(words.values())
        self._finder = AhoCorasick(list(words))

    def of(self, texts: Sequence[str]) -> list[dict[str, float]]:
        """For each text the voices that its distinct cues speak for, with their weights added up."""
        found: list[dict[str, float]] = []
        for cues in _Found(self._finder, texts).by_text():
            scores: dict[str, float] = {}
            for index in set(cues):
                for voice, weight in self._uses[index]:
                    scores[voice] = scores.get(voice, 0.0) + weight
            found.append(scores)
        return found


class _Found:
    """What an automaton finds in many texts: the numbers of its words, and of the texts, in order."""

    def __init__(self, finder: AhoCorasick, texts: Sequence[str]):
        joined = _BORDER.join(texts) + _BORDER
        raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        borders = np.flatnonzero(raw == ord(_BORDER))
        listed = finder.find_matches_as_indexes(joined, overlapping=True)
        found = np.fromiter(chain.from_iterable(listed), dtype=np.int64, count=3 * len(listed))
        self.words, self.texts = found[::3], np.searchsorted(borders, found[1::3])
        self._size = len(texts)

    def by_text(self) -> Iterator[list[int]]:
        """Yield the words of each text."""
        words = self.words.tolist()
        ends = np.searchsorted(self.texts, np.arange(self._size), side="right").tolist()
        start = 0
        for end in ends:
            yield words[start:end]
            start = end


_cues = _Cues()


def grams(form: str) -> set[str]:
    """Return the 2- to 4-grams of a normal form that the model is asked about; every number is a 0."""
    text = _DIGITS.sub("0", form[:_READ])
    return {text[at:at + size] for size in (2, 3, 4) for at in range(len(text) - size + 1)}


class _Learned:
    """The trained model."""

    def __init__(self, path: Path) -> None:
        model = json.loads(path.read_text(encoding="utf-8"))
        self._bias = float(model["bias"])
        self._voices: list[str] = model["voices"]
        self._weights = np.array([row[0] for row in model["grams"].values()], dtype=np.float64)
        self._odds = [row[1:] for row in model["grams"].values()]
        self._finder = AhoCorasick(list(model["grams"]))

    def of(self, texts: Sequence[str], marks: Sequence[float]) -> list[str]:
        """Return the likeliest voices, customer where the log-odds against that stay below a text's mark."""
        voices = [CUSTOMER] * len(texts)
        found = _Found(self._finder, _DIGITS.sub("0", _BORDER.join(texts)).split(_BORDER))
        size = len(self._weights)
        keys = np.unique(found.texts * size + found.words)
        numbers, words = np.divmod(keys, size)
        against = self._bias + np.bincount(numbers, weights=self._weights[words], minlength=len(texts))
        against[np.bincount(numbers, minlength=len(texts)) == 0] = -np.inf
        for number in np.flatnonzero(against >= np.array(marks)).tolist():
            heard = words[numbers == number].tolist()
            sums = [sum(self._odds[index][place] for index in heard) for place in range(len(self._voices))]
            voices[number] = self._voices[sums.index(max(sums))]
        return voices


@lru_cache(maxsize=1)
def _learned() -> _Learned:
    return _Learned(VOICES_FILE)


def voice_of(text: str, kind: str = "post", about_brand: bool = False) -> str:
    """Return the voice of a normal form, given what it is on its site (`MentionKind`, or `session`)."""
    return voices_of([(text, kind, about_brand)])[0]


def voices_of(texts: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Return what `voice_of` does for each (normal form, kind, whether it is about the brand)."""
    voices = [_by_kind(kind, about_brand) for _, kind, about_brand in texts]
    asked = [number for number, voice in enumerate(voices) if voice is None]
    heads = [texts[number][0][:_READ].replace(_BORDER, " ") for number in asked]
    doubtful: list[tuple[int, str]] = []
    for number, head, scores in zip(asked, heads, _cues.of(heads), strict=True):
        if scores and not (len(scores) == 1 and CUSTOMER in scores):
            heard = _loudest(head, texts[number][1], dict(scores))
            if heard != CUSTOMER:
                voices[number] = heard
                continue
        if scores.get(CUSTOMER, 0.0) < _BUYER_FOR_SURE:
            doubtful.append((number, head))
    if doubtful:
        marks = [_HEARD.get(texts[number][1], _HEARD_ELSEWHERE) for number, _ in doubtful]
        learned = _learned().of([head for _, head in doubtful], marks)
        for (number, head), voice in zip(doubtful, learned, strict=True):
            voices[number] = CUSTOMER if voice == MERCHANT and quoted(head) else voice
    return [CUSTOMER if voice is None else voice for voice in voices]


def quoted(text: str) -> bool:
    """Whether what sounds like a shop is told by somebody who heard it there."""
    return not (_MERCHANT_START.match(text) or _LABEL.match(text)) and _QUOTES.search(text) is not None


def _by_kind(kind: str, about_brand: bool) -> str | None:
    """The voice that needs no reading."""
    if kind == "reply":
        return MERCHANT
    if about_brand:
        return CUSTOMER
    if kind == "article":
        return MEDIA
    return CUSTOMER if kind == "complaint" else None  # a portal's form was filled in by somebody who bought it


def _loudest(text: str, kind: str, scores: dict[str, float]) -> str:
    buyer = min(3.0, scores.pop(CUSTOMER, 0.0))
    if "sharp" in scores and _SHARP.search(text):
        scores[AD] = scores.get(AD, 0.0) + 4
    if "prize" in scores and _PRIZE.search(text):
        scores[LOTTERY] = scores.get(LOTTERY, 0.0) + 2.5
    if "job" in scores and _JOB.search(text):
        scores[RECRUIT] = scores.get(RECRUIT, 0.0) + 1.5
    if "offer" in scores and _OFFER.search(text):
        scores[RESALE] = scores.get(RESALE, 0.0) + 2.5
    if "reply" in scores and _LABEL.match(text):
        scores[MERCHANT] = scores.get(MERCHANT, 0.0) + 3
    if MERCHANT in scores and _MERCHANT_START.match(text):
        scores[MERCHANT] += 1.5
    elif MERCHANT in scores and quoted(text):
        del scores[MERCHANT]
    if MEDIA in scores and text.startswith("【"):
        scores[MEDIA] += 1.0  # the headline of a post
    if kind == "review":
        scores = {voice: score - 1.5 for voice, score in scores.items()}
    best, score = max(
        ((voice, score) for voice, score in scores.items() if voice in _CUES), key=lambda item: item[1], default=(CUSTOMER, 0.0)
    )
    against = buyer * (1.0 if best in (AD, MEDIA, MERCHANT) else 0.5)
    return best if score - against >= _MARK else CUSTOMER
