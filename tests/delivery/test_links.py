"""Signed links: what can't be forged, re-used for something else, or used too late."""

from __future__ import annotations

import base64
import datetime as dt
import json

import pytest

from reports.links import LinkError, link, link_secret, read, sign
from tests.delivery.kit import HOUR, NOW, configured

SECRET = b"s" * 32
TOKEN = sign("alert", {"incident": "甲-1"}, SECRET, expires=NOW + HOUR)


def test_a_token_gives_its_data_back_and_fits_into_an_address():
    assert read("alert", TOKEN, SECRET, now=NOW) == {"incident": "甲-1"}
    assert not set(TOKEN) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def test_another_purpose_another_key_and_changed_data_are_refused():
    content, mac = TOKEN.split(".")
    other = base64.urlsafe_b64encode(json.dumps({"incident": "乙", "exp": 9_999_999_999}).encode()).decode().rstrip("=")
    for purpose, token, secret in (
        ("unsubscribe", TOKEN, SECRET), ("alert", TOKEN, b"x" * 32), ("alert", f"{other}.{mac}", SECRET),
        ("alert", f"{content}.{mac[:-4]}", SECRET), ("alert", content, SECRET), ("alert", "", SECRET), ("alert", ".", SECRET),
        ("alert", "é.é", SECRET), ("alert", "a" * 5000 + "." + mac, SECRET), ("alert", f"{content}!.{mac}", SECRET),
    ):
        with pytest.raises(LinkError) as refused:
            read(purpose, token, secret, now=NOW)
        assert not refused.value.expired


def test_a_token_expires():
    assert read("alert", TOKEN, SECRET, now=NOW + HOUR - dt.timedelta(seconds=1))
    with pytest.raises(LinkError) as late:
        read("alert", TOKEN, SECRET, now=NOW + HOUR)
    assert late.value.expired


def test_the_key_is_the_installations_own_and_without_a_console_there_is_no_link(base):
    settings = configured(base)
    assert link(settings.env, "alert", {}, expires=NOW) is None
    assert link_secret(settings.env) == link_secret(settings.env) and b"test" not in link_secret(settings.env)
    settings = configured(base, console="https://voc.example.com")
    address = link(settings.env, "alert", {"incident": "i"}, expires=NOW + HOUR)
    assert address and read("alert", address.rpartition("/")[2], link_secret(settings.env), now=NOW) == {"incident": "i"}
