"""Pages in, mention records out: no network, no store, no framework."""

from crawlers.extractors.charset import decode
from crawlers.extractors.extract import check_source, extract
from crawlers.extractors.result import Extraction, Link, Problem, SpecError
from crawlers.extractors.signs import classify
from crawlers.extractors.times import parse_time
from crawlers.extractors.values import canonical_url, page_key, parse_count, parse_rating

__all__ = [
    "Extraction",
    "Link",
    "Problem",
    "SpecError",
    "canonical_url",
    "check_source",
    "classify",
    "decode",
    "extract",
    "page_key",
    "parse_count",
    "parse_rating",
    "parse_time",
]
