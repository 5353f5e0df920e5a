"""What a rating says: satisfied, fairly satisfied or not, by its words or its stars."""

from __future__ import annotations

SATISFIED, FAIR, UNSATISFIED = "满意", "一般满意", "不满意"
_BAD_WORDS = ("不满", "差评", "很差", "太差", "失望", "bad", "poor", "unsatisf", "dissatisf", "not satisf")
_FAIR_WORDS = ("一般", "中评", "尚可", "还行", "中立", "基本满意", "neutral", "average", "fair", "okay")
_GOOD_WORDS = ("满意", "好评", "推荐", "很好", "good", "great", "excellent", "amazing", "satisf")


def grade(rating: str | None, stars: float | None = None) -> str | None:
    """Return 满意, 一般满意 or 不满意 for the words of a rating or its stars (4–5, 3, 1–2 of five); None for neither.

    Words count first, the bad ones before the good: “非常不满意” holds 满意. What can't be told is left unknown.
    """
    text = (rating or "").strip().lower()
    if any(word in text for word in _BAD_WORDS) or text in ("差", "不好"):
        return UNSATISFIED
    if any(word in text for word in _FAIR_WORDS) and "不一般" not in text:
        return FAIR
    if any(word in text for word in _GOOD_WORDS) or text == "好":
        return SATISFIED
    if stars is None or not 0 < stars <= 5:
        return None
    return SATISFIED if stars >= 4 else FAIR if stars >= 3 else UNSATISFIED
