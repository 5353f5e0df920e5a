"""F45: the key of an API goes to that API over https, and to nobody it points to."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawlers.credentials import Unusable, credentials
from crawlers.runner import CrawlResult
from tests.conftest import ROOT
from tests.crawlers.kit import Lab
from tests.crawlers.site import Answer, Site
from tests.faults.certificates import Authority
from tests.faults.kit import Watched, listing
from vocwatch.models import SourceStatus
from vocwatch.settings import Settings

SECRET, BEARER = "s3cret-canary-94f1", "Bearer s3cret-canary-7be0"
HEADERS = "headers: {X-Api-Key: 'env:TEST_API_KEY', Authorization: 'env:TEST_BEARER'}"
VARIABLES = {"TEST_API_KEY": SECRET, "TEST_BEARER": BEARER}


class Scene:
    """An API over https that redirects everywhere, and who stands there."""

    def __init__(self, home: Path):
        self.lab = Watched(home)
        authority = Authority(self.lab.home)
        both = ("127.0.0.1", "localhost")
        self.api = self.lab.site(posts=3, certificate=authority.server(*both))
        self.other = self.lab.site(posts=9, certificate=authority.server(*both))
        self.plain = self.lab.site(posts=9)
        self.lab.hosts.append(self.api.host.replace("127.0.0.1", "localhost"))
        away = {
            "/out/port": f"{self.other.url}/p/1",
            "/out/host": f"{self.api.url.replace('127.0.0.1', 'localhost')}/p/2?as=other-host",
            "/out/scheme": f"{self.plain.url}/p/3",
            "/out/twice": f"{self.other.url}/back",
            "/in/same": "/p/3",
        }

        def answer(path: str) -> Answer | None:
            if path.startswith("/list"):
                return listing(f"{self.api.url}{way}" for way in (*away, "/p/1"))
            if path == "/robots.txt":
                return None
            return Answer(status=302, headers={"Location": away[path]}) if path in away else None

        self.api.rule = answer
        # From the API away and back to it: the second hop comes from a stranger.
        self.other.rule = lambda path: (
            Answer(status=302, headers={"Location": f"{self.plain.url}/p/4"}) if path == "/back" else None
        )
        self.lab.forum("api", self.api.url, extra=HEADERS, allow=False, concurrency=4)
        self.lab.forum("nokey", self.api.url, extra="headers: {X-Api-Key: 'env:TEST_NO_SUCH_KEY'}", allow=False)
        self.lab.variables = {"SSL_CERT_FILE": str(authority.path), **VARIABLES}
        self.results = self.lab.crawl()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    made = Scene(tmp_path_factory.mktemp("credentials"))
    yield made
    made.lab.close()


def _with_secret(site: Site) -> list[str]:
    return [path for path, headers in site.headers if any("s3cret" in value for value in headers.values())]


def test_F45_the_api_itself_is_given_the_key(scene: Scene) -> None:
    seen = dict(scene.api.headers)
    for path in ("/p/1", "/p/3", "/out/port"):
        assert seen[path]["X-Api-Key"] == SECRET and seen[path]["Authorization"] == BEARER
    assert "X-Api-Key" not in seen["/robots.txt"]


def test_F45_leaked_headers_are_0(scene: Scene) -> None:
    asked = {path for path, _ in (*scene.other.headers, *scene.plain.headers)} - {"/robots.txt"}
    leaked = [*_with_secret(scene.other), *_with_secret(scene.plain)]
    as_other_host = [
        headers for path, headers in scene.api.headers if path == "/p/2?as=other-host"
    ]
    print(f"F45 hops to others {len(asked) + len(as_other_host)}, leaked headers {len(leaked)}")
    assert not leaked
    assert asked == {"/p/1", "/back", "/p/4"}  # they were asked, without the key
    assert len(as_other_host) == 1 and "X-Api-Key" not in as_other_host[0] and "Authorization" not in as_other_host[0]


def test_F45_a_step_down_to_http_is_refused(scene: Scene) -> None:
    assert scene.results["api"].stats["errors"]["downgrade"] == 1
    assert "/p/3" not in scene.plain.log  # /p/4 came from a stranger, who had no key to lose


def test_F45_the_key_is_written_down_nowhere(scene: Scene) -> None:
    files = [path for path in scene.lab.home.rglob("*") if path.is_file()]
    assert len(files) > 10
    assert not [path for path in files if b"s3cret" in path.read_bytes()]
    assert "s3cret" not in repr(scene.results)


def test_F45_without_its_variable_a_source_is_not_run(scene: Scene) -> None:
    result: CrawlResult = scene.results["nokey"]
    assert result.status is SourceStatus.NOT_RUN
    assert "TEST_NO_SUCH_KEY" in str(result.reason) and "nokey.yaml" in str(result.reason)


BAD = {
    "cookie": ("Cookie", "a=b", "https://api.example", "登录态"),
    "agent": ("User-Agent", "Mozilla", "https://api.example", "身份"),
    "forwarded": ("X-Forwarded-For", "1.2.3.4", "https://api.example", "身份"),
    "unset": ("X-Api-Key", "", "https://api.example", "没有设置"),
    "lines": ("X-Api-Key", "a\r\nX-Evil: 1", "https://api.example", "换行"),
    "letters": ("X-Api-Key", "钥匙", "https://api.example", "非 ASCII"),
    "plain": ("X-Api-Key", "good", "http://api.example", "https"),
    "drawn": ("X-Api-Key", "good", "https://api.example", "浏览器"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Sources whose headers can't be used, and one over http on an instance of one's own."""
    home = tmp_path_factory.mktemp("headers")
    shutil.copytree(ROOT / "config", home / "config")
    lab = Lab(home)
    for name, (header, _, url, _) in BAD.items():
        headers = f"headers: {{{header}: 'env:TEST_{name.upper()}'}}"
        lab.forum(name, url, extra=headers, allow=False, transport="browser" if name == "drawn" else "http")
    lab.forum("own", "http://rsshub.lan:1200", extra="headers: {X-Api-Key: 'env:TEST_OWN'}")
    return lab.settings(TEST_OWN="good", **{f"TEST_{name.upper()}": value for name, (_, value, _, _) in BAD.items()})


@pytest.mark.parametrize("name", BAD)
def test_F45_what_is_no_key_is_refused(settings: Settings, name: str) -> None:
    _, value, _, word = BAD[name]
    with pytest.raises(Unusable) as error:
        credentials(settings, settings.sources[name])
    assert word in str(error.value) and f"{name}.yaml" in str(error.value)
    assert not value or value not in str(error.value)


def test_F45_an_own_instance_may_be_asked_over_http(settings: Settings) -> None:
    assert credentials(settings, settings.sources["own"]) == {"X-Api-Key": "good"}
