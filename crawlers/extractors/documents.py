"""A page as something to look paths up in: one class per kind, all with the same four methods.

`items(expression)` gives the places where records stand, or None where the structure is absent (an empty
list means that it is there and holds nothing). `matches(item, where)` tests a record's condition.
`read(item, path)` gives all values at a path, HTML elements as `Markup`. `text_of` turns a value into the
text a reader sees.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from lxml import etree
from lxml import html as lxml_html
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from crawlers.extractors import jsonpage
from crawlers.extractors.htmltext import node_to_text, parse_html, serialised_to_text, shallow
from crawlers.extractors.limits import cut
from crawlers.extractors.result import SpecError

MAX_ITEMS = 20_000
XML_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Markup(str):
    """HTML of an element, as written by a parser."""

    __slots__ = ()


class Document(Protocol):
    """What field specifications are evaluated against."""

    def items(self, expression: str) -> list[Any] | None:
        """Return the items at `expression`; None where the structure is absent."""

    def matches(self, item: Any, where: str) -> bool:
        """Tell whether an item fulfils a record's `where`."""

    def read(self, item: Any, path: str) -> list[Any]:
        """Return all values at `path`, the empty ones left out."""


class JsonDocument:
    """A JSON value; items are its parts. `page` answers `page:` paths where the JSON stood in a web page."""

    def __init__(self, root: Any, page: HtmlDocument | None = None):
        self.root = root
        self.page = page

    def items(self, expression: str) -> list[Any] | None:
        """Return the list at a JMESPath; a single object counts as a list of one, an empty one as none."""
        found = jsonpage.search(expression, self.root, self.root)
        if found == [] and expression.startswith("**"):
            return None  # found nowhere is not the same as an empty list
        if isinstance(found, dict):
            return [found] if found else []
        if isinstance(found, list):
            return [item for item in _some(found) if item is not None]
        return None

    def matches(self, item: Any, where: str) -> bool:
        """Tell whether the JMESPath is true of the item."""
        return jsonpage.truthy(jsonpage.search(where, item, self.root))

    def read(self, item: Any, path: str) -> list[Any]:
        """Return the value or values at a JMESPath."""
        if path.startswith("page:"):
            return self.page.read(None, path) if self.page is not None else []
        return _flat(jsonpage.search(path, item, self.root))


class HtmlDocument:
    """A web page; items are elements."""

    def __init__(self, text: str):
        self.text = shallow(text)
        self.tree = parse_html(self.text)
        self._lxml: dict[int, tuple[Any, Any]] = {}

    def items(self, expression: str) -> list[Any] | None:
        """Return the elements; HTML cannot tell "nothing there" from "absent", so none at all is None."""
        if expression.startswith("xpath:"):
            elements = self._xpath(None, expression.removeprefix("xpath:"))
            found = [
                _parsed(Markup(_markup(element))) for element in elements if not isinstance(element, str)
            ]
        else:
            found = _css(self.tree, expression)
        return _some(found) or None

    def matches(self, item: Any, where: str) -> bool:
        """Tell whether the CSS (or `xpath:`) finds something in the item, or it itself; `!…` negates."""
        if where.startswith("!"):
            return not self.matches(item, where[1:].strip())
        if where.startswith("xpath:"):
            return bool(self._xpath(item, where.removeprefix("xpath:")))
        return bool(
            _css(self.tree if item is None else item, where)
        )  # an element counts among its own matches

    def read(self, item: Any, path: str) -> list[Any]:
        """Return attribute values and elements (as `Markup`) at `path`."""
        if path.startswith("page:"):
            return self.read(None, path.removeprefix("page:").strip())
        if path.startswith("xpath:"):
            values = self._xpath(item, path.removeprefix("xpath:"))
            return [
                value if isinstance(value, str) else Markup(_markup(value))
                for value in values
                if _filled(value)
            ]
        selector, attribute = split_attribute(path)
        nodes = self._nodes(item, selector)
        if attribute is None:
            return [Markup(node.html) for node in nodes if node.html]
        return [value for node in nodes if (value := node.attributes.get(attribute))]

    def first_text(
        self, item: Any, places: Sequence[tuple[str, str | None]], picture: bool = False
    ) -> str | None:
        """Return the first filled value at several (selector, attribute): what `read` and `text_of` give together."""
        for selector, attribute in places:
            for node in self._nodes(item, selector):
                value = node_to_text(node, picture) if attribute is None else node.attributes.get(attribute)
                if value:
                    return value
        return None

    def _nodes(self, item: Any, selector: str) -> list[LexborNode]:
        if selector in ("", ":scope"):
            node = item if item is not None else self.tree.root
            return [node] if node is not None else []
        return _css(self.tree if item is None else item, selector)

    def _xpath(self, item: LexborNode | None, expression: str) -> list[Any]:
        """XPath on the page, or on the item alone (its ancestors are out of reach)."""
        key = 0 if item is None else item.mem_id
        if key not in self._lxml:
            markup = (self.tree.html if item is None else item.html) or ""
            # Holding on to the item keeps its address its own: another's, later, would find this one's markup.
            self._lxml[key] = item, _lxml(markup, fragment=item is not None)
        root = self._lxml[key][1]
        if root is None:
            return []
        try:
            found = _compiled_xpath(expression)(root)
        except etree.XPathError:
            return []
        return list(found) if isinstance(found, list) else [_scalar(found)]


