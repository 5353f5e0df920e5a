"""The smallest plain Scrapy spider over the replayed forum: `python -m benchmarks.crawl.plain URL CONCURRENCY [--defaults]`.

It fetches what vocwatch fetches and yields dicts; nothing is stored, checked, masked or kept. As `plain` it has what a
careful author would set (one item a page, no debug log); with `--defaults` Scrapy's own settings (one item a comment,
CONCURRENT_ITEMS, and the debug log written to a file).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class Forum(scrapy.Spider):
    """Listing → threads."""

    name = "forum"
    single_items = False
    records = 0

    def parse(self, response: Response) -> Iterator[Any]:
        for link in response.css("li.row a.title::attr(href)").getall():
            yield response.follow(link, self.parse_thread)
        following = response.css("a.next::attr(href)").get()
        if following:
            yield response.follow(following)

    def parse_thread(self, response: Response) -> Iterator[Any]:
        thread = response.css("article.thread")
        post = {
            "url": response.url, "native_id": thread.attrib["data-id"], "title": thread.css("h1::text").get(),
            "author": thread.css("a.author::text").get(), "published_at": thread.css("time::attr(datetime)").get(),
            "likes": thread.css("span.likes::text").get(), "replies": thread.css("span.replies::text").get(),
            "text": "\n".join(thread.css("div.content p::text").getall()),
        }
        comments = [
            {
                "native_id": comment.attrib["id"], "author": comment.css("a.by::text").get(),
                "published_at": comment.css("time::text").get(), "text": comment.css("p.say::text").get(),
                "likes": comment.css("a.like b::text").get(), "parent": post["native_id"],
            }
            for comment in response.css("div.comment")
        ]
        self.records += 1 + len(comments)
        if self.single_items:
            yield post
            yield from comments
        else:
            yield {**post, "comments": comments}

    def closed(self, reason: str) -> None:
        sys.stdout.write(json.dumps({"records": self.records, "reason": reason}) + "\n")


def main() -> None:
    url, concurrency, defaults = sys.argv[1], int(sys.argv[2]), "--defaults" in sys.argv
    settings: dict[str, Any] = {"CONCURRENT_REQUESTS": concurrency, "CONCURRENT_REQUESTS_PER_DOMAIN": concurrency}
    if defaults:
        settings |= {"LOG_FILE": sys.argv[sys.argv.index("--defaults") + 1]}
    else:
        settings |= {"CONCURRENT_ITEMS": 1, "LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False}
    process = CrawlerProcess(settings)
    process.crawl(Forum, start_urls=[f"{url}/forum?page=1"], single_items=defaults)
    process.start()


if __name__ == "__main__":
    main()
