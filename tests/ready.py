"""Crawl workers (and demos) that are forked from a process with everything imported, for tests that start many.

Half of a short crawl is Python reading its modules. A worker from here is a process, a group and a reactor of its own as
any other; only its imports were done before. Tests about how workers start and die take the real start.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

MODULES = ("crawlers.worker", "crawlers.fetchone")
CLI = "vocwatch.cli.app"  # and all that a demo needs
_NEEDED = ("vocwatch.cli.demo", "reports.run", "sentiment.run", "vocwatch.store")
_FDS = 2  # the worker's standard input and standard error
_ROOM = 1 << 18


class Nursery:
    """The process that forks them."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())], pass_fds=[theirs.fileno()], start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
        )
        theirs.close()
        self._lock = threading.Lock()

    def ask(self, request: Mapping[str, Any], fds: Sequence[int] = ()) -> int:
        """Ask for a worker (its process id), or for how one ended."""
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(request).encode()], list(fds))
            return int(self._socket.recv(64))

    def close(self) -> None:
        """Let the process end."""
        self._socket.close()
        self._process.wait(30)


class Worker:
    """A worker as `crawlers.runner` uses a process. Nobody reaps it before `wait`."""

    def __init__(self, nursery: Nursery, command: Sequence[str], cwd: object, env: Mapping[str, str]):
        inside, feed = os.pipe()
        listen, told = os.pipe()
        request = {"module": command[0], "arguments": list(command[1:]), "cwd": str(cwd), "env": dict(env)}
        self._nursery, self.returncode = nursery, None
        self.pid = nursery.ask(request, (inside, told))
        os.close(inside)
        os.close(told)
        self.stdin: IO[bytes] = os.fdopen(feed, "wb")
        self.stderr: IO[bytes] = os.fdopen(listen, "rb")

    def wait(self) -> int:
        """Reap it."""
        if self.returncode is None:
            self.returncode = self._nursery.ask({"ended": self.pid})
        return self.returncode


class Processes:
    """Stands in for the module `subprocess` in `crawlers.runner`."""

    PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired

    def __init__(self, nursery: Nursery):
        self._nursery = nursery

    def Popen(self, command: Sequence[str], **how: Any) -> Any:
        """Fork a worker; start anything else as always."""
        if command[1] != "-m" or command[2] not in MODULES:
            return subprocess.Popen(command, **how)
        return Worker(self._nursery, command[2:], how["cwd"], how["env"])


@contextlib.contextmanager
def nursery() -> Iterator[Nursery]:
    """Start the process; it ends with the block, or with this process."""
    made = Nursery()
    try:
        yield made
    finally:
        made.close()


def main(number: int) -> None:
    """Fork a worker for each request, and tell how they ended."""
    ready = {name: importlib.import_module(name).main for name in MODULES}
    ready[CLI] = importlib.import_module(CLI).run
    for name in _NEEDED:
        importlib.import_module(name)
    gc.freeze()
    with socket.socket(fileno=number) as asked:
        while True:
            raw, fds, _, _ = socket.recv_fds(asked, _ROOM, _FDS)
            if not raw:
                return
            request = json.loads(raw)
            if "ended" in request:
                _, status = os.waitpid(request["ended"], 0)
                answer = os.waitstatus_to_exitcode(status)
            else:
                answer = os.fork()
                if answer == 0:
                    asked.close()
                    _work(ready[request["module"]], request, fds)
            for fd in fds:
                os.close(fd)
            asked.send(str(answer).encode())


def _work(run: Any, request: dict[str, Any], fds: Sequence[int]) -> None:
    """Become the worker."""
    os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    silent = os.open(os.devnull, os.O_WRONLY)
    for fd, place in ((fds[0], 0), (silent, 1), (fds[1], 2)):
        os.dup2(fd, place)
        os.close(fd)
    code = 1
    try:
        code = run(request["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
