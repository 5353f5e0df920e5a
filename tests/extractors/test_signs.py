"""Wall pages against pages that only talk about walls."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors import classify, decode
from crawlers.extractors.signs import message_sign
from vocwatch.models import Page


def page(body: str = "", status: int = 200, url: str = "https://example.com/a", asked: str = "") -> Page:
    return Page(url, body.encode(), dt.datetime(2026, 11, 16, tzinfo=dt.UTC), status, request_url=asked or url)


def state(body: str, **how: object) -> str:
    saved = page(body, **how)  # type: ignore[arg-type]
    return classify(saved, decode(saved))[0]


def document(title: str, body: str) -> str:
    return f"<!doctype html><html><head><meta charset=utf-8><title>{title}</title></head><body>{body}</body></html>"


WALLS = [
    ("captcha", document("安全验证", '<div id="captcha">请拖动滑块完成验证</div>')),
    ("captcha", document("Security Verification", "<div></div>")),
    ("captcha", document("验证码_某网", "请输入图片中的字符")),
    ("captcha", document("某商城", '<div class="nc-container">亲，请按住滑块，拖动到最右边</div>')),
    ("captcha", document("Just a moment...", "<script>window._cf_chl_opt={}</script>")),
    ("blocked", document("Sina Visitor System", "<span></span>")),
    ("blocked", document("访问受限", "您的访问过于频繁，请稍后再试")),
    ("blocked", document("某站", "检测到您的网络环境存在风险")),
    ("login", document("用户登录 - 某论坛", "<form><input type=password></form>")),
    ("login", document("某论坛", "<p>登录后查看更多内容</p>")),
    ("removed", document("404 Not Found", "nginx")),
    ("removed", document("提示信息", "抱歉，该帖子已被删除")),
    ("removed", document("某站", "视频不见了")),
    ("unavailable", ""),
]
PAGES = [
    document("验证码收不到怎么办 - 论坛", "<article><h1>验证码收不到怎么办</h1><p>登录后查看更多内容，一直让我拖动滑块完成验证。</p></article>"),
    document("滑块验证测评", "".join(f"<p>第 {n} 家：请完成安全验证的提示弹得太频繁，访问过于频繁也封号，买家怨声载道，体验极差。</p>" for n in range(30))),
    document("商品详情", '<a href="/login">登录</a><a>注册</a>' + "<div>保温杯 480 毫升，316 不锈钢内胆，真空双层保温。</div>" * 40),
    document("客服说内容已被删除", '<meta property="og:type" content="article"><p>他们说我的评价已被删除，我截图了。</p>'),
    document("用户评价", "<ul>" + "<li>质量很好，下次还来</li>" * 30 + "</ul>"),
    '{"code":0,"data":[],"msg":"请先登录"}',
]


@pytest.mark.parametrize(("wanted", "body"), WALLS, ids=lambda value: value[:60])
def test_walls(wanted: str, body: str) -> None:
    assert state(body) == wanted


@pytest.mark.parametrize("body", PAGES, ids=lambda value: value[:80])
def test_ordinary_pages_are_not_accused(body: str) -> None:
    assert state(body) == "ok"


@pytest.mark.parametrize(("status", "wanted"), [
    (403, "blocked"), (429, "blocked"), (461, "captcha"), (401, "login"), (404, "removed"), (410, "removed"),
    (500, "unavailable"), (503, "unavailable"), (400, "unavailable"),
])
def test_statuses(status: int, wanted: str) -> None:
    assert state("<html><body>x</body></html>", status=status) == wanted


def test_redirects() -> None:
    body = document("欢迎", "欢迎光临" * 20)
    assert state(body, url="https://passport.example.com/login?next=/a", asked="https://example.com/a") == "login"
    assert state(body, url="https://example.com/404?error_code=300031", asked="https://example.com/explore/1") == "blocked"
    assert state(body, url="https://passport.example.com/help", asked="https://passport.example.com/help") == "ok"


def test_the_reason_is_said_in_chinese() -> None:
    saved = page(document("安全验证", "请拖动滑块"))
    assert "安全验证" in classify(saved, decode(saved))[1]


@pytest.mark.parametrize(("message", "wanted"), [
    ("登录已过期", "login"), ("请先登录", "login"), ("操作太频繁，请稍后再试", "blocked"), ("该笔记已被删除", "removed"),
    ("请完成安全验证", "captcha"), ("请求成功", "ok"), ("", "ok"),
])
def test_messages_of_apis(message: str, wanted: str) -> None:
    assert message_sign(message).state == wanted


@given(st.binary(max_size=500), st.integers(100, 599), st.text(max_size=40))
@settings(deadline=None, max_examples=200)
def test_never_raises_on_any_bytes(body: bytes, status: int, url: str) -> None:
    saved = Page(f"https://example.com/{url}", body, dt.datetime(2026, 11, 16, tzinfo=dt.UTC), status, request_url=url)
    found, _ = classify(saved, decode(saved))
    assert found in ("ok", "blocked", "captcha", "login", "removed", "unavailable")
