"""API tokens: shown once, stored as a hash, never more powerful than the person they belong to."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.store.access.logins import digest_of
from vocwatch.store.access.schema import tokens, users
from vocwatch.store.access.users import RANK, ROLES, User, UserError, checked_role

PREFIX = "vwt_"  # so that a program that looks for secrets in files knows one
MAX_DAYS = 366
_TOUCH = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it may be shown; `role` is what it may now."""

    id: int
    label: str
    user_id: int
    name: str
    role: str
    created_at: dt.datetime
    expires_at: dt.datetime
    used_at: dt.datetime | None
    revoked_at: dt.datetime | None


def new(connection: Connection, user: User, label: str, role: str, now: dt.datetime, days: int = 90) -> tuple[int, str]:
    """Make a token and return (number, the token itself): it can't be read again. Raises UserError."""
    plain = one_line(label, 100).strip()
    if not plain:
        raise UserError(tr("写明这个令牌给谁用", "Say what the token is for"))
    if not 1 <= days <= MAX_DAYS:
        raise UserError(tr(f"有效期 1 到 {MAX_DAYS} 天", f"A token holds for 1 to {MAX_DAYS} days"))
    if RANK[checked_role(role)] > RANK[user.role]:
        raise UserError(tr(f"令牌的角色不能高过 {user.name} 自己的（{user.role}）", f"A token can't be more than {user.name} ({user.role})"))
    secret = PREFIX + secrets.token_urlsafe(32)
    row = connection.execute(tokens.insert().values(
        label=plain, digest=digest_of(secret), user_id=user.id, role=role, created_at=now, expires_at=now + dt.timedelta(days=days),
    ))
    key = row.inserted_primary_key
    assert key is not None
    return int(key[0]), secret


def find(connection: Connection, secret: str, now: dt.datetime) -> Token | None:
    """Return a token that is good now, with no more than its person's role."""
    t = tokens.c
    row = connection.execute(
        _query().where(t.digest == digest_of(secret), t.revoked_at.is_(None), t.expires_at > now, users.c.enabled)
    ).first() if secret.startswith(PREFIX) else None
    return _token(row) if row else None


def listed(connection: Connection, user_id: int | None = None) -> list[Token]:
    """Return all tokens, or those of a person, newest first; revoked and expired ones too."""
    query = _query().order_by(tokens.c.id.desc())
    return [_token(row) for row in connection.execute(query if user_id is None else query.where(tokens.c.user_id == user_id))]


def revoke(connection: Connection, number: int, now: dt.datetime, *, user_id: int | None = None) -> None:
    """Make a token void, of that person where one is named. Raises UserError where there is none."""
    t = tokens.c
    mine = [] if user_id is None else [t.user_id == user_id]
    known = connection.execute(sa.select(t.id).where(t.id == number, *mine)).first() if 0 < number < 2**31 else None
    if known is None:
        raise UserError(tr(f"没有令牌 {number}", f"No token {number}"))
    connection.execute(tokens.update().where(t.id == number, t.revoked_at.is_(None)).values(revoked_at=now))


def stale(token: Token, now: dt.datetime) -> bool:
    """Whether its last use is to be noted again."""
    return token.used_at is None or now - token.used_at >= _TOUCH


def touch(connection: Connection, token: Token, now: dt.datetime) -> None:
    """Note that a token was used."""
    connection.execute(tokens.update().where(tokens.c.id == token.id).values(used_at=now))


def _query() -> sa.Select[tuple[object, ...]]:
    t, u = tokens.c, users.c
    return sa.select(
        t.id, t.label, t.user_id, u.name, t.role, u.role.label("most"), t.created_at, t.expires_at, t.used_at, t.revoked_at
    ).join(users, u.id == t.user_id)


def _token(row: sa.Row[tuple[object, ...]]) -> Token:
    values = dict(row._mapping)
    values["role"] = ROLES[min(RANK[values["role"]], RANK[values.pop("most")])]
    return Token(**values)
