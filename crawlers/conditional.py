"""Asking only for what has changed: an address that gave an ETag or a date is asked again with it.

"Not modified" is answered from the evidence folder, so that everything behind it works as if the page had come over
the wire: records are seen again, a repaired extractor reads the stored page, links are followed.
"""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.responsetypes import responsetypes

from crawlers.browser import READY
from crawlers.context import context_of
from vocwatch.store import StorageError
from vocwatch.store.pages import Known, read_evidence

UNCHANGED = "not-modified"  # flag of a response that came out of the evidence folder
_KNOWN, _PLAIN = "known_page", "unconditional"  # meta keys
_ASKED = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
# What described the bytes on the wire does not describe the stored body.
_WIRE = frozenset({"content-encoding", "transfer-encoding", "content-md5"})


class Conditional:
    """Downloader middleware; stands next to the wire."""

    def __init__(self, crawler: Crawler):
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Conditional:
        """Scrapy's constructor."""
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Add If-None-Match and If-Modified-Since where the address has been read before."""
        for name in _ASKED:
            request.headers.pop(name, None)  # a redirect brings those of the address before it along
        if request.method != "GET" or READY in request.meta or request.meta.get(_PLAIN):
            return
        known = context_of(self._crawler.spider).known_page(request.url)
        if known is None:
            return
        request.meta[_KNOWN] = known
        for ours, theirs in _ASKED.items():
            if theirs in known.headers:
                request.headers[ours] = known.headers[theirs].encode("latin-1", "ignore")

    def process_response(self, request: Request, response: Response) -> Request | Response:
        """Put the stored body in the place of "not modified"; ask again in full where it is gone."""
        known: Known | None = request.meta.pop(_KNOWN, None)
        if known is None or response.status != 304:
            return response
        try:
            body = read_evidence(context_of(self._crawler.spider).evidence, known.sha256)
        except StorageError:
            return self._in_full(request)
        headers = {name: value for name, value in known.headers.items() if name not in _WIRE}
        kind = responsetypes.from_args(
            headers={name.encode(): value.encode("latin-1", "ignore") for name, value in headers.items()},
            url=response.url, body=body,
        )
        return kind(url=response.url, status=200, headers=headers, body=body, flags=[UNCHANGED], request=request)

    @staticmethod
    def _in_full(request: Request) -> Request:
        again = request.replace(dont_filter=True)
        again.meta[_PLAIN] = True
        return again
