"""The form of one watch: its fields as they stand in the file, as somebody typed them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vocwatch.settings.drafts import LINES
from vocwatch.settings.watches import Watch

TEXTS = ("id", "name", "kind", "brand", "sku", "query")
WORDS = (
    "aliases", "ambiguous", "exclude", "patterns", "examples", "counter_examples", "require.all", "require.any", "require.none",
    "context.any", "context.none",
)
KINDS = ("brand", "product", "competitor", "keyword")
VARIANTS = ("squeezed", "homophone", "pinyin", "mixed-pinyin", "initials", "split", "look-alike", "homoglyph", "reversed", "emoji", "masked")
MORE = ("query", "patterns", "require.all", "require.any", "require.none", "examples", "counter_examples", "context.none")
"""Fields that stand folded away as long as none of them is used."""
_SHORT = "、"


@dataclass
class Shown:
    """A form as it is shown: field -> text. `replaces` is the id of the saved watch, `mark` what it was when it was opened."""

    values: dict[str, str]
    replaces: str = ""
    mark: str = ""
    days: int = 7
    note: str = ""
    problems: dict[str, list[str]] = field(default_factory=dict)

    def get(self, key: str) -> str:
        """Return what stands in a field."""
        return self.values.get(key, "")

    @property
    def opened(self) -> bool:
        """Whether any of the rarer fields is used, or wrong."""
        return any(self.values.get(key) or key in self.problems for key in MORE)


def of_watch(watch: Watch, mark: str) -> Shown:
    """Return the form of a saved watch."""
    values = {key: str(getattr(watch, key) or "") for key in TEXTS}
    for key in WORDS:
        outer, _, inner = key.partition(".")
        found = getattr(watch, outer)
        words = getattr(found, inner) if inner else found
        values[key] = ("\n" if key in LINES else _SHORT).join(words)
    values["context.within"] = str(watch.context.within)
    if watch.variants is not None:
        values["variants"] = "list" if isinstance(watch.variants, tuple) else str(watch.variants).lower()
        values["variant_rules"] = " ".join(watch.variants) if isinstance(watch.variants, tuple) else ""
    for key in ("needs_brand", "red_line"):
        values[key] = "on" if getattr(watch, key) else ""
    return Shown(values, watch.id, mark)


def of_form(form: Mapping[str, str]) -> Shown:
    """Return the form as it was sent; a suggested word is put among the aliases (`add`) or the exclusions (`not`)."""
    values = {key: form.get(key, "")[:400_000] for key in (*TEXTS, *WORDS, "context.within", "variants", "variant_rules", "needs_brand", "red_line")}
    for button, key in (("add", "aliases"), ("not", "exclude")):
        if word := form.get(button, "").strip()[:100]:
            values[key] = f"{values[key].rstrip('、，, ')}{_SHORT}{word}".lstrip(_SHORT)
    days = form.get("days", "7")
    return Shown(values, form.get("replaces", "")[:64], form.get("mark", "")[:100], 28 if days == "28" else 7, form.get("note", "")[:500])


def empty(kind: str = "keyword") -> Shown:
    """Return the form of a watch that is not there yet."""
    return Shown({"kind": kind if kind in KINDS else "keyword", "context.within": "40"})