class FeedDocument:
    """A parsed feed; items are its entries as plain objects, paths are JMESPath into them."""

    def __init__(self, entries: list[dict[str, Any]], feed: dict[str, Any]):
        self.entries = entries
        self.feed = feed

    def items(self, expression: str) -> list[Any] | None:
        """Return the entries at a JMESPath from the feed's root (`entries` by default)."""
        return JsonDocument({"entries": self.entries, "feed": self.feed}).items(expression)

    def matches(self, item: Any, where: str) -> bool:
        """Tell whether the JMESPath is true of the entry."""
        return jsonpage.truthy(jsonpage.search(where, item, self.feed))

    def read(self, item: Any, path: str) -> list[Any]:
        """Return the value or values at a JMESPath into the entry; `$.` looks in the feed's own data."""
        return _flat(jsonpage.search(path, item, self.feed))


def _some(found: list[Any]) -> list[Any]:
    if len(found) > MAX_ITEMS:
        cut(f"一页超过 {MAX_ITEMS} 条，后面的没有读")
    return found[:MAX_ITEMS]


def text_of(value: Any, picture: bool = False) -> Any:
    """Return the text of an element; other values as they are."""
    return serialised_to_text(value, picture) if isinstance(value, Markup) else value


@lru_cache(maxsize=1024)
def split_attribute(path: str) -> tuple[str, str | None]:
    """Split `selector@attribute`; an `@` inside brackets or quotes belongs to the selector."""
    selector, at, attribute = path.rpartition("@")
    if not at or not attribute.replace("-", "").replace("_", "").replace(":", "").isalnum():
        return path, None
    return (path, None) if selector.count("[") != selector.count("]") else (selector.strip(), attribute)


def check_path(kind: str, path: str) -> None:
    """Compile a path of a source file without data. Raises SpecError where it is malformed."""
    head, _, piped = path.partition(" |> ")
    if piped:
        jsonpage.compiled(piped)
    head = head.removeprefix("page:").strip() if kind == "html" or head.startswith("page:") else head
    if kind != "html" and not path.startswith("page:"):
        if head.startswith("**"):
            head = head[2:].removeprefix(".").lstrip(" |")
        jsonpage.compiled(head.removeprefix("$").removeprefix(".") or "@")
    elif head.startswith("xpath:"):
        _compiled_xpath(head.removeprefix("xpath:"))
    else:
        selector = split_attribute(head)[0]
        if selector not in ("", ":scope"):
            _css(LexborHTMLParser("<p></p>"), selector)


def _css(node: Any, selector: str) -> list[LexborNode]:
    try:
        return list(node.css(selector))
    except (SelectolaxError, ValueError) as error:
        raise SpecError(
            f"CSS 写法有误：{selector}（{error}）。请改成浏览器认得的选择器，或用 xpath: 开头"
        ) from error


def _parsed(markup: Markup) -> LexborNode:
    """Parse one element; parts of tables need a table around them."""
    tag = markup[1:].split(">", 1)[0].split()[0].strip("/").lower()
    wrapped = f"<table>{markup}</table>" if tag in ("tr", "td", "th", "tbody", "thead") else str(markup)
    tree = LexborHTMLParser(wrapped)
    return tree.css_first(tag) if tag.isalnum() and tree.css_first(tag) is not None else tree.root  # type: ignore[return-value]


@lru_cache(maxsize=1024)
def _compiled_xpath(expression: str) -> etree.XPath:
    try:
        return etree.XPath(
            expression, namespaces={"re": "http://exslt.org/regular-expressions"}, regexp=False
        )
    except etree.XPathError as error:
        raise SpecError(f"XPath 写法有误：{expression}（{error}）。请检查括号和引号") from error


def _lxml(markup: str, fragment: bool = False) -> Any:
    clean = XML_CONTROL.sub("", markup)
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=False)
    try:
        whole = lxml_html.document_fromstring(clean.encode("utf-8", "ignore"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None
    if not fragment:
        return whole
    body = whole.find("body")
    return body[0] if body is not None and len(body) else whole


def _markup(element: Any) -> str:
    return str(etree.tostring(element, encoding="unicode", method="html", with_tail=False))


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def _filled(value: Any) -> bool:
    return not isinstance(value, str) or bool(value.strip())


def _flat(found: Any) -> list[Any]:
    if isinstance(found, list):
        return [value for value in found if value is not None and value != ""]
    return [] if found is None or found == "" else [found]
