"""Record specifications to mention records: typed values, required fields, coverage."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from crawlers.extractors.charset import is_garbled
from crawlers.extractors.documents import Document
from crawlers.extractors.fields import read_fields
from crawlers.extractors.result import MISSING, Problem
from crawlers.extractors.times import parse_time
from crawlers.extractors.values import (
    absolute_url,
    clean_line,
    clean_text,
    page_key,
    parse_count,
    parse_rating,
)
from vocwatch.models import MentionKind, MentionRecord, Page
from vocwatch.settings.sources import FieldSpec, RecordSpec

COUNTS = ("likes", "replies", "shares", "views")
LINES = ("title", "author", "product", "sku", "shop", "parent")
PLACE = ("product", "sku", "shop")
SECONDARY = (MentionKind.COMMENT, MentionKind.APPEND, MentionKind.REPLY)
_KNOWN = frozenset(spec.name for spec in fields(MentionRecord))


@dataclass(slots=True)
class Reading:
    """What one page is read with, and what came of it so far."""

    page: Page
    now: dt.datetime
    zone: ZoneInfo
    root: MentionRecord | None = None
    records: list[MentionRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    coverage: dict[str, tuple[int, int]] = field(default_factory=dict)
    seen: set[tuple[str, str]] = field(default_factory=set)
    mains: dict[str, MentionRecord] = field(default_factory=dict)
    validity: dict[str, tuple[int, int]] = field(default_factory=dict)
    position: int = 0

    def problem(self, name: str, reason: str, value: Any = "") -> None:
        """Note a fault of the record at hand."""
        self.problems.append(Problem(self.position, name, reason, clean_line(value, 120)))

    def typed(
        self, raw: Mapping[str, Any], scales: Mapping[str, float | None], group: str = ""
    ) -> dict[str, Any]:
        """Turn raw values into a record's types; unreadable ones become problems and stay out.

        `group` goes before the names of fields under which their validity is counted.
        """
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if value is None or name not in _KNOWN:
                continue
            converted = self._one(name, value, values, scales.get(name))
            self._validate(f"{group}{name}", value, converted, values)
            if converted is None or converted == "":
                if str(value).strip() and name not in COUNTS:
                    self.problem(name, "读到了值，但看不懂", value)
                continue
            values[name] = converted
        return values

    def _one(self, name: str, value: Any, values: dict[str, Any], scale: float | None) -> Any:
        if name == "text":
            text = clean_text(value)
            # One person's bytes in another encoding than the page's: no text at all, and counted as unreadable.
            return "" if is_garbled(text) else text
        if name in LINES:
            return clean_line(_whole(value))
        if name == "native_id":
            return clean_line(_whole(value), 300)
        if name == "url":
            return absolute_url(value, self.page.url)
        if name in COUNTS:
            return parse_count(value)
        if name == "rating":
            return parse_rating(value, scale)
        if name == "published_at":
            return self._time(value, values)
        if name == "updated_at":
            return self._latest(value)
        return value

    def _validate(self, name: str, value: Any, converted: Any, values: Mapping[str, Any]) -> None:
        """Count whether a value that stood there made sense; a time that lies ahead does not."""
        good = converted is not None and converted != ""
        if not good and not str(value).strip():
            return
        if good and "extra" in values and name.endswith("published_at"):
            good = not values["extra"].get("future")
        valid, total = self.validity.get(name, (0, 0))
        self.validity[name] = (valid + good, total + 1)

    def _latest(self, value: Any) -> dt.datetime | None:
        """The latest moment that a listing's "last reply" can mean: a day without an hour, to its end."""
        moment, precision = parse_time(value, self.now, self.zone)
        if moment is not None and precision == "day":
            moment += dt.timedelta(days=1)
        return moment and min(moment, self.now)

    def _time(self, value: Any, values: dict[str, Any]) -> dt.datetime | None:
        moment, precision = parse_time(value, self.now, self.zone)
        if moment is None:
            return None
        values["precision"] = precision
        if moment > self.now:
            values["extra"] = {"future": True}
            return self.now.astimezone(dt.UTC)
        return moment

    def add(self, spec: RecordSpec, values: dict[str, Any], alone: bool) -> bool:
        """Make one record of typed values; False (and a problem noted) where a required field is missing."""
        if "text" not in values and values.get("title"):
            values["text"] = values.pop("title")
            values.setdefault("extra", {})["title_only"] = True
        self._count(spec, values)
        stands_in = values.get("extra", {}).get("title_only")  # the title is there, as the text
        missing = [name for name in spec.required if name not in values and not (name == "title" and stands_in)]
        if missing:
            for name in missing:
                self.problem(name, MISSING)
            return False
        record = MentionRecord(kind=spec.kind, **self._identity(spec, values, alone))
        if record.parent == record.native_id:
            record.parent = None
        if record.parent is None and record.kind in SECONDARY:
            main = self._main(None)
            record.parent = main.native_id if main is not None and main.native_id != record.native_id else None
        key = (record.kind.value, record.native_id)
        if key not in self.seen:
            self.seen.add(key)
            self.records.append(record)
            if record.kind not in SECONDARY:
                self.mains[record.native_id] = record
        return True

    def _identity(self, spec: RecordSpec, values: dict[str, Any], alone: bool) -> dict[str, Any]:
        """Fill in native_id and url where the page gives none."""
        main = self._main(values.get("parent")) if spec.kind in SECONDARY else self.root
        base = main.url if main is not None and main.url else self.page.url
        own = values.get("url")
        if "native_id" not in values:
            if own and page_key(own) != page_key(base):
                values["native_id"] = page_key(own)
            elif alone:
                values["native_id"] = page_key(own or self.page.url)
            else:
                part = _hash(spec, values)
                values["native_id"] = f"{page_key(base)}#{part}"
                values.setdefault("url", f"{base.split('#')[0]}#{part}")
        if values.get("url") is None:
            own_id = values["native_id"]
            values["url"] = (
                self.page.url if alone else own_id if "#" in own_id else f"{base.split('#')[0]}#{own_id}"
            )
        return values

    def _main(self, parent: str | None) -> MentionRecord | None:
        """Return the post that a comment belongs to: the one it names, or the only one there is."""
        if self.root is not None:
            return self.root
        named = self.mains.get(parent or "")
        return named or (next(iter(self.mains.values())) if len(self.mains) == 1 else None)

    def _count(self, spec: RecordSpec, values: Mapping[str, Any]) -> None:
        for name in spec.fields or ("text", "author", "published_at"):
            filled, total = self.coverage.get(name, (0, 0))
            present = name in values or (name == "title" and values.get("extra", {}).get("title_only"))
            self.coverage[name] = (filled + bool(present), total + 1)


