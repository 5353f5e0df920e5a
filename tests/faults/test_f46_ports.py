"""F46: nothing that collects can be reached from outside: the listening ports are the documented list."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from crawlers.runner import _environment
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Site
from tests.store.kept import tiny_home
from vocwatch.browser import find_browser

# docs/operate: a crawl in a browser listens on loopback, once for each tab (here one) and once for what has none.
DOCUMENTED = {"http": 0, "browser": 2}


@dataclass(frozen=True)
class Listener:
    """A socket that waits for strangers."""

    pid: int
    command: str
    address: str
    port: int


def tree(root: int) -> list[int]:
    """The process and all below it."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _sockets() -> dict[str, tuple[str, int]]:
    """Inode → address of all listening TCP and all bound UDP sockets of this machine."""
    found = {}
    for kind, state in (("tcp", "0A"), ("tcp6", "0A"), ("udp", "07"), ("udp6", "07")):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            parts = line.split()
            host, _, port = parts[1].partition(":")
            if parts[3] == state:
                raw = b"".join(bytes.fromhex(host[i:i + 8])[::-1] for i in range(0, len(host), 8))
                found[parts[9]] = (str(ipaddress.ip_address(raw)), int(port, 16))
    return found


def listeners(root: int) -> list[Listener]:
    """Return what a process tree listens on."""
    sockets, found = _sockets(), []
    for pid in tree(root):
        place = Path("/proc") / str(pid)
        with contextlib.suppress(OSError):  # gone in the meantime
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            for entry in list((place / "fd").iterdir()):
                match = re.fullmatch(r"socket:\[(\d+)\]", _link(entry))
                if match and match.group(1) in sockets:
                    found.append(Listener(pid, command, *sockets[match.group(1)]))
    return found


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""


@dataclass
class Look:
    """What was listened on while sources were being read by a running schedule."""

    found: dict[str, list[Listener]]
    sizes: dict[str, int]


@pytest.fixture(scope="module")
def look(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Look]:
    import shutil

    home = tmp_path_factory.mktemp("ports")
    shutil.copytree(ROOT / "config", home / "config")
    lab, sites = Lab(home), {"http": Site(posts=1)}
    lab.timeout = 60
    if find_browser(lab.settings().env) is not None:
        sites["browser"] = Site(posts=1)
    for name, site in sites.items():
        lab.forum(name, site.url, transport=name, concurrency=1)
    settings = lab.settings(f"sqlite:///{home / 'test.sqlite3'}", now="")
    seen, done = Look({}, {}), {name: threading.Event() for name in sites}
    program = "from vocwatch.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "schedule"], cwd=ROOT, env=_environment(settings, str(home)),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )

    def looking(name: str, site: Site) -> None:
        def rule(path: str) -> Answer | None:
            if path.startswith("/list") and not done[name].is_set():
                seen.found[name], seen.sizes[name] = listeners(process.pid), len(tree(process.pid))
                done[name].set()
            return None

        site.rule = rule

    try:
        for name, site in sites.items():
            looking(name, site)
        for event in done.values():
            event.wait(90)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for site in sites.values():
            site.close()
    yield seen


def test_F46_a_schedule_at_work_listens_nowhere(look: Look) -> None:
    print(f"F46 processes {look.sizes['http']}, listening {look.found['http']}")
    assert look.sizes["http"] >= 2  # the schedule and a worker
    assert len([one for one in look.found["http"] if "--source http" in one.command]) == DOCUMENTED["http"]
    assert not [one for one in look.found["http"] if " schedule" in one.command]


@pytest.mark.browser
def test_F46_a_browser_listens_on_loopback_at_most(look: Look) -> None:
    if "browser" not in look.found:
        pytest.skip("no browser was looked at: there is none, or it did not come that far")
    found = look.found["browser"]
    print(f"F46 processes {look.sizes['browser']}, listening {found}")
    assert look.sizes["browser"] >= 5
    assert all(ipaddress.ip_address(one.address).is_loopback and "--source browser" in one.command for one in found)
    assert len(found) <= DOCUMENTED["browser"]
    assert not [one for one in found if "chrom" in one.command.partition(" ")[0]]  # spoken to over a pipe


def test_F46_the_look_would_see_an_open_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert server.getsockname()[1] in {one.port for one in listeners(os.getpid())}


def test_F46_the_list_is_documented() -> None:
    for name, word in (("operate.md", "Listening ports"), ("operate.zh-CN.md", "监听端口")):
        assert word in (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_F46_a_console_listens_on_one_loopback_port_and_knows_no_default_password(tmp_path: Path) -> None:
    home = tiny_home(tmp_path / "home")
    variables = {"VOCWATCH_HOME": str(home), "VOCWATCH_SECRET": "test", "PATH": os.environ.get("PATH", "")}
    process = subprocess.Popen(
        [sys.executable, "-c", "from vocwatch.cli import main; main()", "serve", "--port", "0"], cwd=ROOT, env=variables,
        stderr=subprocess.PIPE, text=True,
    )
    assert process.stderr is not None
    try:
        address = next(found[0] for line in process.stderr if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
            assert client.get("/healthz").status_code == 200
            found = listeners(process.pid)
            refused = []
            for name, password in (("admin", "admin"), ("admin", "vocwatch"), ("root", ""), ("vocwatch", "vocwatch"), ("admin", "password")):
                form = client.get("/login").text
                token = re.search(r'name="_csrf" value="([^"]+)"', form)
                assert token
                refused.append(client.post("/login", data={"_csrf": token[1], "name": name, "password": password}).status_code)
            assert client.get("/").status_code == 303 and client.get("/users").status_code == 303
            assert client.get("/setup").status_code == 403  # without the link that the terminal shows
        print(f"F46 console: listening {[(one.address, one.port) for one in found]}, default passwords refused {len(refused)}")
        assert [(one.address, f"http://127.0.0.1:{one.port}") for one in found] == [("127.0.0.1", address)]
        assert refused == [401] * 5
    finally:
        process.terminate()
        process.communicate(timeout=60)
