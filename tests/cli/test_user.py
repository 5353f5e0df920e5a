"""`vocwatch user`: adding people, changing them, shutting them out."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.store.kept import tiny_home
from vocwatch.cli.app import run
from vocwatch.store import Store, open_store
from vocwatch.store.access import log, users
from vocwatch.store.access.schema import access_log


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tiny_home(tmp_path / "place")
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    monkeypatch.setenv("VOCWATCH_SECRET", "test")
    monkeypatch.setenv("VOCWATCH_NOW", "2026-11-16T08:30:00")
    for name in ("VOCWATCH_CONFIG", "VOCWATCH_DATA", "VOCWATCH_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return home


def store_of(place: Path) -> Store:
    return open_store(f"sqlite:///{place / 'var' / 'vocwatch.sqlite3'}")


def test_people_are_added_changed_and_shut_out(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def do(*words: str, password: str = "") -> int:
        monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
        return run(["user", *words])

    assert do("add", "周楠", "--role", "admin", "--password-stdin", password="长长的一句话就当密码吧") == 0
    assert do("add", "周楠", "--password-stdin", password="长长的一句话就当密码吧") == 2
    assert do("add", "何雨", "--role", "chief", "--password-stdin", password="长长的一句话就当密码吧") == 2
    for weak in ("short", "1234567890", "aaaaaaaaaaaa"):
        assert do("add", "何雨", "--password-stdin", password=weak) == 2
    assert do("add", "何雨", "--password-stdin", password="另外一句长长的话") == 2  # eight characters
    assert do("add", "何雨", "--password-stdin", password="另外一句也是长长的话") == 0
    assert do("role", "何雨", "analyst") == 0 and do("disable", "何雨") == 0
    assert do("disable", "周楠") == 2 and do("role", "没有", "reader") == 2
    assert "唯一的管理员" in capsys.readouterr().err
    assert do("list", "--json") == 0
    assert '"何雨"' in capsys.readouterr().out
    store = store_of(place)
    with store.read() as connection:
        found = {one.name: (one.role, one.enabled) for one in users.everybody(connection)}
        assert all((one.password or "").startswith("$argon2id$v=19$m=") for one in users.everybody(connection))
        assert [row.subject for row in log.entries(connection)] == ["何雨: off", "何雨: analyst", "何雨: reader", "周楠: admin"]
    store.close()
    assert found == {"周楠": ("admin", True), "何雨": ("analyst", False)}


def test_tokens_are_made_listed_and_revoked_and_all_of_it_is_in_the_log(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("长长的一句话就当密码吧\n"))
    assert run(["user", "add", "周楠", "--role", "analyst", "--password-stdin"]) == 0
    capsys.readouterr()
    assert run(["token", "new", "看板", "--for", "周楠", "--json"]) == 0
    secret = json.loads(capsys.readouterr().out)["token"]
    assert run(["token", "new", "看板", "--for", "周楠", "--role", "admin"]) == 2
    assert run(["token", "new", "看板", "--for", "没有"]) == 2
    assert run(["token", "revoke", "1"]) == 0 and run(["token", "revoke", "7"]) == 2
    capsys.readouterr()
    assert run(["token", "list", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["label"], row["owner"], row["role"], row["state"]) == ("看板", "周楠", "reader", "revoked")
    assert run(["user", "log", "--json", "--since", "2026-11-16"]) == 0
    shown = capsys.readouterr().out
    assert [entry["what"] for entry in json.loads(shown)] == ["change token", "change token", "change user"] and secret not in shown
    assert run(["user", "log", "--verify"]) == 0
    store = store_of(place)
    with store.begin() as connection:
        connection.execute(access_log.update().where(access_log.c.id == 2).values(who="别人"))
    store.close()
    assert run(["user", "log", "--verify"]) == 3
    assert "第 2 条" in capsys.readouterr().err
