"""schema.org data in web pages: JSON-LD first, microdata where JSON-LD has none of the wanted type."""

from __future__ import annotations

from typing import Any

from lxml import etree

from crawlers.extractors import jsonpage
from crawlers.extractors.documents import XML_CONTROL, HtmlDocument
from crawlers.extractors.htmltext import html_to_text

# For JSON-LD and microdata alike: where the fields of schema.org's texts stand.
DEFAULT_PATHS: dict[str, tuple[str, ...]] = {
    "native_id": ('"@id"', "identifier.value", "identifier", "url"),
    "url": ("url", 'mainEntityOfPage."@id"', "mainEntityOfPage", '"@id"'),
    "title": ("headline", "name"),
    "text": (
        "reviewBody",
        "articleBody",
        "text",
        "commentText",
        "description",
        "positiveNotes.itemListElement[].name",
    ),
    "author": ("author.name", "author[].name", "author", "creator.name", "creator"),
    "published_at": ("datePublished", "dateCreated", "uploadDate", "dateModified"),
    "rating": ("reviewRating.ratingValue", "reviewRating[].ratingValue", "ratingValue"),
    "likes": (
        "upvoteCount",
        "interactionStatistic.userInteractionCount",
        "interactionStatistic[].userInteractionCount",
    ),
    "replies": ("answerCount", "commentCount"),
    "product": ("itemReviewed.name", "itemReviewed", "about.name", "isPartOf.name"),
    "sku": ("itemReviewed.sku", "itemReviewed.gtin13", "itemReviewed.mpn"),
}
BEST_PATHS = ("reviewRating.bestRating", "reviewRating[].bestRating", "bestRating")


def find_typed(page: HtmlDocument, wanted: str) -> list[dict[str, Any]] | None:
    """Return the page's schema.org objects of a type, nested ones too; None where the page has none."""
    found = _of_type(_json_ld(page), wanted)
    if not found and "itemscope" in page.text:
        found = _of_type(_microdata(page), wanted)
    return found or None


def _json_ld(page: HtmlDocument) -> list[Any]:
    scripts = page.tree.css('script[type*="ld+json"]')
    return [value for script in scripts[:200] if (value := jsonpage.lenient(script.text() or "")) is not None]


def _microdata(page: HtmlDocument) -> list[Any]:
    clean = XML_CONTROL.sub("", page.text)
    try:
        from extruct.w3cmicrodata import MicrodataExtractor  # slow to import, seldom needed

        items = MicrodataExtractor(nested=True).extract(clean)
    except (etree.LxmlError, ValueError, TypeError, RecursionError):
        return []
    return [_as_json_ld(item) for item in items]


def _as_json_ld(item: Any) -> Any:
    if isinstance(item, list):
        return [_as_json_ld(part) for part in item]
    if not isinstance(item, dict):
        return item
    properties = {key: _as_json_ld(value) for key, value in (item.get("properties") or {}).items()}
    if "id" in item:
        properties["@id"] = item["id"]
    return {"@type": item.get("type"), **properties}


def _of_type(documents: list[Any], wanted: str) -> list[dict[str, Any]]:
    """Collect objects of the type with what their surroundings say: the reviewed item, `@id` references."""
    objects = jsonpage.descendants(documents)
    index = {str(item["@id"]): item for item in objects if isinstance(item.get("@id"), str) and len(item) > 2}
    owners = _owners(objects, wanted)
    found: list[dict[str, Any]] = []
    seen: set[int] = set()
    for item in objects:
        if id(item) in seen or not _is_type(item, wanted) or item.keys() <= {"@type", "@id"}:
            continue
        seen.add(id(item))
        whole = {key: _resolved(value, index) for key, value in item.items()}
        owner = owners.get(id(item))
        if owner is not None and "itemReviewed" not in whole:
            whole["itemReviewed"] = owner
        found.append(whole)
    return found


def _owners(objects: list[dict[str, Any]], wanted: str) -> dict[int, dict[str, Any]]:
    """Map each nested object to the one that lists it under review, reviews, comment or the like."""
    owners: dict[int, dict[str, Any]] = {}
    for item in objects:
        if _is_type(item, wanted) or not item.get("name"):
            continue
        for value in item.values():
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict) and _is_type(inner, wanted):
                    owners.setdefault(
                        id(inner), {key: item[key] for key in ("name", "sku", "gtin13", "mpn") if key in item}
                    )
    return owners


def _resolved(value: Any, index: dict[str, Any]) -> Any:
    if isinstance(value, dict) and len(value) <= 2 and isinstance(value.get("@id"), str):
        return index.get(value["@id"], value)
    return html_to_text(value) if isinstance(value, str) and "<" in value else value


def _is_type(item: dict[str, Any], wanted: str) -> bool:
    types = item.get("@type")
    names = types if isinstance(types, list) else [types]
    return any(
        isinstance(name, str) and name.rsplit("/", 1)[-1].rsplit(":", 1)[-1] in _kinds(wanted)
        for name in names
    )


def _kinds(wanted: str) -> tuple[str, ...]:
    """A type with its subtypes that sites use in its place."""
    return {
        "Review": ("Review", "UserReview", "CriticReview", "EmployerReview", "ClaimReview"),
        "Article": (
            "Article",
            "NewsArticle",
            "BlogPosting",
            "ReportageNewsArticle",
            "TechArticle",
            "SocialMediaPosting",
            "AnalysisNewsArticle",
            "OpinionNewsArticle",
            "LiveBlogPosting",
        ),
    }.get(wanted, (wanted,))
