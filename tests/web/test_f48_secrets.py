"""F48: no password, token, cookie or client secret in logs, database, pages, errors or what is printed of settings."""

from __future__ import annotations

import dataclasses
import logging
import re

import pytest

from tests.store.kept import raw_bytes
from tests.web.login import client_of, somebody
from tests.web.test_access import enter
from vocwatch.settings import Settings
from vocwatch.store import Store
from vocwatch.store.access import tokens

TYPED, NAMED, OIDC = "canary-typed-passw0rd-51", "canary-typed-as-name-88", "canary-client-secret-07"


def test_F48_canaries_are_nowhere(settings: Settings, sqlite_store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret_settings = dataclasses.replace(settings, env=dataclasses.replace(settings.env, oidc_secret=OIDC))
    user = somebody(settings, sqlite_store, "admin")
    with sqlite_store.begin() as connection:
        _, token = tokens.new(connection, user, "测试", "admin", settings.clock.now())
    seen: list[str] = [repr(secret_settings.env)]
    with client_of(secret_settings, sqlite_store) as client:
        for name in ("管理丁", NAMED):
            seen.append(enter(client, name, TYPED).text.replace(f'value="{NAMED}"', ""))  # its own field shows it to whoever typed it
        assert enter(client, "管理丁").status_code == 303
        cookie = next(one.value for one in client.cookies.jar if one.name == "vocwatch")
        assert cookie and len(cookie) > 40
        for path in ("/account", "/users", "/audit", "/nothing", "/f/x.y", "/setup?key=x"):
            seen.append(client.get(path).text)
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {token}"
        for path in ("/api/v1/me", "/api/v1/mentions?order=x", "/audit", "/f/inc-no-day"):
            seen.append(client.get(path).text)

        def breaks() -> None:
            raise RuntimeError("broken on purpose")

        client.app.add_api_route("/breaks", breaks)
        broken = client.get("/breaks")
        seen.append(broken.text)
        assert broken.status_code == 500 and "Traceback" not in broken.text and "on purpose" not in broken.text
    logged = "\n".join(f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records if not record.name.startswith(("http", "hpack")))
    stored = raw_bytes(sqlite_store).decode("utf-8", "replace")
    canaries = {"typed": TYPED, "name": NAMED, "client secret": OIDC, "token": token, "cookie": cookie}
    hits = [(name, place) for name, canary in canaries.items() for place, text in (("log", logged), ("store", stored), ("page", "\n".join(seen))) if canary in text]
    print(f"F48 canaries {len(canaries)}, hits {len(hits)}")
    assert not hits
    assert re.search(r"\$argon2id\$", stored)
