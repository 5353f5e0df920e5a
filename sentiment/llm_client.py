"""The one place of the judgement that speaks to the network: chat completions of an OpenAI-compatible endpoint.

Switched on by `llm.enabled`, never used otherwise. Certificates are verified, redirects are not followed, the
environment's proxies and passwords are not used, an answer is bounded in time and size.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
from types import TracebackType
from typing import Any, Self

from vocwatch.settings.app import Llm

MAX_BYTES = 256 * 1024
_FINAL = frozenset({401, 403, 404, 405})  # the same question would be refused again


class LlmFailure(Exception):
    """A request without a usable answer; `final` where further ones would fail the same way."""

    def __init__(self, reason: str, final: bool = False):
        super().__init__(reason)
        self.reason, self.final = reason, final


class ChatClient:
    """Asks one endpoint, one question at a time. Use it as a context manager."""

    def __init__(self, llm: Llm, key: str):
        """Raises LlmFailure where the `llm` extra is not installed."""
        try:
            self._httpx = importlib.import_module("httpx")
        except ImportError:
            raise LlmFailure("not-installed", final=True) from None
        self._llm = llm
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._runner = asyncio.Runner()  # only with an event loop a slow answer can be cut off at any byte
        self._client: Any = None

    def __enter__(self) -> Self:
        self._client = self._httpx.AsyncClient(
            verify=_trusted(), follow_redirects=False, trust_env=False, timeout=self._llm.timeout_seconds,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._runner.run(self._client.aclose())
        finally:
            self._runner.close()

    def complete(self, body: dict[str, Any]) -> str:
        """Return what the model wrote. Raises LlmFailure, and nothing else for anything an endpoint does."""
        try:
            raw = self._runner.run(self._post(json.dumps(body).encode()))
        except (TimeoutError, self._httpx.TimeoutException):
            raise LlmFailure("timeout") from None
        except LlmFailure:
            raise
        except Exception as error:  # names, certificates, broken HTTP, a key that is no header: none may stop us
            raise LlmFailure(f"network-{type(error).__name__}") from None
        return _content(raw)

    async def _post(self, body: bytes) -> bytes:
        url = self._llm.base_url.rstrip("/") + "/chat/completions"
        async with (
            asyncio.timeout(self._llm.timeout_seconds),
            self._client.stream("POST", url, content=body, headers=self._headers) as response,
        ):
            if response.status_code != 200:
                final = response.status_code in _FINAL or 300 <= response.status_code < 400
                raise LlmFailure(f"http-{response.status_code}", final)
            parts = bytearray()
            async for part in response.aiter_raw():
                parts += part
                if len(parts) > MAX_BYTES:
                    raise LlmFailure("too-large")
            return bytes(parts)


def _trusted() -> ssl.SSLContext:
    """The system's authorities (or SSL_CERT_FILE's, for a company's own) together with certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(importlib.import_module("certifi").where())
    return context


def _content(raw: bytes) -> str:
    """Return the text of the first choice; one that calls a tool or was cut off is no answer."""
    try:
        choice = json.loads(raw)["choices"][0]
        message = choice["message"]
        called = message.get("tool_calls") or message.get("function_call")
        content, ended = message.get("content"), choice.get("finish_reason")
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
        raise LlmFailure("format") from None
    if called:
        raise LlmFailure("tools")
    if ended == "length":
        raise LlmFailure("cut-off")
    if not isinstance(content, str):
        raise LlmFailure("format")
    return content
