"""F43: nothing private is ever connected to, however the address is written and whoever it comes from."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterator

import pytest

from crawlers.hosts import PIN_SECONDS, Address, Denied, HostRules, is_public
from crawlers.runner import CrawlResult
from tests.crawlers.site import Answer, Canary
from tests.faults.kit import Watched, listing
from vocwatch.models import SourceStatus

PUBLIC = "93.184.216.34"
INNER_HOSTS = (
    "127.0.0.1", "127.0.0.1.", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0.0.0.0", "localhost",
    "LOCALHOST.", "１２７.0.0.1", "127。0。0。1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "user@127.0.0.1", "good.test@127.0.0.1", "127.0.0.1%2f@good.test",
    "inner.test", "mixed.test", "metadata.test", "v6.test",
)
ELSEWHERE = (
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/latest/meta-data/", "http://[fd00:ec2::254]/",
    "http://10.0.0.5/", "http://172.16.0.5/", "http://192.168.0.5/", "http://[fd00::5]/", "http://[fe80::5]/",
    "http://168.63.129.16/", "http://224.0.0.5/", "http://198.18.0.5/", "http://[::127.0.0.1]/",
)
SCHEMES = ("file:///etc/passwd", "gopher://127.0.0.1:{port}/x", "ftp://127.0.0.1:{port}/x", "data:text/html,hi")
NAMES = {
    "inner.test": [["127.0.0.1"]], "mixed.test": [[PUBLIC, "127.0.0.1"]], "metadata.test": [["169.254.169.254"]],
    "v6.test": [["::1"]], "rebind.test": [[PUBLIC], ["127.0.0.1"]], "public.test": [[PUBLIC]],
}


@pytest.fixture(scope="module")
def maze(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Canary, CrawlResult]]:
    """One crawl of a site that points inwards in every way: links, redirects, second hops, robots.txt."""
    lab, canary = Watched(tmp_path_factory.mktemp("maze")), Canary()
    port = int(canary.url.split(":")[2].split("/")[0])
    inner = [f"http://{host}:{port}/{n}" for n, host in enumerate(INNER_HOSTS)]
    inner += [*ELSEWHERE, *(scheme.format(port=port) for scheme in SCHEMES)]
    site, turned = lab.site(), lab.site()
    turned.robots = Answer(status=302, headers={"Location": f"http://127.0.0.1:{port}/robots.txt"})
    lab.names = {**NAMES}

    def answer(path: str) -> Answer | None:
        kind, _, number = path[1:].partition("/")
        if kind == "list":
            more = [f"{site.url}/{way}/{n}" for way in ("hop", "hops") for n in range(len(inner))]
            named = [f"http://rebind.test:{port}/", f"http://public.test:{port}/"]
            return listing([*inner, *more, *named, f"{turned.url}/p/1"])
        if kind == "hops":
            return Answer(status=302, headers={"Location": f"/hop/{number}?again"})
        if kind == "hop":  # each way to a target of its own: the same one would not be asked for twice
            target = inner[int(number.removesuffix("?again"))] + ("?second" if "?" in number else "?first")
            return Answer(status=302, headers={"Location": target.encode().decode("latin-1")})
        return None

    site.rule = answer
    lab.forum("maze", site.url, start="/list", concurrency=8, allow=False)
    lab.variables = {"http_proxy": f"http://127.0.0.1:{port}", "https_proxy": f"http://127.0.0.1:{port}"}
    result = lab.crawl()["maze"]
    yield lab, canary, result
    lab.close()
    canary.close()


def test_F43_forbidden_connects_are_0(maze: tuple[Watched, Canary, CrawlResult]) -> None:
    lab, canary, result = maze
    own = {site.port for site in lab.sites}
    connects = lab.connects()
    forbidden = [
        (host, port) for host, port in connects
        if not (is_public(ipaddress.ip_address(host)) or (host == "127.0.0.1" and port in own))
    ]
    tried = len(INNER_HOSTS) * 3 + len(ELSEWHERE) * 3 + len(SCHEMES) * 3 + 4
    print(f"F43 ways in {tried}, connects {len(connects)}, forbidden {len(forbidden)}")
    assert not forbidden and not canary.touched
    # It was the guards, not a crawl that never came so far.
    assert result.stats["errors"]["private"] >= 60, result
    assert len([path for path in lab.sites[0].log if path.startswith("/hop/")]) >= 2 * len(INNER_HOSTS)


def test_F43_public_names_are_still_spoken_to(maze: tuple[Watched, Canary, CrawlResult]) -> None:
    lab, _, _ = maze
    assert (PUBLIC in {host for host, _ in lab.connects()})
    assert next(line["answered"] for line in lab.told() if line.get("asked") == "public.test") == [PUBLIC]


def test_F43_robots_txt_does_not_lead_inwards(maze: tuple[Watched, Canary, CrawlResult]) -> None:
    lab, _, _ = maze
    assert lab.sites[1].log == ["/robots.txt"]


def test_F43_a_second_answer_is_checked_like_the_first() -> None:
    """DNS rebinding: public when asked first, private when the pin has run out."""
    moment, answers = [0.0], [[PUBLIC], ["10.0.0.5"]]

    async def lookup(host: str) -> list[Address]:
        return [ipaddress.ip_address(address) for address in answers.pop(0)]

    async def story() -> list[str]:
        rules = HostRules(lookup=lookup, clock=lambda: moment[0])
        seen = []
        for later in (0.0, PIN_SECONDS - 1, PIN_SECONDS + 1):
            moment[0] = later
            try:
                seen.append(",".join(map(str, await rules.addresses("rebind.test", 80))))
            except Denied as error:
                seen.append(error.kind)
        return seen

    assert asyncio.run(story()) == [PUBLIC, PUBLIC, "private"]
    assert not answers


@pytest.mark.parametrize(("address", "public"), [
    ("8.8.8.8", True), ("2606:4700::1111", True), ("64:ff9b::808:808", True), ("2002:808:808::1", True),
    ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False), ("172.16.0.1", False), ("100.64.0.1", False),
    ("169.254.169.254", False), ("169.254.170.2", False), ("100.100.100.200", False), ("168.63.129.16", False),
    ("0.0.0.0", False), ("224.0.0.1", False), ("255.255.255.255", False), ("240.0.0.1", False),
    ("::", False), ("::1", False), ("fe80::1", False), ("fd00::1", False), ("fd00:ec2::254", False),
    ("ff02::1", False), ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("::7f00:1", False),
    ("64:ff9b::7f00:1", False), ("64:ff9b::a9fe:a9fe", False), ("64:ff9b:1::1", False), ("2002:7f00:1::", False),
    ("2001::53aa:64c:0:7e9b:8000:fffe", False), ("2001:db8::1", False), ("100::1", False),
])
def test_F43_what_counts_as_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(("url", "answer"), [
    ("http://127.0.0.1:8101/x", None), ("http://127.0.0.1:8102/x", "private"), ("http://[::1]/", "private"),
    ("http://[::1]:8103/", None), ("http://0x7f.1/", "private"), ("http://2130706433/", "private"),
    ("http://2130706433:8101/", "private"), ("ftp://127.0.0.1:8101/", "scheme"), ("file:///etc/passwd", "scheme"),
    ("//x/", "scheme"), ("gopher://x/", "scheme"), ("http://", "address"), ("http://[oops/", "address"),
    ("http://user@8.8.8.8/", "address"), ("http://8.8.8.8\\@127.0.0.1/", "address"), ("http://1.2.3.4.5/", "address"),
    ("http://8.8.8.8:99999/", "address"), ("http://a b/", "address"), ("http://127%2e0.0.1/", "address"),
    ("https://8.8.8.8/", None), ("http://intern.example/", None), ("http://intern.example./", None),
    ("http://metadata.example/", "private"), ("http://two.example/", "private"), ("http://gone.example/", "dns"),
    ("http://bücher.example/", None),
])
def test_F43_host_rules(url: str, answer: str | None) -> None:
    known = {
        "intern.example": ["10.0.0.7"], "metadata.example": ["169.254.169.254"], "two.example": [PUBLIC, "fd00::1"],
        "xn--bcher-kva.example": [PUBLIC],
    }

    async def lookup(host: str) -> list[Address]:
        return [ipaddress.ip_address(address) for address in known.get(host, [])]

    # Metadata stays closed even where somebody listed the host.
    rules = HostRules(["127.0.0.1:8101", "[::1]:8103", "Intern.example", "metadata.example"], lookup)
    assert asyncio.run(rules.refusal(url)) == answer


def test_F43_a_private_source_is_refused_with_its_reason(maze: tuple[Watched, Canary, CrawlResult]) -> None:
    result = maze[2]
    assert result.status is not SourceStatus.OK and "内网" in str(result.reason)
