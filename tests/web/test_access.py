"""F47: who may what: every route × every role, logging in and out, forms from elsewhere, guessing."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from argon2 import extract_parameters

from reports.web.access import passwords
from reports.web.access.people import declared
from reports.web.app import make_app
from tests.delivery.kit import NOW, configured
from tests.reports.conftest import at_home
from tests.web.login import PASSWORD, LoggedIn, client_of, log_in, served_at, somebody
from vocwatch.clock import FixedClock
from vocwatch.settings import Settings
from vocwatch.settings.app import App
from vocwatch.store import Store
from vocwatch.store.access import log, users
from vocwatch.store.access.users import RANK, ROLES, UserError

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def settings(shipped: Settings, tmp_path: Path) -> Settings:
    """The invented brand; the clock stands at nine."""
    made = configured(at_home(shipped, tmp_path))
    return dataclasses.replace(made, env=dataclasses.replace(made.env, now=NOW.isoformat()))


@pytest.fixture
def client(settings: Settings, sqlite_store: Store) -> Iterator[LoggedIn]:
    """Nobody."""
    with client_of(settings, sqlite_store) as made:
        yield made


def at(client: LoggedIn, settings: Settings, store: Store, moment: dt.datetime) -> None:
    """Set the console's clock."""
    from reports.web.console import Console

    client.app.state.console = Console(settings.with_clock(FixedClock(moment)), store)


def enter(client: LoggedIn, name: str, password: str = PASSWORD, target: str = "/", **more: str) -> httpx.Response:
    """Log in by the form, as a browser does."""
    client.csrf = ""
    form = client.get("/login").text
    token = re.search(r'name="_csrf" value="([^"]+)"', form)
    assert token
    return client.post("/login", data={"_csrf": token[1], "name": name, "password": password, "next": target, **more})


# -- the matrix ---------------------------------------------------------------------------------------------------


def concrete(path: str) -> str:
    """A path with something in the place of its parameters."""
    return re.sub(r"\{[^}]*\}", "1", path)


def test_F47_every_route_lets_in_whom_it_declares_and_nobody_else(settings: Settings, sqlite_store: Store) -> None:
    app = make_app(settings, sqlite_store)
    rows = [(path, method, role) for path, methods, role in declared(app) for method in sorted(methods)]
    seen = refusals = 0
    for asker in ("", *ROLES):
        with client_of(settings, sqlite_store, asker, app=app) as client:
            client.csrf = ""  # whoever may is then told that the form is stale; nothing is changed
            for path, method, least in rows:
                if path == "/logout" or least == "public":
                    continue
                answer = client.request(method, concrete(path))
                seen += 1
                told, said = f"{method} {path} as {asker or 'nobody'}: {answer.status_code}", answer.text
                if not asker:
                    assert answer.status_code == 401 or (answer.status_code == 303 and "login?next=" in answer.headers["location"]), told
                elif RANK[asker] < RANK[least]:
                    assert answer.status_code == 403 and (method == "HEAD" or "没有这项权限" in said or '"forbidden"' in said), told
                    refusals += 1
                elif method in ("GET", "HEAD"):
                    assert answer.status_code not in (401, 403), told
                else:
                    assert answer.status_code == 403 and ("表单已过期" in said or '"unsafe"' in said), told
    print(f"F47 routes × methods {len(rows)}, checked {seen}, refused to lesser roles {refusals}")
    assert {role for *_, role in rows} - {"public"} and seen


def test_F47_what_is_public_is_a_short_list(settings: Settings, sqlite_store: Store) -> None:
    found = {path for path, _, role in declared(make_app(settings, sqlite_store)) if role == "public"}
    assert found <= {"/f/{token}", "/a/{token}", "/u/{token}", "/login", "/login/oidc", "/login/oidc/back", "/healthz", "/setup",
                     "/api/openapi.json", "/static/{name:path}", "/static/console.css"}, found


def test_a_route_that_declares_nothing_keeps_the_console_from_starting(settings: Settings, sqlite_store: Store) -> None:
    app = make_app(settings, sqlite_store)
    app.add_api_route("/loose", lambda: "x")
    with pytest.raises(RuntimeError, match="/loose"):
        list(declared(app))


# -- coming and going ----------------------------------------------------------------------------------------------


def test_logging_in_leads_back_and_logging_out_ends_the_login_on_the_server(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "analyst")
    asked = client.get("/?lang=zh")
    assert asked.status_code == 303 and asked.headers["location"] == "./login?next=%2F%3Flang%3Dzh"
    done = enter(client, " 分析乙 ", target="/?lang=zh")
    assert done.status_code == 303 and done.headers["location"] == "./?lang=zh"
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie and "Secure" not in cookie
    secret = client.cookies["vocwatch"]
    page = client.get("/")
    assert page.status_code == 200 and "分析乙" in page.text
    token = re.search(r'action="logout"><input type="hidden" name="_csrf" value="([^"]+)"', page.text)
    assert token and client.post("/logout", data={"_csrf": token[1]}).status_code == 303
    client.cookies.set("vocwatch", secret)
    assert client.get("/").status_code == 303


