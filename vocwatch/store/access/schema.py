"""The tables of access. No secret is stored: passwords as argon2, keys of logins and tokens as SHA-256."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Column, Table

from vocwatch.store.columns import BigId, UtcTime, metadata

users = Table(
    "users", metadata,
    Column("id", BigId, primary_key=True),
    Column("name", sa.String(100), nullable=False, comment="as the person writes it"),
    Column("folded", sa.String(100), nullable=False, unique=True, comment="the name without case and width: what logging in looks for"),
    Column("role", sa.String(8), nullable=False, comment="reader, analyst, editor, admin"),
    Column("password", sa.String(200), comment="argon2id; null: logs in by OIDC only"),
    Column("subject", sa.String(400), unique=True, comment="issuer and subject at the OIDC provider"),
    Column("enabled", sa.Boolean, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("changed_at", UtcTime, nullable=False, comment="when name, role, password or state were last changed"),
    Column("last_login_at", UtcTime),
    comment="People of the console",
)

logins = Table(
    "logins", metadata,
    Column("digest", sa.String(64), primary_key=True, comment="SHA-256 of the cookie's value"),
    Column("user_id", BigId, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("via", sa.String(8), nullable=False, comment="password, oidc, setup"),
    Column("created_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False, index=True, comment="last use, to within minutes"),
    comment="Who is logged in; a row ends by logging out, by idleness, by age, and when the person is changed",
)

attempts = Table(
    "login_attempts", metadata,
    Column("key", sa.String(72), primary_key=True, comment="keyed hash of a name, an address, both, or a known browser"),
    Column("count", sa.Integer, nullable=False, comment="attempts without success"),
    Column("last_at", UtcTime, nullable=False, index=True),
    Column("blocked_until", UtcTime),
    comment="Failed logins of the last hour: what slows guessing down",
)

tokens = Table(
    "api_tokens", metadata,
    Column("id", BigId, primary_key=True),
    Column("label", sa.String(100), nullable=False, comment="what it is for"),
    Column("digest", sa.String(64), nullable=False, unique=True, comment="SHA-256 of the token"),
    Column("user_id", BigId, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True, comment="whose it is"),
    Column("role", sa.String(8), nullable=False, comment="what it may at most; never more than its person"),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("used_at", UtcTime, comment="last use, to within an hour"),
    Column("revoked_at", UtcTime),
    comment="Keys of programs that use the JSON API",
)

access_log = Table(
    "access_log", metadata,
    Column("id", BigId, primary_key=True),
    Column("at", UtcTime, nullable=False, index=True),
    Column("who", sa.String(100), nullable=False),
    Column("via", sa.String(120), nullable=False, comment="password, oidc, setup, cli, token and its label"),
    Column("what", sa.String(40), nullable=False, comment="login, view, export, change …"),
    Column("subject", sa.String(400), nullable=False, comment="of what: an id, a question, a name; never a text"),
    Column("previous", sa.String(64), nullable=False, comment="mac of the row before; empty for the first"),
    Column("mac", sa.String(64), nullable=False, comment="HMAC of this row and `previous`: a change anywhere breaks the chain"),
    comment="Who saw sensitive rows, exported, changed, logged in: rows are only ever added",
)
