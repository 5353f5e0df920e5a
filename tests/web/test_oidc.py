"""Logging in by the company's accounts, against a real provider that also lies."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from tests.web.login import LoggedIn, browser_page, client_of, somebody
from tests.web.provider import CLIENT, SECRET, Provider
from vocwatch.settings import Settings
from vocwatch.settings.app import App
from vocwatch.store import Store
from vocwatch.store.access import log, users


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def with_oidc(settings: Settings, provider: Provider, **more: Any) -> Settings:
    """Settings that trust the provider."""
    oidc = {"issuer": provider.issuer, "client_id": CLIENT, **more}
    app = App.model_validate({**settings.app.model_dump(mode="json"), "console": {"oidc": oidc}})
    return dataclasses.replace(settings, app=app, env=dataclasses.replace(settings.env, oidc_secret=SECRET, console_url=""))


def come(client: LoggedIn, target: str = "/") -> httpx.Response:
    """Go to the provider and back, as a browser does."""
    out = client.get("/login/oidc", params={"next": target})
    assert out.status_code == 302, out.text
    there = httpx.get(out.headers["location"], trust_env=False)
    assert there.status_code == 302
    return client.get(there.headers["location"])


def test_a_group_gives_a_role_and_each_login_looks_again(settings: Settings, sqlite_store: Store, provider: Provider) -> None:
    trusting = with_oidc(settings, provider, roles={"voc-read": "reader", "voc-edit": "editor"})
    provider.claims["groups"] = ["others", "voc-read", "voc-edit"]
    with client_of(trusting, sqlite_store) as client:
        assert "login/oidc?next=" in client.get("/login").text and "公司账号" in client.get("/login").text
        done = come(client, "/account?lang=zh")
        assert done.status_code == 303 and done.headers["location"].endswith("../account?lang=zh")
        page = client.get("/account").text
        assert "林知远（编辑）" in page and "换密码" not in page
        provider.claims["groups"] = "voc-read"
        come(client)
        assert "林知远（读者）" in client.get("/account").text
        provider.claims["groups"] = []
        assert "没有使用权限" in come(client).text
    with sqlite_store.read() as connection:
        [one] = users.everybody(connection)
        said = [(row.who, row.via, row.what) for row in log.entries(connection)]
    assert one.subject == f"{provider.issuer} u-1" and one.password is None
    assert said == [("?", "oidc", "login refused"), ("林知远", "oidc", "login"), ("林知远", "oidc", "login")]


def test_strangers_and_taken_names_are_refused_and_known_people_keep_their_role(
    settings: Settings, sqlite_store: Store, provider: Provider
) -> None:
    trusting = with_oidc(settings, provider)
    with client_of(trusting, sqlite_store) as client:
        assert "没有使用权限" in come(client).text
        with sqlite_store.begin() as connection:
            users.add(connection, "林知远", "analyst", password=None, now=settings.clock.now(), subject=f"{provider.issuer} u-1")
        assert come(client).status_code == 303 and "（分析）" in client.get("/account").text
        with sqlite_store.begin() as connection:
            users.set_enabled(connection, users.named(connection, "林知远"), False, settings.clock.now())
        assert "没有使用权限" in come(client).text
        somebody(settings, sqlite_store, "admin", "管理丁")
        open_to_all = with_oidc(settings, provider, default_role="reader")
        provider.claims.update(sub="u-2", preferred_username="管理丁")
        with client_of(open_to_all, sqlite_store) as other:
            assert "已被另一个本地用户占用" in come(other).text and other.get("/account").status_code == 303


LIES: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "another"}, "another issuer": {"iss": "https://evil.example"}, "another nonce": {"nonce": "x"},
    "expired": {"exp": int(time.time()) - 3600}, "nobody": {"sub": ""},
}


@pytest.mark.parametrize("lie", [*LIES, "another key", "unsigned"])
def test_an_answer_that_does_not_hold_lets_nobody_in(settings: Settings, sqlite_store: Store, provider: Provider, lie: str) -> None:
    trusting = with_oidc(settings, provider, default_role="admin")
    provider.lies = LIES.get(lie, {})
    if lie == "another key":
        provider.key = RSAKey.generate_key(2048, {"kid": "k1"})
    provider.unsigned = lie == "unsigned"
    with client_of(trusting, sqlite_store) as client:
        answer = come(client)
        assert answer.status_code == 403 and "没有通过核对" in answer.text
        assert client.get("/account").status_code == 303
    with sqlite_store.read() as connection:
        assert users.is_empty(connection)


def test_an_answer_is_taken_only_where_the_login_began(settings: Settings, sqlite_store: Store, provider: Provider) -> None:
    trusting = with_oidc(settings, provider, default_role="reader")
    with client_of(trusting, sqlite_store) as client, client_of(trusting, sqlite_store) as victim:
        there = httpx.get(client.get("/login/oidc").headers["location"], trust_env=False).headers["location"]
        assert "十分钟" in victim.get(there).text
        victim.get("/login/oidc")  # a login of their own under way does not take another's answer either
        assert "没有通过核对" in victim.get(there).text and victim.get("/account").status_code == 303
        assert "没有通过核对" in client.get(there.replace("state=", "state=x")).text
        assert client.get("/login/oidc/back?error=access_denied").status_code == 403


def test_a_provider_that_is_away_is_said(settings: Settings, sqlite_store: Store, provider: Provider) -> None:
    trusting = with_oidc(settings, provider)
    provider.close()
    with client_of(trusting, sqlite_store) as client, client_of(settings, sqlite_store) as without:
        answer = client.get("/login/oidc")
        assert answer.status_code == 403 and "联系不上" in answer.text and SECRET not in answer.text
        assert without.get("/login/oidc").status_code == 403 and "login/oidc" not in without.get("/login").text


@pytest.mark.browser
def test_a_browser_goes_to_the_provider_and_back(settings: Settings, sqlite_store: Store, provider: Provider) -> None:
    with browser_page(with_oidc(settings, provider, default_role="reader"), sqlite_store) as page:
        page.goto("/account")
        page.get_by_role("link", name="用公司账号登录").click()
        page.wait_for_url("**/account")
        assert "林知远（读者）" in page.locator("main").inner_text()