def test_F47_a_login_begins_under_a_new_secret(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    client.cookies.set("vocwatch", "planted")
    enter(client, "读者甲")
    first = [cookie.value for cookie in client.cookies.jar if cookie.name == "vocwatch" and cookie.value != "planted"]
    assert first and client.get("/", headers={"cookie": "vocwatch=planted"}).status_code == 303
    client.cookies.clear()
    client.cookies.set("vocwatch", first[0])
    enter(client, "读者甲")
    client.cookies.clear()
    client.cookies.set("vocwatch", first[0])
    assert client.get("/").status_code == 303  # the earlier login of that browser has ended


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/x\r\nSet-Cookie: a=b"])
def test_logging_in_leads_nowhere_else(client: LoggedIn, settings: Settings, sqlite_store: Store, target: str) -> None:
    somebody(settings, sqlite_store, "reader")
    done = enter(client, "读者甲", target=target)
    assert done.headers["location"].startswith("./") and "evil" not in done.headers["location"] and "\n" not in done.headers["location"]
    assert "a=b" not in done.headers.get_list("set-cookie")


def test_an_idle_login_ends_and_so_does_an_old_one(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    log_in(client, settings, sqlite_store, "reader")
    at(client, settings, sqlite_store, NOW + 119 * MINUTE)
    assert client.get("/").status_code == 200
    at(client, settings, sqlite_store, NOW + 238 * MINUTE)  # it was used meanwhile
    assert client.get("/").status_code == 200
    at(client, settings, sqlite_store, NOW + 359 * MINUTE)
    assert client.get("/").status_code == 303
    log_in(client, settings, sqlite_store, "reader")
    for hour in range(1, 13):
        at(client, settings, sqlite_store, NOW + dt.timedelta(hours=hour))
        assert client.get("/").status_code == (200 if hour < 12 else 303), hour


def test_another_role_another_password_and_being_shut_out_work_at_once(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    user = log_in(client, settings, sqlite_store, "reader")
    with sqlite_store.begin() as connection:
        users.set_enabled(connection, user, False, NOW)
    assert client.get("/").status_code == 303
    with sqlite_store.begin() as connection:
        users.set_enabled(connection, user, True, NOW)
    assert client.get("/").status_code == 303  # letting in again is no login
    log_in(client, settings, sqlite_store, "reader")
    with sqlite_store.begin() as connection:
        users.set_password(connection, user, "x", NOW)
    assert client.get("/").status_code == 303


def test_the_last_administrator_can_not_be_lost(settings: Settings, sqlite_store: Store) -> None:
    admin = somebody(settings, sqlite_store, "admin")
    with pytest.raises(UserError, match="唯一的管理员"), sqlite_store.begin() as connection:
        users.set_role(connection, admin, "reader", NOW)
    with pytest.raises(UserError, match="唯一的管理员"), sqlite_store.begin() as connection:
        users.set_enabled(connection, admin, False, NOW)


# -- forms from elsewhere -------------------------------------------------------------------------------------------


def test_F47_a_form_from_elsewhere_changes_nothing(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    log_in(client, settings, sqlite_store, "admin")
    good = client.csrf
    with client_of(settings, sqlite_store) as other:
        log_in(other, settings, sqlite_store, "reader")
        theirs = other.csrf
    client.csrf = ""
    for token in ("", "x", theirs, good[:-1]):
        assert client.post("/logout", data={"_csrf": token}).status_code == 403
        assert client.post("/logout", headers={"X-CSRF-Token": token}).status_code == 403
    assert client.get("/").status_code == 200
    assert client.post("/logout", data={"_csrf": good}).status_code == 303


def test_F47_nobody_is_logged_in_by_somebody_elses_page(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    answer = client.post("/login", data={"name": "读者甲", "password": PASSWORD})
    assert answer.status_code == 403 and "vocwatch" not in client.cookies


def test_F47_a_wrong_token_is_not_made_good_by_a_cookie(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    log_in(client, settings, sqlite_store, "admin")
    assert client.get("/users").status_code == 200
    assert client.get("/users", headers={"authorization": "Bearer vwt_wrong"}).status_code == 303


# -- guessing --------------------------------------------------------------------------------------------------------


def test_a_wrong_password_and_an_unknown_name_are_told_alike(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    wrong, unknown = enter(client, "读者甲", "wrong-password"), enter(client, "没有这人", "hunter2-hunter2")
    assert wrong.status_code == unknown.status_code == 401
    assert "名字或密码不对" in wrong.text and "名字或密码不对" in unknown.text
    with sqlite_store.read() as connection:
        rows = [(row.who, row.what) for row in log.entries(connection)]
    assert rows == [("?", "login refused"), ("读者甲", "login refused")]


def test_F47_guessing_is_slowed_down_and_the_block_ends(client: LoggedIn, settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    answers = [enter(client, "读者甲", "wrong-password").status_code for _ in range(7)]
    assert answers == [401] * 5 + [429] * 2
    blocked = enter(client, "读者甲")
    assert blocked.status_code == 429 and "1 分钟后再试" in blocked.text and blocked.headers["retry-after"] == "60"
    at(client, settings, sqlite_store, NOW + MINUTE)
    assert enter(client, "读者甲").status_code == 303


def test_a_password_costs_what_is_advised_and_an_unknown_name_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_cost", passwords.ADVISED)
    forget = (passwords._hasher.cache_clear, passwords._nobody.cache_clear)
    for clear in forget:
        clear()
    known = passwords.hashed("x" * 12)
    costs = [(found.type.name, found.memory_cost, found.time_cost, found.parallelism)
             for found in map(extract_parameters, (known, passwords._nobody()))]
    assert costs == [("ID", 65536, 3, 4)] * 2
    assert passwords.fits("x" * 12, known) and not passwords.fits("x" * 12, None) and not passwords.fits("y" * 12, known)
    for clear in forget:
        clear()


def test_an_unknown_name_is_held_against_a_password_too(
    client: LoggedIn, settings: Settings, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[str | None] = []
    real = passwords.fits
    monkeypatch.setattr(passwords, "fits", lambda password, known: held.append(known) or real(password, known))
    user = somebody(settings, sqlite_store, "reader")
    for name in ("没有这人", "读者甲"):
        enter(client, name, "wrong-password")
    assert held == [None, user.password]


def test_F47_whoever_guesses_a_name_from_everywhere_does_not_shut_its_person_out(
    client: LoggedIn, settings: Settings, sqlite_store: Store
) -> None:
    somebody(settings, sqlite_store, "reader")
    assert enter(client, "读者甲").status_code == 303  # this browser is known from now on
    stranger = {"X-Forwarded-For": "203.0.113.9"}  # from a proxy that nobody told us to believe: it counts for nothing
    statuses = []
    with client_of(settings, sqlite_store, app=client.app) as other:
        for number in range(25):
            other.transport_address(f"198.51.100.{number}")
            statuses.append(enter(other, "读者甲", "wrong-password").status_code)
        other.headers.update(stranger)
        assert enter(other, "读者甲").status_code == 429
    assert statuses.count(401) == 20 and statuses[20:] == [429] * 5
    assert enter(client, "读者甲").status_code == 303  # the person at their own desk


def test_F47_one_address_may_not_try_many_names(settings: Settings, sqlite_store: Store) -> None:
    with client_of(settings, sqlite_store) as client:
        client.transport_address("198.51.100.7")
        statuses = [enter(client, f"名字{number}", "wrong-password").status_code for number in range(42)]
    assert statuses == [401] * 40 + [429] * 2


def test_behind_a_believed_proxy_the_cookie_is_for_https_only(settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    public = dataclasses.replace(settings, env=dataclasses.replace(settings.env, console_url="https://voc.example.com"))
    with client_of(public, sqlite_store) as client:
        client.headers["host"] = "voc.example.com"
        form = client.get("/login")
        assert "__Host-vocwatch_form=" in form.headers["set-cookie"] and "Secure" in form.headers["set-cookie"]
        cookie = form.headers["set-cookie"].partition(";")[0]
        token = re.search(r'name="_csrf" value="([^"]+)"', form.text)
        assert token
        data = {"_csrf": token[1], "name": "读者甲", "password": PASSWORD, "next": "/"}
        cookies = client.post("/login", data=data, headers={"cookie": cookie}).headers.get_list("set-cookie")
    assert any(one.startswith("__Host-vocwatch=") and "Secure" in one for one in cookies)


def test_only_believed_proxies_say_who_came(settings: Settings, sqlite_store: Store) -> None:
    somebody(settings, sqlite_store, "reader")
    seen = []
    for proxies in ([], ["127.0.0.1"]):
        app = App.model_validate({**settings.app.model_dump(mode="json"), "console": {"proxies": proxies}})
        with served_at(dataclasses.replace(settings, app=app), sqlite_store) as address:
            headers = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
            with httpx.Client(base_url=address, headers=headers, trust_env=False) as client:
                form = client.get("/login")
                token = re.search(r'name="_csrf" value="([^"]+)"', form.text)
                assert token
                cookie = form.headers["set-cookie"].partition(";")[0]
                client.post("/login", data={"_csrf": token[1], "name": "读者甲", "password": "x"}, headers={"cookie": cookie})
                seen.append("Secure" in form.headers["set-cookie"])
    with sqlite_store.read() as connection:
        assert [row.subject for row in log.entries(connection)] == ["203.0.113.9", "127.0.0.1"]
    assert seen == [False, True]
