"""The same crawl with crawlee-python and its dataset: `PYTHON with_crawlee.py URL CONCURRENCY FOLDER`.

Run as a file by an interpreter that has `crawlee[parsel]`; it imports nothing of this project.
"""

import asyncio
import json
import logging
import sys
from datetime import timedelta

from crawlee import ConcurrencySettings
from crawlee.configuration import Configuration
from crawlee.crawlers import ParselCrawler, ParselCrawlingContext
from crawlee.router import Router

router = Router[ParselCrawlingContext]()
found = {"records": 0}


@router.default_handler
async def listing(context: ParselCrawlingContext) -> None:
    await context.enqueue_links(selector="li.row a.title", label="thread")
    await context.enqueue_links(selector="a.next")


@router.handler("thread")
async def thread(context: ParselCrawlingContext) -> None:
    page = context.selector
    post = page.css("article.thread")
    native_id = post.attrib["data-id"]
    records = [{
        "url": context.request.url, "native_id": native_id, "title": post.css("h1::text").get(),
        "author": post.css("a.author::text").get(), "published_at": post.css("time::attr(datetime)").get(),
        "likes": post.css("span.likes::text").get(), "replies": post.css("span.replies::text").get(),
        "text": "\n".join(post.css("div.content p::text").getall()),
    }]
    records += [
        {
            "native_id": comment.attrib["id"], "author": comment.css("a.by::text").get(),
            "published_at": comment.css("time::text").get(), "text": comment.css("p.say::text").get(),
            "likes": comment.css("a.like b::text").get(), "parent": native_id,
        }
        for comment in page.css("div.comment")
    ]
    found["records"] += len(records)
    await context.push_data({**records[0], "comments": records[1:]})


async def main() -> None:
    url, concurrency, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    crawler = ParselCrawler(
        request_handler=router, configure_logging=False, statistics_log_format="inline",
        configuration=Configuration(storage_dir=folder, log_level="ERROR"),
        concurrency_settings=ConcurrencySettings(
            min_concurrency=concurrency, desired_concurrency=concurrency, max_concurrency=concurrency,
        ),
        request_handler_timeout=timedelta(seconds=60), max_request_retries=1,
    )
    logging.disable(logging.WARNING)
    await crawler.run([f"{url}/forum?page=1"])
    sys.stdout.write(json.dumps(found) + "\n")


asyncio.run(main())
