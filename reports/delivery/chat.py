"""Handing texts over to group chats and push services.

企业微信, 钉钉 and 飞书 answer HTTP 200 also to what they refuse, and put the reason into the body, which Apprise does
not read: a message over the limit would count as sent. So these three are spoken to here; everything else goes
through Apprise. Messages are plain text: nothing that a stranger wrote can become a link, a mention or markup.
"""

from __future__ import annotations

import base64
import hmac
import logging
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from reports.delivery.faults import Failure, without
from vocwatch.lang import tr
from vocwatch.retry_after import asked_wait
from vocwatch.settings import Channel, Settings
from vocwatch.store.buckets import Limit

TIMEOUTS = (10, 20)  # seconds to connect, to answer
BUSY_SECONDS = 60.0
LONGEST_SECONDS = 3600.0  # whatever an answer asks for: alerts live for a day
BAN_SECONDS = 660.0  # 钉钉 shuts a robot out for ten minutes
_DIRECT = {"wecombot": "wecom", "dingtalk": "dingtalk", "feishu": "feishu", "lark": "feishu"}
_STATUS = re.compile(r"error=(\d{3})|(?:status|failed)\D{0,12}\b(\d{3})\b")


@dataclass(frozen=True)
class Bearing:
    """What a kind of channel bears: messages a minute, bytes a message."""

    per_minute: int
    max_bytes: int


# As published by the platforms. 企业微信: 20 a minute, 2,048 bytes of text (4,096 of Markdown, which we don't use).
# 钉钉: 20 a minute, else shut out for ten minutes; 20,000 bytes a request. 飞书: 100 a minute, 20 KB a request.
BEARINGS = {
    "wecom": Bearing(20, 2000), "dingtalk": Bearing(20, 18_000), "feishu": Bearing(100, 18_000),
    "apprise": Bearing(20, 3000),
}
# Answers in the body: how long to stay away. What is not listed is a fault of the setup (key, signature, keyword).
LIMITED = {
    "wecom": {45009: BUSY_SECONDS, 45033: BUSY_SECONDS, -1: BUSY_SECONDS},
    "dingtalk": {130101: BAN_SECONDS, 130102: BAN_SECONDS, 410100: BAN_SECONDS, 90030: 3600.0, -1: BUSY_SECONDS},
    "feishu": {11232: BUSY_SECONDS, 11233: BUSY_SECONDS, 9499: BUSY_SECONDS},
}


