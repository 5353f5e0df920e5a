"""Finding the header row of a table and the mapping that fits it."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sessions.values import Cell, text_of
from vocwatch.lang import listed, tr
from vocwatch.models import Path as QcPath
from vocwatch.settings import SessionMap
from vocwatch.settings.session_maps import Target

SEARCHED_ROWS = 20
_BRACKETED = re.compile(r"[(\[【].*?[)\]】]")
_SPACE = re.compile(r"[\s*:：\u200b-\u200f\ufeff]+")

# A field that is required may be given by another one.
_INSTEAD: Mapping[str, tuple[Target, ...]] = {
    "started_at": ("ended_at",), "transcript": ("review", "said"), "review": ("rating", "append"),
}


def header_key(cell: Cell) -> str:
    """Return a column name without what varies: width, case, blanks, asterisks, colons."""
    return _SPACE.sub("", unicodedata.normalize("NFKC", text_of(cell))).lower()


@dataclass(frozen=True)
class Fit:
    """How well a mapping fits one row taken as the header: the columns of each field, best first."""

    mapping: SessionMap
    row: int
    header: tuple[str, ...]
    columns: dict[Target, tuple[int, ...]]
    missing: tuple[Target, ...]

    @property
    def score(self) -> tuple[int, int, int]:
        """Order of preference: complete first, then more fields, then more of the file's columns."""
        used = {index for indices in self.columns.values() for index in indices}
        return (not self.missing, len(self.columns), len(used))

    @property
    def unknown(self) -> list[str]:
        """Columns of the file that the mapping does not use."""
        used = {index for indices in self.columns.values() for index in indices}
        return [name for index, name in enumerate(self.header) if name and index not in used]


def best_fits(maps: Iterable[SessionMap], rows: Sequence[Sequence[Cell]], headed: bool = False) -> list[Fit]:
    """Return the best fit of each mapping over the first rows (only row one if `headed`), the best first."""
    found: dict[str, Fit] = {}
    for number in range(min(len(rows), 1 if headed else SEARCHED_ROWS)):
        for header in _candidates(rows, number):
            if len([name for name in header if name]) < 2:
                continue  # a title over the table
            for mapping in maps:
                fit = fit_row(mapping, number, header)
                if mapping.name not in found or fit.score > found[mapping.name].score:
                    found[mapping.name] = fit
    return sorted(found.values(), key=lambda fit: fit.score, reverse=True)


def _candidates(rows: Sequence[Sequence[Cell]], number: int) -> list[tuple[str, ...]]:
    """Return the row as header, and the row with gaps filled from the group row above it."""
    plain = tuple(text_of(cell) for cell in rows[number])
    if number == 0 or all(plain):
        return [plain]
    above = [text_of(cell) for cell in rows[number - 1]]
    filled = tuple(name or (above[i] if i < len(above) else "") for i, name in enumerate(plain))
    return [plain, filled] if filled != plain else [plain]


def fit_row(mapping: SessionMap, number: int, header: tuple[str, ...]) -> Fit:
    """Match a header row against one mapping."""
    places: dict[str, list[int]] = {}
    for index, name in enumerate(header):
        key = header_key(name)
        for form in dict.fromkeys((key, _BRACKETED.sub("", key))):
            if form:
                places.setdefault(form, []).append(index)
    columns: dict[Target, tuple[int, ...]] = {}
    for target, synonyms in mapping.columns.items():
        found = [index for word in synonyms for index in places.get(header_key(word), ())]
        if found:
            columns[target] = tuple(dict.fromkeys(found))
    missing = tuple(target for target in mapping.required if not _given(mapping, target, columns))
    return Fit(mapping, number, header, columns, missing)


def _given(mapping: SessionMap, target: Target, columns: Mapping[Target, tuple[int, ...]]) -> bool:
    if target in columns or any(other in columns for other in _INSTEAD.get(target, ())):
        return True
    identity = mapping.identity if target == "native_id" else ()
    return bool(identity) and all(part in columns for part in identity)


def explain_misfit(fit: Fit | None, names: Sequence[str]) -> str:
    """Say in words what a header lacked (the nearest mapping, its missing fields, the unknown columns)."""
    if fit is None or not (fit.columns or len(names) == 1):
        seen = listed(name for name in (fit.header if fit else ()) if name)[:200]
        columns = tr(f"（看到的列：{seen}）", f" (columns seen: {seen})") if seen else ""
        return tr(f"认不出表头{columns}。现有格式：{listed(names) or '无'}",
                  f"the header is not known{columns}. Formats there are: {listed(names) or 'none'}")
    parts = [tr(f"表头对不上任何格式，最接近的是 {fit.mapping.name}（{fit.mapping.title}）",
                f"the header fits no format; the nearest is {fit.mapping.name}")]
    for target in fit.missing:
        words = fit.mapping.columns.get(target, ())
        near = [name for name in fit.unknown for _ in difflib.get_close_matches(name, words, n=1, cutoff=0.5)]
        hint = tr(f"，是不是“{near[0]}”？", f", is it “{near[0]}”?") if near else ""
        parts.append(tr(f"缺 {target}（如：{listed(words[:4])}）{hint}", f"{target} is missing (as: {listed(words[:4])}){hint}"))
    if fit.unknown:
        parts.append(tr(f"不认识的列：{listed(fit.unknown[:12])}", f"unknown columns: {listed(fit.unknown[:12])}"))
    return tr("；", "; ").join(parts)


class PathFinder:
    """Tells the 质检路径 of a row: by its column, sheet, mapping, file name, or a telling column."""

    def __init__(self, fit: Fit, sheet: str | None, file_name: str):
        self._words = {header_key(word): path for word, path in fit.mapping.path_values.items()}
        self._words.update({header_key(path.value): path for path in QcPath})
        names = {header_key(word): path for word, path in fit.mapping.sheets.items()}
        names.update({header_key(path.value): path for path in QcPath})
        telling = {path for target, path in fit.mapping.path_columns.items() if target in fit.columns}
        self.has_column = "path" in fit.columns
        self._named = _containing(names, sheet or "") or fit.mapping.path or _containing(names, file_name)
        self.named = self._named is not None
        self.default = self._named or (next(iter(telling)) if len(telling) == 1 else None)
        # Only the column 满意度 tells the path: rows that are satisfied are none of 非满意.
        self.by_rating = not self.named and not self.has_column and self.default is fit.mapping.path_columns.get("rating")

    def knows(self, value: str) -> bool:
        """Whether a value of the path column is one."""
        return (self._words.get(header_key(value)) or _containing(self._words, value)) is not None

    def of(self, value: str) -> QcPath:
        """Return the path of a row whose path column says `value` (empty without one). Raises ValueError."""
        if value:
            # A column called 来源 may as well tell the shop platform: the name of sheet or file decides then.
            path = self._words.get(header_key(value)) or _containing(self._words, value) or self._named
            if path is None:
                known = listed(item.value for item in QcPath)
                raise ValueError(tr(f"不认识的质检路径：{value[:40]}。可用：{known}", f"unknown quality-check path: {value[:40]}. There are: {known}"))
            return path
        if self.default is None:
            raise ValueError(tr("没有写质检路径", "no quality-check path is given"))
        return self.default


def _containing(words: Mapping[str, QcPath], text: str) -> QcPath | None:
    """Return the path whose longest word stands in the text."""
    key = header_key(text)
    found = [word for word in words if word and word in key]
    return words[max(found, key=len)] if found else None
