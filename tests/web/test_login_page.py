"""Logging in in a real Chromium, as a person does it."""

from __future__ import annotations

import pytest

from tests.web.login import PASSWORD, browser_page, somebody
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.access.schema import logins


@pytest.mark.browser
def test_a_person_logs_in_and_out_in_a_browser(settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    with browser_page(settings, sqlite_store, width=390) as page:
        page.goto("/?lang=zh")
        page.get_by_label("名字").fill("读者甲")
        page.get_by_label("密码").fill("不是这个密码吧")
        page.get_by_role("button", name="登录").click()
        assert page.get_by_role("alert").inner_text() == "名字或密码不对"
        page.get_by_label("密码").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/?lang=zh")
        assert "读者甲" in page.locator("header").inner_text()
        with sqlite_store.begin() as connection:
            connection.execute(logins.delete())  # it is over while the page is open, and something in the page asks on
        page.evaluate("htmx.ajax('GET', '/topics', {target: '#view', swap: 'innerHTML'})")
        page.wait_for_url("**/login?next=*")
        page.get_by_label("名字").fill("读者甲")
        page.get_by_label("密码").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/?lang=zh")
        page.get_by_role("button", name="退出").click()
        page.wait_for_url("**/login")
        page.goto("/")
        assert "/login?next=" in page.url
