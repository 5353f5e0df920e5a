"""A Chromium process of our own, spoken to over a pipe in the Chrome DevTools Protocol (CDP).

A pipe, not a port: nobody else can take part, and the browser ends when the worker does, however that ends. The
process leads a group of its own, so that everything it started can be killed at once. Without Playwright's driver
between, a page costs half the processor time (`benchmarks/crawl/browser.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

from vocwatch.plain import one_line

Message = dict[str, Any]
Handler = Callable[[Message], None]

LAUNCH_SECONDS = 30.0
ANSWER_SECONDS = 10.0
_MAX_MESSAGE = 256 << 20  # bytes; a page can make the browser say more than a machine has memory for
_SAID, _WORDS = "said", 300  # the file of the browser's standard error, and how much of it is told
_SHORT_PATH = 36  # bytes; what is left of a socket's name after our folder's and the browser's own
_MEMORY = 2 << 30  # bytes of private memory for each process: a page that eats more than this crashes alone


class BrowserGone(Exception):
    """The browser's process has ended or was killed; nothing more will be answered."""


class CdpError(Exception):
    """The browser refused a command; the message is its own."""


class Chromium:
    """One running browser. `commands` and events carry the session they belong to; "" is the browser itself."""

    def __init__(self, pid: int, profile: Path):
        self.pid = pid  # that of its process group too
        self._profile = profile
        self._pending: dict[int, asyncio.Future[Message]] = {}
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._last = 0
        self._writer: asyncio.WriteTransport | None = None
        self._reader: asyncio.ReadTransport | None = None
        self.gone = asyncio.Event()

    @classmethod
    async def launch(cls, path: str, arguments: Sequence[str], variables: Mapping[str, str]) -> Chromium:
        """Start a browser in an environment of `variables`. Raises BrowserGone, CdpError, OSError or TimeoutError."""
        ends = [_moved_up(end) for pipe in (os.pipe(), os.pipe()) for end in pipe]
        down_read, down_write, up_read, up_write = ends
        profile = _new_profile()
        command = [path, *arguments, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        try:
            pid = _spawn(command, {**variables, "TMPDIR": str(profile)}, down_read, up_write, profile / _SAID)
        except OSError:
            os.close(down_write)
            os.close(up_read)
            shutil.rmtree(profile, ignore_errors=True)
            raise
        finally:
            os.close(down_read)
            os.close(up_write)
        browser = cls(pid, profile)
        try:
            await browser._connect(down_write, up_read)
            await browser.send("Browser.getVersion", seconds=LAUNCH_SECONDS)
        except BrowserGone as error:
            said = browser.last_words()
            await browser.kill()
            raise BrowserGone(said or str(error)) from None
        except BaseException:
            await browser.kill()
            raise
        return browser

    def last_words(self) -> str:
        """What the browser last wrote of itself, on one line; "" for nothing."""
        with contextlib.suppress(OSError):
            said = (self._profile / _SAID).read_text(encoding="utf-8", errors="replace")
            return one_line(said[-_WORDS:], _WORDS)
        return ""

    async def _connect(self, write: int, read: int) -> None:
        loop = asyncio.get_running_loop()
        self._reader, _ = await loop.connect_read_pipe(lambda: _Lines(self), os.fdopen(read, "rb", 0))
        writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(write, "wb", 0))
        self._writer = writer

    def on(self, session: str, method: str, handler: Handler) -> None:
        """Call `handler` with the parameters of each such event of a session; it replaces an earlier one."""
        self._handlers[session, method] = handler

    def forget(self, session: str) -> None:
        """Call nobody for this session any more."""
        for key in [key for key in self._handlers if key[0] == session]:
            del self._handlers[key]

    async def send(
        self, method: str, parameters: Message | None = None, session: str = "", seconds: float = ANSWER_SECONDS
    ) -> Message:
        """Send a command and return its result. Raises CdpError, BrowserGone, or TimeoutError after `seconds`."""
        answer = self.post(method, parameters, session)
        try:
            async with asyncio.timeout(seconds):
                return await answer
        finally:
            answer.cancel()

    def post(self, method: str, parameters: Message | None = None, session: str = "") -> asyncio.Future[Message]:
        """Send a command now and return the future of its result. Raises BrowserGone."""
        if self.gone.is_set() or self._writer is None:
            raise BrowserGone("浏览器进程已经结束")
        self._last += 1
        message: Message = {"id": self._last, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(_seen)
        self._pending[self._last] = answer
        self._writer.write(orjson.dumps(message) + b"\0")
        return answer

    def received(self, raw: bytes) -> None:
        """Take one message from the browser."""
        message = orjson.loads(raw)
        if "id" in message:
            answer = self._pending.pop(message["id"], None)
            if answer is not None and not answer.done():
                if "error" in message:
                    answer.set_exception(CdpError(str(message["error"].get("message", ""))[:300]))
                else:
                    answer.set_result(message["result"])
            return
        handler = self._handlers.get((message.get("sessionId", ""), message["method"]))
        if handler is not None:
            handler(message["params"])

    def ended(self) -> None:
        """The pipe is closed: the browser has ended."""
        if self.gone.is_set():
            return
        self.gone.set()
        waiting, self._pending = self._pending, {}
        for answer in waiting.values():
            if not answer.done():
                answer.set_exception(BrowserGone("浏览器进程意外结束"))

    async def kill(self) -> None:
        """Kill the browser with everything it started, and remove its profile."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self.ended()
        for transport in (self._writer, self._reader):
            if transport is not None:
                transport.close()
        with contextlib.suppress(ChildProcessError, TimeoutError):
            async with asyncio.timeout(ANSWER_SECONDS):
                while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                    await asyncio.sleep(0.01)
        await asyncio.to_thread(shutil.rmtree, self._profile, ignore_errors=True)


class _Lines(asyncio.Protocol):
    """Cuts what comes through the pipe into messages; they end with a zero byte."""

    def __init__(self, browser: Chromium):
        self._browser = browser
        self._parts: list[bytes] = []
        self._size = 0
        self._transport: asyncio.ReadTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.ReadTransport, transport)

    def data_received(self, data: bytes) -> None:
        *whole, rest = data.split(b"\0")
        for part in whole:
            self._browser.received(b"".join((*self._parts, part)))
            self._parts.clear()
            self._size = 0
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        if self._size > _MAX_MESSAGE and self._transport is not None:
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._browser.ended()


def _new_profile() -> Path:
    """Make a folder for all that a browser writes. Its path is short: the name of a socket in it may have 107 bytes."""
    usual = tempfile.gettempdir()
    place = usual if len(os.fsencode(usual)) <= _SHORT_PATH else "/tmp"  # noqa: S108 - made by mkdtemp, with its mode
    return Path(tempfile.mkdtemp(prefix="vocwatch-browser-", dir=place))


def _moved_up(end: int) -> int:
    """Return the descriptor under a number above 9: the browser wants its own as 3 and 4."""
    moved = fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(end)
    return moved


def _spawn(command: Sequence[str], variables: Mapping[str, str], read: int, write: int, said: Path) -> int:
    """Start a program that reads from descriptor 3 and writes to 4, as the leader of a session. Raises OSError.

    Its standard error goes to the file `said`.
    """
    pid = os.posix_spawn(
        command[0], list(command), variables, setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(said), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, read, 3), (os.POSIX_SPAWN_DUP2, write, 4),
        ],
    )
    if hasattr(resource, "prlimit"):  # Linux; what it starts later inherits it
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    return pid


def _seen(answer: asyncio.Future[Message]) -> None:
    if not answer.cancelled():
        answer.exception()  # an answer that nobody waits for any more is no news
