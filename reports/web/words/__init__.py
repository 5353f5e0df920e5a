"""The words of the console's pages, Chinese and English. One module for each group of pages; a key stands in one only."""

from __future__ import annotations

from starlette.requests import Request

from reports.web.words import (
    access,
    config,
    desk,
    incidents,
    links,
    mentions,
    people,
    sessions,
    setup,
    sources,
    standing,
    today,
    topics,
)

LANGS = ("zh", "en")
LANG_COOKIE = "lang"
PARTS = (links, access, setup, desk, config, today, people, incidents, mentions, topics, sessions, sources, standing)
WORDS: dict[str, tuple[str, str]] = {key: said for part in PARTS for key, said in part.WORDS.items()}


def words(key: str, lang: str, /, **values: object) -> str:
    """Return a fixed word or sentence in "zh" or "en"."""
    text = WORDS[key][LANGS.index(lang)]
    return text.format(**values) if values else text


def language_of(request: Request) -> str:
    """Return the language that the address, the person's last choice or the browser asks for; Chinese where none says English."""
    asked = (
        request.query_params.get("lang") or request.cookies.get(LANG_COOKIE) or request.headers.get("accept-language", "")
    )
    first = asked.strip().lower()[:2]
    return "en" if first == "en" else "zh"