class Chat:
    """One configured channel."""

    def __init__(self, settings: Settings, channel: Channel):
        self.channel = channel
        self._clock = settings.clock
        self._url = settings.env.variables.get(channel.url_env, "").strip()
        self._secret = settings.env.variables.get(channel.secret_env, "") if channel.secret_env else ""
        self._bearing = BEARINGS[channel.kind]

    @property
    def limit(self) -> Limit:
        """How much it bears."""
        return Limit(self.channel.per_minute or self._bearing.per_minute, self.channel.per_day)

    @property
    def max_bytes(self) -> int:
        """The longest message, in bytes of UTF-8."""
        return self.channel.max_bytes or self._bearing.max_bytes

    @property
    def bucket(self) -> str:
        """The name of its token bucket: channels over one address share one."""
        return "chat-" + hmac.digest(b"bucket", self._url.encode(), "sha256").hex()[:24] if self._url else self.channel.name

    def check(self) -> None:
        """Raises Failure where the address is missing or can't be used."""
        if not self._url:
            raise Failure("config", tr(
                f"环境变量 {self.channel.url_env} 没有设置（渠道 {self.channel.name}）",
                f"{self.channel.url_env} is not set (channel {self.channel.name})",
            ))
        try:
            scheme = urlsplit(self._url).scheme.lower()
        except ValueError:
            scheme = ""
        if self.channel.kind != "apprise" and scheme not in ("http", "https"):
            raise Failure("config", tr(
                f"{self.channel.url_env} 应是机器人的 webhook 网址（https://…）", f"{self.channel.url_env} must be the robot's webhook address (https://…)",
            ))
        if self.channel.kind == "apprise" and scheme in _DIRECT:
            raise Failure("config", tr(
                f"{scheme} 请写成 kind: {_DIRECT[scheme]}，并填 webhook 网址",
                f"for {scheme} write kind: {_DIRECT[scheme]} and give the webhook address",
            ))

    def send(self, text: str) -> None:
        """Hand one text over. Raises Failure."""
        self.check()
        if self.channel.kind == "apprise":
            self._by_apprise(text)
        else:
            self._by_webhook(text)

    def _by_webhook(self, text: str) -> None:
        kind = self.channel.kind
        payload: dict[str, Any]
        parameters: dict[str, str] = {}
        if kind == "feishu":
            payload = {"msg_type": "text", "content": {"text": text}, **self._feishu_sign()}
        else:
            payload = {"msgtype": "text", "text": {"content": text}}
            parameters = self._dingtalk_sign() if kind == "dingtalk" else {}
        answer = self._post(payload, parameters)
        code = answer.get("errcode", answer.get("code", answer.get("StatusCode")))
        if code == 0:
            return
        words = self._clean(f"{code} {answer.get('errmsg', answer.get('msg', ''))}")
        wait = LIMITED[kind].get(code) if isinstance(code, int) else None
        if wait is not None:
            raise Failure("limited", words, wait=wait)
        raise Failure("config", words)

    def _post(self, payload: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, Any]:
        import requests  # slow to import, and needed by few commands

        # The address holds the key, and urllib3 would log it; no error is put into words by itself for the same reason.
        logging.getLogger("urllib3").setLevel(logging.INFO)
        try:
            answer = requests.post(
                self._url, json=payload, params=dict(parameters), timeout=TIMEOUTS, allow_redirects=False
            )
        except requests.exceptions.SSLError as error:
            raise Failure("tls", self._clean(f"证书不可信：{self._host()}（{_reason(error)}）")) from None
        except requests.exceptions.ConnectTimeout:
            raise Failure("network", tr(f"连不上 {self._host()}：超时", f"cannot reach {self._host()}: timeout")) from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise Failure("network", tr(f"连不上 {self._host()}", f"cannot reach {self._host()}")) from None
            raise Failure("unknown", tr(f"{self._host()} 没有答复就断开了", f"{self._host()} hung up without an answer"), unknown=True) from None
        except requests.exceptions.Timeout:
            raise Failure("unknown", tr(f"{self._host()} 没有答复", f"{self._host()} did not answer"), unknown=True) from None
        except requests.exceptions.RequestException as error:
            raise Failure("config", tr(f"{self.channel.url_env} 不是能用的网址", f"{self.channel.url_env} is no usable address") + f"（{type(error).__name__}）") from None
        return self._body(answer)

    def _body(self, answer: Any) -> dict[str, Any]:
        status = answer.status_code
        asked = asked_wait(answer.headers.get("Retry-After"), self._clock.now())
        asked = None if asked is None else min(asked, LONGEST_SECONDS)
        if status == 429:
            raise Failure("limited", f"HTTP {status}", wait=BUSY_SECONDS if asked is None else asked)
        if status >= 500:
            raise Failure("busy", f"HTTP {status}", wait=asked or 0.0)
        if status != 200:
            raise Failure("config", f"HTTP {status}")
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise Failure("busy", tr("答复看不懂", "an answer that can't be read"))
        return found

    def _by_apprise(self, text: str) -> None:
        with _heard("apprise") as lines:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # it imports what later Pythons drop, and has a substitute
                import apprise  # slow to import, and needed by few commands

                plugin = apprise.Apprise.instantiate(self._url, suppress_exceptions=True)
            if plugin is None:
                raise Failure("config", tr(f"{self.channel.url_env} 不是 Apprise 认得的网址", f"{self.channel.url_env} is no address that Apprise knows"))
            sent = plugin.notify(body=text, title="", body_format=apprise.NotifyFormat.TEXT)
        if sent:
            return
        words = self._clean(" ".join(lines)) or tr("没有说明原因", "no reason given")
        found = _STATUS.search(words)
        status = int(found[1] or found[2]) if found else 0
        if status == 429:
            raise Failure("limited", words, wait=BUSY_SECONDS)
        if 400 <= status < 500:
            raise Failure("config", words)
        raise Failure("busy", words, unknown="onnection error" in words)

    def _dingtalk_sign(self) -> dict[str, str]:
        if not self._secret:
            return {}
        stamp = str(round(self._clock.now().timestamp() * 1000))
        digest = hmac.digest(self._secret.encode(), f"{stamp}\n{self._secret}".encode(), "sha256")
        return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}

    def _feishu_sign(self) -> dict[str, str]:
        if not self._secret:
            return {}
        stamp = str(round(self._clock.now().timestamp()))
        digest = hmac.digest(f"{stamp}\n{self._secret}".encode(), b"", "sha256")
        return {"timestamp": stamp, "sign": base64.b64encode(digest).decode()}

    def _host(self) -> str:
        try:
            return urlsplit(self._url).hostname or "?"
        except ValueError:
            return "?"

    def _clean(self, words: str) -> str:
        """Strike the key out: the address, and every longer part of it."""
        parts = [part for part in re.split(r"[^\w-]+", self._url) if len(part) >= 8 and part not in self._host()]
        return without(words, [self._url, self._secret, *parts])


def _never_connected(error: Exception) -> bool:
    """Whether the connection was never made, so that nothing can have arrived."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, (NewConnectionError, ConnectTimeoutError))


def _reason(error: Exception) -> str:
    found = re.search(r"certificate verify failed: ([^(\"']+)", str(error))
    return found[1].strip() if found else "TLS"


@contextmanager
def _heard(name: str) -> Iterator[list[str]]:
    """Collect what a library logs as a warning; it goes nowhere else, for it may hold an address with its key."""
    lines: list[str] = []
    logger = logging.getLogger(name)
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    before, level = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield lines
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
        logger.setLevel(level)


def pieces(texts: list[str], max_bytes: int) -> list[tuple[str, list[int]]]:
    """Pack texts into as few messages as fit; returns each with the places of the texts in it.

    Texts keep their order; one that is too long by itself is cut into several messages, between lines where that
    is possible, and never within a character.
    """
    made: list[tuple[str, list[int]]] = []
    for place, text in enumerate(texts):
        if len(text.encode()) > max_bytes:
            parts = cut(text, max_bytes - 12)
            made += [(f"({number}/{len(parts)})\n{part}", [place]) for number, part in enumerate(parts, 1)]
            continue
        if made and made[-1][1][-1] != place:
            joined = f"{made[-1][0]}\n\n{text}"
            if len(joined.encode()) <= max_bytes and not made[-1][0].startswith("("):
                made[-1] = (joined, [*made[-1][1], place])
                continue
        made.append((text, [place]))
    return made


def cut(text: str, max_bytes: int) -> list[str]:
    """Cut a text into parts of at most `max_bytes` of UTF-8."""
    parts: list[str] = []
    rest = text.encode()
    while len(rest) > max_bytes:
        end = max_bytes
        while rest[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        line = rest.rfind(b"\n", max_bytes // 2, end)
        end = line if line > 0 else end
        parts.append(rest[:end].decode())
        rest = rest[end:].lstrip(b"\n")
    return [*parts, rest.decode()]
