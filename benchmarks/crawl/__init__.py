"""Crawling against plain spiders: see `python -m benchmarks.crawl --help`."""