def raw_record(
    specs: Mapping[Any, FieldSpec],
    item: Any,
    document: Document,
    defaults: Mapping[str, tuple[str, ...]],
) -> dict[str, Any]:
    """Return the raw values of one record: the specification's, then the page kind's usual places."""
    raw = read_fields(specs, item, document)
    for name, paths in defaults.items():
        if name not in specs:
            found = next(
                (
                    value
                    for path in paths
                    for value in document.read(item, path)
                    if isinstance(value, (str, int, float)) and not isinstance(value, bool)
                ),
                None,
            )
            if found is not None:
                raw[name] = found
    return raw


def scales(specs: Mapping[Any, FieldSpec]) -> dict[str, float | None]:
    """Return the full marks of the fields that name them."""
    return {name: spec.best for name, spec in specs.items() if spec.best is not None}


def merge_carried(records: Iterable[MentionRecord], carried: Mapping[str, Any]) -> None:
    """Add what the listing already told; the page itself goes first.

    Product, SKU and shop hold for everything on the page; the rest only for its one main record.
    """
    records = list(records)
    for record in records:
        for name in PLACE:
            if carried.get(name) and getattr(record, name) is None:
                setattr(record, name, carried[name])
    main = [record for record in records if record.kind not in SECONDARY]
    if len(main) != 1 or not carried:
        return
    record = main[0]
    former = record.native_id
    for name, value in carried.items():
        if name in ("native_id", "url", "precision"):
            continue
        if name in _KNOWN and value is not None and getattr(record, name) in (None, ""):
            setattr(record, name, value)
            if name == "published_at":
                record.precision = carried.get("precision", "minute")
    if carried.get("native_id"):
        record.native_id = str(carried["native_id"])
    for other in records:
        if other.parent == former:
            other.parent = record.native_id


def _whole(value: Any) -> Any:
    """12.0 from a spreadsheet-like API is the id 12."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _hash(spec: RecordSpec, values: Mapping[str, Any]) -> str:
    # Not the time: "3小时前" is another moment at each reading, and the record would be stored anew.
    parts = (spec.kind.value, values.get("author", ""), values.get("text", ""))
    return hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "ignore")).hexdigest()[:16]
