"""Who is logged in. The cookie's value is a secret of 256 bits; only its hash is stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.store.access.schema import logins, users


@dataclass(frozen=True, slots=True)
class Login:
    """A login that holds, and whose it is."""

    digest: str
    user_id: int
    name: str
    role: str
    via: str
    created_at: dt.datetime
    seen_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Terms:
    """How long a login holds: without being used, and at most."""

    idle: dt.timedelta
    longest: dt.timedelta


def digest_of(secret: str) -> str:
    """Return what is stored of a secret that a computer made: long enough that it needs no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def begin(connection: Connection, user_id: int, via: str, now: dt.datetime, terms: Terms) -> str:
    """Log a person in and return the cookie's value; logins that are over are cleared away."""
    secret = secrets.token_urlsafe(32)
    connection.execute(logins.delete().where(sa.or_(
        logins.c.seen_at <= now - terms.idle, logins.c.created_at <= now - terms.longest,
    )))
    connection.execute(logins.insert().values(digest=digest_of(secret), user_id=user_id, via=via, created_at=now, seen_at=now))
    return secret


def find(connection: Connection, secret: str, now: dt.datetime, terms: Terms) -> Login | None:
    """Return the login of a cookie, where it holds and its person is let in."""
    entry, u = logins.c, users.c
    row = connection.execute(
        sa.select(entry.digest, entry.user_id, u.name, u.role, entry.via, entry.created_at, entry.seen_at)
        .join(users, u.id == entry.user_id)
        .where(entry.digest == digest_of(secret), u.enabled, entry.seen_at > now - terms.idle, entry.created_at > now - terms.longest)
    ).first()
    return Login(*row) if row else None


def touch(connection: Connection, login: Login, now: dt.datetime) -> None:
    """Note that a login was used."""
    connection.execute(logins.update().where(logins.c.digest == login.digest).values(seen_at=now))


def end(connection: Connection, secret: str) -> None:
    """Log out."""
    connection.execute(logins.delete().where(logins.c.digest == digest_of(secret)))
