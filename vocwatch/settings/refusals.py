"""`config/refusals.yaml`: what must never be collected, because somebody has asked for it."""

from __future__ import annotations

import datetime as dt
import io
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from vocwatch.lang import tr
from vocwatch.settings.base import Section, Slug

FILE = "refusals.yaml"
_HEAD = """\
# 拒绝采集名单：本人或权利人要求不再采集的网址、发布者代号、内容编号。
# 用 vocwatch forget 添加（同时删除已存的内容）；采集时遇到名单上的一律不读、不存。
"""


def _address(url: str) -> str:
    try:
        parts = urlsplit(url.removesuffix("*"))
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable or "*" in url[:-1] or (url.endswith("*") and not parts.path.startswith("/")):
        raise ValueError(tr(
            "应为完整网址，或以 /* 结尾表示其下全部（例：https://example.com/user/123/*）",
            "expected a whole address, or one that ends in /* for all below it (as: https://example.com/user/123/*)",
        ))
    return url


def _key(text: str) -> str:
    if not re.fullmatch(r"[a-z2-7]{16}", text):
        raise ValueError(tr(
            "应为 16 位发布者代号（vocwatch evidence 会显示；只知道公开名字时用 forget --author-name）",
            "expected an author key of 16 characters (vocwatch evidence shows it; for a public name use forget --author-name)",
        ))
    return text


class RefusedUrl(Section):
    """An address, or with `/*` at its end everything below it."""

    url: Annotated[str, AfterValidator(_address)]
    reason: str = ""
    date: dt.date


class RefusedAuthor(Section):
    """An author, by the keyed pseudonym under which he is stored; his name stands nowhere."""

    author: Annotated[str, AfterValidator(_key)]
    reason: str = ""
    date: dt.date


class RefusedId(Section):
    """One post, review or comment of a source, with what belongs to it."""

    source: Slug
    id: str = Field(min_length=1)
    reason: str = ""
    date: dt.date


class Refusals(Section):
    """The whole of `refusals.yaml`."""

    urls: tuple[RefusedUrl, ...] = ()
    authors: tuple[RefusedAuthor, ...] = ()
    ids: tuple[RefusedId, ...] = ()

    @cached_property
    def _exact(self) -> frozenset[str]:
        return frozenset(address_key(entry.url) for entry in self.urls if not entry.url.endswith("*"))

    @cached_property
    def _prefixes(self) -> tuple[str, ...]:
        found = [entry.url[:-1] for entry in self.urls if entry.url.endswith("*")]
        return tuple(address_key(url).rstrip("/") + "/" if url.endswith("/") else address_key(url) for url in found)

    @cached_property
    def _authors(self) -> frozenset[str]:
        return frozenset(entry.author for entry in self.authors)

    @cached_property
    def _ids(self) -> frozenset[tuple[str, str]]:
        return frozenset((entry.source, entry.id) for entry in self.ids)

    def __bool__(self) -> bool:
        return bool(self.urls or self.authors or self.ids)

    def refuses_url(self, url: str | None) -> bool:
        """Whether the address, or the page that it is a part of, is refused."""
        if not url or not self.urls:
            return False
        key = address_key(url)
        page = key.partition("#")[0]
        below = (page.partition("?")[0].rstrip("/") + "/").startswith(self._prefixes) or page.startswith(self._prefixes)
        return below or key in self._exact or page in self._exact

    def refuses(
        self, source: str, native_id: str | None = None, url: str | None = None, author_key: str | None = None,
        parent: str | None = None,
    ) -> bool:
        """Whether a text is refused: by its address, its author, its own number or that of the post above it."""
        return (
            (author_key is not None and author_key in self._authors)
            or (native_id is not None and (source, native_id) in self._ids)
            or (parent is not None and (source, parent) in self._ids)
            or self.refuses_url(url)
        )


def address_key(url: str) -> str:
    """Return an address in the form in which two writings of the same one are equal: scheme, default port and the
    slash at the end don't count, nor do upper case in the host and percent signs that need not be. The fragment
    stays: it names a part of the page.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    place = host if port in (None, 80, 443) else f"{host}:{port}"
    path = unquote(parts.path).rstrip("/")
    query = f"?{unquote(parts.query)}" if parts.query else ""
    fragment = f"#{unquote(parts.fragment)}" if parts.fragment else ""
    return place + (path or "/") + query + fragment


def append(path: Path, kind: str, entry: dict[str, Any]) -> bool:
    """Add an entry (`urls`, `authors` or `ids`) to the file, keeping comments; False when it stands there already.

    The file is made where there is none, and replaced as a whole. Raises OSError.
    """
    yaml = YAML(typ="rt")
    yaml.preserve_quotes, yaml.width, yaml.allow_unicode = True, 4096, True
    tree = yaml.load(path.read_text(encoding="utf-8")) if path.exists() else None
    if tree is None:
        tree = CommentedMap()
        tree.yaml_set_start_comment(_HEAD.replace("# ", "").rstrip("\n"))
    known = tree.get(kind)
    if not known:
        known = tree[kind] = CommentedSeq()
    names = [name for name in entry if name not in ("reason", "date")]
    if any(all(str(old.get(name)) == str(entry[name]) for name in names) for old in known):
        return False
    node = CommentedMap(entry)
    node.fa.set_flow_style()
    known.append(node)
    buffer = io.StringIO()
    yaml.dump(tree, buffer)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(buffer.getvalue(), encoding="utf-8")
    draft.replace(path)
    return True
