"""The words and marks that wall pages go by: data for `signs`, kept apart to be read and extended.

Each entry pairs the state and the reason with alternatives of a regular expression; they are tried in order.
"""

from __future__ import annotations

import re


def either(*alternatives: str) -> re.Pattern[str]:
    """Match any of the alternatives, upper and lower case alike."""
    return re.compile("|".join(alternatives), re.I)


def only(*alternatives: str) -> re.Pattern[str]:
    """Match a text that is one of the alternatives and nothing else."""
    return re.compile(f"^(?:{'|'.join(alternatives)})$", re.I)


# In the raw page, in lower case: machinery that only a checkpoint carries.
MACHINERY = (
    ("blocked", "新浪访客系统（未登录访客被拦）", ("sina visitor system", "/visitor/genvisitor")),
    ("captcha", "Cloudflare 验证页", (
        "cf-chl-widget", "_cf_chl_opt", "cf-browser-verification", "challenge-platform/h/b/orchestrate",
        "challenge-platform/h/g/orchestrate",
    )),
    ("captcha", "百度安全验证", ("wappass.baidu.com/static/captcha", "百度安全验证")),
    ("captcha", "Robot Check 验证页", ("api-services-support@amazon.com", "/errors/validatecaptcha")),
    ("captcha", "反爬服务的验证页", ("_incapsula_resource", "px-captcha", "captcha-delivery.com")),
    ("captcha", "滑块验证页", (
        "verify.meituan.com", "verify.snssdk.com", "/website-login/captcha", "ttgcaptcha", "captcha-verify-container",
    )),
    ("captcha", "阿里系滑块验证页", ("punish-component", "_____tmd_____", "/punish?")),
)
# Over the address that a page was redirected to: //host/path?query.
ADDRESSES = (
    ("captcha", "被转到验证页", either(
        r"/(?:website-login/)?captcha", r"/verify(?:_|/|\?|$)", r"/antispider", r"/robot-?check",
        r"wappass\.baidu",
    )),
    ("login", "被转到登录页", either(
        r"//(?:passport|login|signin|account|accounts)\.",
        r"/(?:login|signin|sign_in|passport)(?:[/?.#]|$)",
    )),
    ("blocked", "网站限制浏览（300031）", either(
        r"error_code=30003[01]", r"/404/sec_",
    )),
    ("blocked", "网站安全限制", either(
        r"error_code=3000(?:11|12|13|15|17)",
    )),
    ("removed", "被转到“不存在”页", either(
        r"/404(?:[/?.]|$)", r"/(?:error|notfound|not-found)(?:[/?.]|$)",
    )),
)
# Over a title, whole or without the site's name.
TITLES = (
    ("captcha", "验证页", only(
        r"安全验证", r"人机验证", r"滑块验证", r"访问验证", r"身份验证", r"验证码", r"验证中心",
        r"滑动验证", r"请完成验证", r"图形验证码?", r"[一-龥]{2,6}验证", r"captcha", r"robot check",
        r"security check", r"security verification", r"just a moment.*", r"verification",
        r"human verification", r"are you (?:a )?(?:human|robot)\??", r"attention required!?.*",
        r"ddos.guard", r"checking your browser.*", r"verify.*human.*",
    )),
    ("login", "登录页", only(
        r"登录", r"登陆", r"登 ?录", r"请登录", r"请先登录", r"用户登录", r"账号登录", r"会员登录",
        r"手机登录", r"扫码登录", r"统一登录.*", r"登录页面?", r"登录[/／]注册", r"log ?in", r"sign ?in",
        r"login page", r".{0,12}(?:登录|登陆)",
    )),
    ("blocked", "拦截页", only(
        r"sina visitor system", r"访问受限", r"安全限制", r"访问被拒绝", r"访问异常", r"访问过于频繁",
        r"禁止访问", r"拒绝访问", r"系统繁忙", r"access denied", r"forbidden", r"403(?: forbidden)?",
        r"blocked", r"request blocked", r"too many requests", r"429.*", r"sorry,? you have been blocked",
    )),
    ("removed", "“不存在”页", only(
        r"404.*", r"页面不存在", r"页面未找到", r"页面没有找到", r"找不到(?:该)?页面", r"内容不存在",
        r"抱歉.{0,4}(?:页面|内容|帖子).{0,8}", r"not found", r"page not found", r"出错了",
        r"你访问的页面不见了", r"该内容已(?:被)?删除", r"贴吧404",
    )),
)
# Over the visible words of a page that shows little, and over the messages of APIs.
PHRASES = (
    ("captcha", "页面要求完成验证", either(
        r"拖动.{0,6}滑块", r"滑块.{0,8}(?:完成|拖动|拼图)",
        r"(?:请|需要?)(?:先)?(?:完成|进行|通过).{0,8}(?:安全)?验证", r"完成.{0,4}验证后",
        r"按住.{0,4}滑块", r"输入.{0,6}(?:图中|图片中|下图|上图).{0,6}(?:字符|验证码|文字)",
        r"点击.{0,6}按钮.{0,4}(?:进行)?验证", r"向右滑动", r"依次点击", r"i'?m not a robot",
        r"verify (?:that )?you are (?:a )?human", r"enable javascript and cookies",
        r"complete the security check",
    )),
    ("blocked", "页面说访问受限", either(
        r"访问(?:过于|太|过于?)频繁", r"操作(?:过于|太)频繁", r"(?:请求|访问)(?:异常|过快|被拒绝|受限)",
        r"ip.{0,6}(?:存在风险|异常|被限制|被封)", r"安全限制", r"网络环境(?:存在)?(?:风险|异常)",
        r"账号存在异常", r"检测到.{0,8}(?:异常|风险)", r"30001[0-9]", r"访问被.{0,4}拦截",
        r"系统检测到您.{0,20}异常", r"access denied", r"you have been blocked", r"unusual traffic",
        r"too many requests", r"rate limit",
    )),
    ("login", "页面要求登录", either(
        r"登[录陆]后.{0,8}(?:查看|可见|继续|浏览|使用|阅读)", r"请(?:先)?登[录陆]",
        r"(?:需要|尚未|还没有?|您还?未)登[录陆]", r"(?:扫码|密码|验证码|短信|手机号?)登[录陆]",
        r"未登[录陆]", r"无登[录陆]信息", r"session_?expired", r"session失效", r"requires an? authenticated", r"登[录陆](?:状态)?(?:信息)?(?:已|被)?(?:过期|失效|超时)", r"not logged in",
        r"please (?:log|sign) ?in", r"(?:log|sign) ?in to (?:continue|view|see)", r"login required",
        r"auth(?:entication|orization) required",
    )),
    ("removed", "页面说内容已不在", either(
        r"(?:笔记|内容|帖子|该贴|贴子|主题|文章|微博|视频|作品|评论|投诉|商品|回答|问题|页面|页|链接|信息|话题).{0,12}(?:不存在|(?:已|被)[^。，]{0,6}(?:删除|下架|屏蔽|隐藏)|不见了|走丢了|失效|找不到|已关闭|暂时无法浏览|无法查看)",
        r"(?:没有|未|无法)找到.{0,6}(?:页面|内容|该页)", r"页面没有找到", r"你?访问的?.{0,8}不存在",
        r"(?:page|post|content|item|video|thread|comment).{0,20}(?:not found|does ?n.t exist|unavailable)",
        r"(?:page|post|content|item|video|thread|comment).{0,20}no longer (?:available|exists)",
        r"(?:page|post|content|item|video|thread|comment).{0,20}(?:was|been) (?:removed|deleted)",
        r"has been (?:removed|deleted)",
    )),
)
# What pages and APIs say of an empty list.
EMPTY = either(
    r"还没有(?:任何)?(?:内容|评论|评价|数据|人)",
    r"暂无.{0,8}(?:内容|数据|评论|评价|结果|投诉|帖子|笔记|回复|信息)",
    r"没有(?:找到|搜到|搜索到|符合|相关|更多).{0,12}", r"未找到相关", r"无搜索结果",
    r"还没有人?.{0,4}(?:评论|评价|回复)", r"抢沙发",
    r"no (?:results?|reviews?|comments?|posts?|items?|matches|entries)(?: (?:found|yet))?",
    r"nothing (?:found|here)", r"0 (?:results|reviews|comments|条)",
)
# Elements that ask for a puzzle, a password or a code.
WIDGETS = ", ".join((
    '[id*="captcha" i]', '[class*="captcha" i]', '[id*="geetest" i]', '[class*="geetest" i]', '[id^="nc_"]',
    ".nc-container", '[class*="slider-verify" i]', '[class*="verify-bar" i]', ".g-recaptcha", ".h-captcha",
    ".cf-turnstile", 'input[type="password"]', 'input[name="phone"]', 'input[name="mobile"]',
    'input[name*="code" i]',
))
# Elements that say "here stands an article".
ARTICLE = ", ".join((
    "article", '[itemprop="articleBody"]', 'meta[property="og:type"][content="article"]',
    'meta[property^="article:"]',
))
