"""F24: a server that can't prove who it is, is not read. There is no exception, for no source."""

from __future__ import annotations

import socket
import ssl
import warnings
from collections.abc import Iterator

import pytest

from crawlers.runner import CrawlResult
from tests.crawlers.site import Site, self_signed
from tests.faults.certificates import Authority
from tests.faults.kit import Watched
from vocwatch.settings import Source


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Site], CrawlResult]]:
    lab = Watched(tmp_path_factory.mktemp("tls"))
    authority = Authority(lab.home)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are what this is about
        old = authority.server("127.0.0.1", versions=(ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
    sites = {
        "good": lab.site(posts=2, certificate=authority.server("127.0.0.1")),
        "expired": lab.site(posts=2, certificate=authority.server("127.0.0.1", since=-9, until=-1)),
        "not yet": lab.site(posts=2, certificate=authority.server("127.0.0.1", since=2, until=9)),
        "wrong host": lab.site(posts=2, certificate=authority.server("shop.example", "10.0.0.1")),
        "self-signed": lab.site(posts=2, certificate=self_signed(lab.home / "self.pem")),
        "TLS 1.1": lab.site(posts=2, certificate=old),
    }
    urls = ", ".join(f'"{site.url}/list?page=1"' for site in sites.values())
    lab.forum("tls", sites["good"].url, allow=False, concurrency=6)
    path = lab.home / "config/sources/tls.yaml"
    path.write_text(path.read_text().replace(f'"{sites["good"].url}/list?page=1"', urls))
    lab.variables = {"SSL_CERT_FILE": str(authority.path)}
    result = lab.crawl()["tls"]
    yield sites, result
    lab.close()


@pytest.mark.parametrize("name", ["expired", "not yet", "wrong host", "self-signed", "TLS 1.1"])
def test_F24_nothing_is_read_from(servers: tuple[dict[str, Site], CrawlResult], name: str) -> None:
    sites, result = servers
    print(f"F24 {name}: requests {len(sites[name].log)}")
    assert not sites[name].log
    assert result.stats["errors"] == {"tls": 5}


def test_F24_a_good_certificate_is_accepted(servers: tuple[dict[str, Site], CrawlResult]) -> None:
    sites, result = servers
    assert "/p/1" in sites["good"].log and result.stats["records"] == 2
    assert "TLS" in str(result.reason)


def test_F24_the_old_server_does_speak_with_old_clients(servers: tuple[dict[str, Site], CrawlResult]) -> None:
    """Otherwise its refusal would show nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", servers[0]["TLS 1.1"].port), timeout=5) as plain:
        try:
            with context.wrap_socket(plain) as secured:
                assert secured.version() in ("TLSv1", "TLSv1.1")
        except ssl.SSLError as error:
            pytest.skip(f"this OpenSSL can't speak TLS 1.1 any more: {error}")


def test_F24_no_source_can_make_an_exception() -> None:
    assert not [name for name in Source.model_fields if "tls" in name or "verify" in name or "certificate" in name]
