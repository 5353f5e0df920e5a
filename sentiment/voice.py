"""Whose voice a text is: a customer's, an advertisement, the merchant, the press, or something else."""

from __future__ import annotations

import re

CUSTOMER, AD, MERCHANT, MEDIA, OTHER = "customer", "ad", "merchant", "media", "other"

_AD_STRONG = re.compile(
    r"(?:加|\+|➕|薇|v)(?:我)?(?:微信|vx|v信|薇信|wx|威信|企鹅)|(?:微信|vx|wx|薇信|v信|扣扣|qq)(?:号)?[:：]?\s*[a-z0-9_-]{5,}"
    r"|招代理|招加盟|招分销|诚招|一件代发|代购(?!的)|接单|货源|厂家直销|工厂直供"
    r"|批发(?:价|零售)?"
    r"|转发.{0,8}抽|抽奖|抽.{0,4}(?:位|名|个|人).{0,6}(?:送|赠|宝|粉)|评论区.{0,8}(?:抽|揪|送)"
    r"|关注.{0,6}(?:转发|抽)|私信(?:我)?.{0,4}(?:领|拿|发你)|领取?(?:优惠)?券"
    r"|点击(?:下方)?链接|戳链接|复制(?:口令|链接|这条)|淘口令|[¥￥€][a-z0-9]{8,}[¥￥€]"
    r"|内部券|隐藏券|优惠券链接"
    r"|#(?:ad|广告|推广|合作)|广告合作|商务合作|恰饭|品牌合作|链接在(?:评论|主页|橱窗)"
    r"|橱窗(?:自取|下单)|直播间(?:等你|见|福利)|今晚.{0,6}直播|限时(?:秒杀|抢购|特惠|折扣)"
    r"|赶紧下单|手慢无|到手价|券后(?:价)?\s*\d|全网最低|批量拿货|刷单|兼职日结"
    r"|好物分享官|免费试用|招募体验官|带货|团购(?:群|接龙)|低价出|现货秒发|支持代发"
)
_AD_WEAK = re.compile(
    r"福利|秒杀|下单立减|买一送一|买二送一|满减|包邮|爆款|新品上市|首发|预售|旗舰店上新"
    r"|优惠券|折扣|限量|starts?|sale|活动价|拍下立|史低|好价|神价|速抢|冲鸭|姐妹们冲"
    r"|种草|安利|官方直营|正品保障|品质保证|咨询客服"
)
_MERCHANT = re.compile(
    r"^(?:亲爱的|尊敬的|亲[,，~～ ]|您好|亲亲|尊敬的顾客|感谢您的?(?:支持|评价|反馈|认可|惠顾|光临|选择)"
    r"|非常抱歉(?:给您|让您|亲)|抱歉给您|很抱歉给您|商家回复|掌柜回复|店家回复|客服回复|卖家回复)"
    r"|(?:给您带来.{0,10}(?:不便|困扰|不好的体验)|(?:我们|小店|本店|咱们).{0,12}(?:为您|给您|竭诚|尽快处理|核实|跟进)|请您?联系.{0,6}客服.{0,16}(?:处理|核实|为您)|欢迎(?:再次|下次)光临|期待您的再次)"
)
_MEDIA = re.compile(
    r"本报讯|本报记者|本网讯|记者.{0,8}(?:获悉|了解到|报道|从|采访|注意到|走访)"
    r"|据.{0,10}(?:报道|消息|介绍|了解|悉)|(?:新华社|央视|日报|晚报|晨报|财经|新闻网|通讯员).{0,6}(?:讯|电|报道|消息)"
    r"|(?:月|日)(?:电|讯)[,，\s]|责任编辑|来源[:：]|公司(?:相关)?负责人(?:表示|称|介绍)"
    r"|(?:证券|股份)(?:代码|公告)|业内人士"
)
_JOB = re.compile(
    r"(?:招聘|诚聘|急招|招人|招募).{0,20}(?:岗位|客服|主播|店员|导购|运营|实习|专员|薪|待遇|五险|底薪)"
    r"|五险一金|简历(?:投|发)|岗位职责|任职要求|月薪\d|薪资面议|内推"
)


def voice_of(text: str, kind: str = "post", about_brand: bool = False) -> str:
    """Return the voice of a normal form, given what it is on its site (`MentionKind`, or `session`)."""
    if kind == "reply":
        return MERCHANT
    if about_brand:
        return CUSTOMER
    if kind == "article":
        return MEDIA
    if _JOB.search(text):
        return OTHER
    if kind != "complaint" and (_AD_STRONG.search(text) or len(set(_AD_WEAK.findall(text))) >= 3):
        return AD
    if _MERCHANT.search(text[:400]) and kind in ("comment", "append", "review"):
        return MERCHANT
    if _MEDIA.search(text[:300]) and kind != "complaint":
        return MEDIA
    return CUSTOMER
