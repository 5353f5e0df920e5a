"""People of the console."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.store.access.schema import logins, tokens, users
from vocwatch.store.engine import insert_into

ROLES = ("reader", "analyst", "editor", "admin")
"""Each may what those before it may."""
RANK = {role: place for place, role in enumerate(ROLES)}
MAX_NAME = 60
_FIRST = 7_201_812  # PostgreSQL: one first person; SQLite has only one writer anyway


class UserError(ValueError):
    """What can't be done to a person's access, in words for whoever asked for it."""


@dataclass(frozen=True, slots=True)
class User:
    """A person of the console. `password` is the argon2 hash, None where OIDC alone lets them in."""

    id: int
    name: str
    role: str
    password: str | None
    subject: str | None
    enabled: bool
    created_at: dt.datetime
    last_login_at: dt.datetime | None


_COLUMNS = [users.c[name] for name in User.__slots__]


def folded(name: str) -> str:
    """Return the name as it is compared: without case, width and outer blanks."""
    return unicodedata.normalize("NFKC", name).strip().casefold()[:100]


def checked_name(name: str) -> str:
    """Return a name that may be given to somebody. Raises UserError."""
    plain = unicodedata.normalize("NFKC", name).strip()
    if not plain or len(plain) > MAX_NAME or one_line(plain, MAX_NAME + 1) != plain:
        raise UserError(tr(f"名字要写 1 到 {MAX_NAME} 个字，不含控制字符", f"A name has 1 to {MAX_NAME} characters, none of them control characters"))
    return plain


def checked_role(role: str) -> str:
    """Return the role. Raises UserError for one that there is not."""
    if role not in RANK:
        raise UserError(tr(f"没有这种角色：{one_line(role, 40)}。可用：{'、'.join(ROLES)}", f"No such role: {one_line(role, 40)}. There are: {', '.join(ROLES)}"))
    return role


def add(
    connection: Connection, name: str, role: str, *, password: str | None, now: dt.datetime, subject: str | None = None
) -> User:
    """Add a person; `password` is a hash already. Raises UserError where the name is taken or unfit."""
    plain = checked_name(name)
    checked_role(role)
    values = {
        "name": plain, "folded": folded(plain), "role": role, "password": password, "subject": subject, "enabled": True, "created_at": now,
        "changed_at": now,
    }
    # Two people may do it at once: the index lets one row in.
    made = connection.execute(insert_into(connection, users).values(values).on_conflict_do_nothing().returning(users.c.id)).scalar()
    if made is None:
        raise UserError(tr(f"已经有人叫 {plain}", f"There is a {plain} already"))
    return by_id(connection, int(made))


def add_first(connection: Connection, name: str, *, password: str, now: dt.datetime) -> User:
    """Add the first person, an administrator. Raises UserError where there is anybody already, however many try at once."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_FIRST)))
    if not is_empty(connection):
        raise UserError(tr("已经有用户了", "There is somebody already"))
    return add(connection, name, "admin", password=password, now=now)


def find(connection: Connection, name: str) -> User | None:
    """Return the person of that name, whatever its case."""
    return _one(connection, users.c.folded == folded(name))


def by_subject(connection: Connection, subject: str) -> User | None:
    """Return the person whom an OIDC provider knows by this issuer and subject."""
    return _one(connection, users.c.subject == subject)


def by_id(connection: Connection, number: int) -> User:
    """Return a person. Raises UserError for an unknown number."""
    found = _one(connection, users.c.id == number) if 0 < number < 2**31 else None
    if found is None:
        raise UserError(tr("没有这个人", "No such person"))
    return found


def named(connection: Connection, name: str) -> User:
    """Return the person of that name. Raises UserError where there is none."""
    found = find(connection, name)
    if found is None:
        raise UserError(tr(f"没有人叫 {one_line(name, 60)}。见 vocwatch user list", f"Nobody is called {one_line(name, 60)}. See vocwatch user list"))
    return found


def _one(connection: Connection, which: Any) -> User | None:
    row = connection.execute(sa.select(*_COLUMNS).where(which)).first()
    return User(*row) if row else None


def everybody(connection: Connection) -> list[User]:
    """Return all people, by name."""
    return [User(*row) for row in connection.execute(sa.select(*_COLUMNS).order_by(users.c.folded))]


def is_empty(connection: Connection) -> bool:
    """Whether nobody was ever added."""
    return connection.execute(sa.select(users.c.id).limit(1)).first() is None


def set_password(connection: Connection, user: User, password: str, now: dt.datetime, *, keep: str = "") -> None:
    """Give a person another password (a hash); every login of theirs ends, but for the one whose digest is `keep`."""
    _change(connection, user, now, password=password)
    _end(connection, user.id, keep)


def set_role(connection: Connection, user: User, role: str, now: dt.datetime) -> None:
    """Give a person another role. Raises UserError where nobody would be left to administrate."""
    if checked_role(role) != "admin":
        _another_admin(connection, user)
    _change(connection, user, now, role=role)


def set_enabled(connection: Connection, user: User, enabled: bool, now: dt.datetime) -> None:
    """Let a person in again, or shut them out at once: logins end, and tokens stop working with their person."""
    if not enabled:
        _another_admin(connection, user)
        _end(connection, user.id, "")
    _change(connection, user, now, enabled=enabled)


def set_subject(connection: Connection, user: User, subject: str | None, now: dt.datetime) -> None:
    """Tie a person to whom an OIDC provider knows."""
    _change(connection, user, now, subject=subject)


def logged_in(connection: Connection, user: User, now: dt.datetime) -> None:
    """Note when a person came."""
    connection.execute(users.update().where(users.c.id == user.id).values(last_login_at=now))


def _change(connection: Connection, user: User, now: dt.datetime, **values: Any) -> None:
    connection.execute(users.update().where(users.c.id == user.id).values(changed_at=now, **values))


def _end(connection: Connection, user_id: int, keep: str) -> None:
    connection.execute(logins.delete().where(logins.c.user_id == user_id, logins.c.digest != keep))


def _another_admin(connection: Connection, user: User) -> None:
    """Refuse what would leave the console without an administrator."""
    u = users.c
    query = sa.select(u.id).where(u.role == "admin", u.enabled, u.id != user.id).with_for_update().limit(1)
    if user.role == "admin" and user.enabled and connection.execute(query).first() is None:
        raise UserError(tr(f"{user.name} 是唯一的管理员，先让别人也当管理员", f"{user.name} is the only administrator: make somebody else one first"))


def has_tokens(connection: Connection, user: User, now: dt.datetime) -> bool:
    """Whether a token of this person is good."""
    t = tokens.c
    query = sa.select(t.id).where(t.user_id == user.id, t.revoked_at.is_(None), t.expires_at > now).limit(1)
    return connection.execute(query).first() is not None
