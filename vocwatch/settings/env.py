"""Every environment variable the project reads, in one place. Secrets come from here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Smtp:
    """Mail server and identity. `host` empty means that mail is not configured."""

    host: str = ""
    port: int = 587
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    security: str = "starttls"  # starttls | tls | none
    dkim_key: str = field(default="", repr=False)  # PEM; empty where the relay signs
    dkim_selector: str = "vocwatch"
    dkim_domain: str = ""  # the sender's own, if empty


@dataclass(frozen=True)
class Environment:
    """What the process environment says; `home` is the checkout or working folder that relative paths hang on."""

    home: Path
    config: Path
    data: Path
    database_url: str
    secret: str = field(repr=False)
    lang: str
    now: str
    chromium: str
    smtp: Smtp
    console_url: str
    llm_key: str = field(repr=False)
    oidc_secret: str = field(repr=False)
    heartbeat_url: str = field(repr=False)
    heartbeat_file: str
    variables: Mapping[str, str] = field(repr=False)


def checkout_root() -> Path:
    """Return the folder that holds this checkout's packages."""
    return Path(__file__).resolve().parents[2]


def read_environment(variables: Mapping[str, str] | None = None) -> Environment:
    """Read the environment (or the mapping given). Numbers that are no numbers raise ValueError."""
    env = dict(os.environ if variables is None else variables)
    home = Path(env.get("VOCWATCH_HOME") or checkout_root()).resolve()
    data = Path(env.get("VOCWATCH_DATA") or home / "var").resolve()
    return Environment(
        home=home,
        config=Path(env.get("VOCWATCH_CONFIG") or home / "config").resolve(),
        data=data,
        database_url=env.get("VOCWATCH_DATABASE_URL") or f"sqlite:///{data / 'vocwatch.sqlite3'}",
        secret=env.get("VOCWATCH_SECRET", ""),
        lang=env.get("VOCWATCH_LANG") or "zh",
        now=env.get("VOCWATCH_NOW", ""),
        chromium=env.get("VOCWATCH_CHROMIUM", ""),
        smtp=Smtp(
            host=env.get("VOCWATCH_SMTP_HOST", ""),
            port=int(env.get("VOCWATCH_SMTP_PORT") or 587),
            user=env.get("VOCWATCH_SMTP_USER", ""),
            password=env.get("VOCWATCH_SMTP_PASSWORD", ""),
            sender=env.get("VOCWATCH_SMTP_FROM", ""),
            security=env.get("VOCWATCH_SMTP_SECURITY") or "starttls",
            dkim_key=env.get("VOCWATCH_DKIM_KEY", ""),
            dkim_selector=env.get("VOCWATCH_DKIM_SELECTOR") or "vocwatch",
            dkim_domain=env.get("VOCWATCH_DKIM_DOMAIN", ""),
        ),
        console_url=env.get("VOCWATCH_CONSOLE_URL", "").rstrip("/"),
        llm_key=env.get("VOCWATCH_LLM_KEY", ""),
        oidc_secret=env.get("VOCWATCH_OIDC_SECRET", ""),
        heartbeat_url=env.get("VOCWATCH_HEARTBEAT_URL", ""),
        heartbeat_file=env.get("VOCWATCH_HEARTBEAT_FILE", ""),
        variables=env,
    )
