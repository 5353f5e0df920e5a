"""The pages of people: users, one's own password and tokens, the log."""

from __future__ import annotations

import re

import pytest

from tests.delivery.kit import NOW
from tests.web.login import PASSWORD, client_of, log_in, somebody
from tests.web.test_access import enter
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.access import log, users
from vocwatch.store.access.schema import access_log

NEW = "另一句话也要写得够长"
CODE = re.compile(r"<code>([^<]+)</code>")


def logged(store: Store) -> list[tuple[str, str, str]]:
    with store.read() as connection:
        return [(row.who, row.what, row.subject) for row in log.entries(connection)]


def test_an_administrator_adds_somebody_who_logs_in_and_is_shut_out(settings: Settings, sqlite_store: Store) -> None:
    with client_of(settings, sqlite_store, "admin") as admin, client_of(settings, sqlite_store) as new:
        made = admin.post("/users", data={"name": "<b>何雨", "role": "analyst"})
        code = CODE.search(made.text)
        assert made.status_code == 200 and code and "&lt;b&gt;何雨" in made.text and "<b>何雨" not in made.text
        assert code[1] not in admin.get("/users").text
        assert admin.post("/users", data={"name": "<B>何雨", "role": "reader"}).status_code == 400
        assert admin.post("/users", data={"name": "别人", "role": "chief"}).status_code == 400
        assert enter(new, "<b>何雨", code[1]).status_code == 303 and new.get("/").status_code == 200
        with sqlite_store.read() as connection:
            user = users.named(connection, "<b>何雨")
        assert admin.post(f"/users/{user.id}/role", data={"role": "reader"}).status_code == 303
        assert new.get("/users").status_code == 403
        assert admin.post(f"/users/{user.id}/state", data={"state": "off"}).status_code == 303
        assert new.get("/").status_code == 303 and enter(new, "<b>何雨", code[1]).status_code == 401
        admin.post(f"/users/{user.id}/state", data={"state": "on"})
        again = CODE.search(admin.post(f"/users/{user.id}/password").text)
        assert again and again[1] != code[1] and enter(new, "<b>何雨", code[1]).status_code == 401
        assert enter(new, "<b>何雨", again[1]).status_code == 303
        assert [admin.post(f"/users/{number}/role", data={"role": "reader"}).status_code for number in (999, 0, 10**18)] == [400] * 3
    said = [(what, subject) for who, what, subject in logged(sqlite_store) if who == "管理丁"]
    assert said == [("change user", f"<b>何雨: {what}") for what in ("password", "on", "off", "reader", "analyst")]


def test_one_changes_ones_own_password_and_other_logins_end(settings: Settings, sqlite_store: Store) -> None:
    with client_of(settings, sqlite_store, "reader") as here, client_of(settings, sqlite_store, "reader") as elsewhere:
        for data, words in (
            ({"before": "wrong-password", "password": NEW, "again": NEW}, "现在的密码不对"),
            ({"before": PASSWORD, "password": NEW, "again": NEW + "x"}, "两次输入"),
            ({"before": PASSWORD, "password": "短", "again": "短"}, "10 到 200"),
        ):
            answer = here.post("/account/password", data=data)
            assert answer.status_code == 400 and words in answer.text
        assert elsewhere.get("/account").status_code == 200
        assert "密码已换" in here.post("/account/password", data={"before": PASSWORD, "password": NEW, "again": NEW}).text
        assert here.get("/account").status_code == 200 and elsewhere.get("/account").status_code == 303
        assert [enter(elsewhere, "读者甲", password).status_code for password in (PASSWORD, NEW)] == [401, 303]
        for _ in range(6):
            answer = here.post("/account/password", data={"before": "guess-guess", "password": NEW, "again": NEW})
        assert "1 分钟后再试" in answer.text
        assert "现在的密码不对" not in here.post("/account/password", data={"before": NEW, "password": NEW, "again": NEW}).text
    assert ("读者甲", "change password", "读者甲") in logged(sqlite_store)


def test_a_token_is_shown_once_works_and_is_made_void_by_its_own_person_only(settings: Settings, sqlite_store: Store) -> None:
    with client_of(settings, sqlite_store, "analyst") as client, client_of(settings, sqlite_store, "reader") as other:
        made = client.post("/account/tokens", data={"label": "看板", "role": "reader", "days": "30"})
        secret = CODE.search(made.text)[1]  # type: ignore[index]
        assert secret.startswith("vwt_") and secret not in client.get("/account").text and "看板" in client.get("/account").text
        for bad in ({"label": " ", "role": "reader", "days": "30"}, {"label": "x", "role": "editor", "days": "30"},
                    {"label": "x", "role": "reader", "days": "9999"}, {"label": "x", "role": "reader", "days": "①"}):
            assert client.post("/account/tokens", data=bad).status_code == 400
        with client_of(settings, sqlite_store) as program:
            program.headers["authorization"] = f"Bearer {secret}"
            assert program.get("/account").status_code == 200
            assert program.post("/account/tokens", data={"label": "x", "role": "reader", "days": "30"}).status_code == 403
            assert program.get("/users").status_code == 403
            log_in(program, settings, sqlite_store, "admin")
            assert program.get("/users").status_code == 403  # a token that is named counts, not a cookie beside it
            assert other.post("/account/tokens/1/revoke").status_code == 404
            assert program.get("/account").status_code == 200
            assert client.post("/account/tokens/1/revoke").status_code == 303
            assert program.get("/account").status_code == 303
    assert [row[1:] for row in logged(sqlite_store)] == [("change token", "1: revoked"), ("change token", "1: 看板 (reader)")]


def test_the_log_is_shown_filtered_and_says_when_it_was_changed(settings: Settings, sqlite_store: Store) -> None:
    with client_of(settings, sqlite_store, "admin") as client:
        somebody(settings, sqlite_store, "reader")
        with client_of(settings, sqlite_store) as guest:
            enter(guest, "读者甲")
            enter(guest, "读者甲", "wrong-password")
        page = client.get("/audit").text
        assert "登录失败" in page and "2 条，校验链完整" in page and "127.0.0.1" in page
        assert "登录失败" not in client.get("/audit", params={"what": "login"}).text.split("<tbody>")[1]
        assert "没有符合的记录" in client.get("/audit", params={"who": "没有"}).text
        for before in ("x", "-1", "9" * 30, "٣"):
            assert client.get("/audit", params={"before": before}).status_code == 200
        with sqlite_store.begin() as connection:
            connection.execute(access_log.update().where(access_log.c.what == "login refused").values(who="别人"))
        assert "校验链断在第 2 条" in client.get("/audit").text


@pytest.mark.parametrize("path", ["/users", "/account", "/audit"])
def test_pages_of_people_speak_english(settings: Settings, sqlite_store: Store, path: str) -> None:
    with client_of(settings, sqlite_store, "admin") as client:
        page = client.get(path, params={"lang": "en"}).text
    words = re.sub(r"<[^>]+>", " ", page.split('<main id="main"')[1]).replace("管理丁", "")
    assert not re.findall(r"[\u4e00-\u9fff]+", words) and NOW
