"""How a hit's rule is told to people: the rules' names are for rows and files."""

from __future__ import annotations

from vocwatch.lang import tr

_WORDS = {
    "name": ("名称", "name"), "alias": ("别名", "alias"), "ambiguous": ("多义词", "everyday word"),
    "pattern": ("自定义写法", "own pattern"), "query": ("组合条件", "query"), "sku": ("货号", "SKU"),
    "page": ("本品页面", "product's page"), "parent": ("随主帖", "post above"),
    "brand": ("同篇提到品牌", "beside the brand"), "context": ("上下文像在说它", "by context"),
    "squeezed": ("字间夹了符号", "signs between the letters"), "homophone": ("谐音字", "homophone"), "pinyin": ("拼音", "pinyin"),
    "mixed-pinyin": ("拼音夹汉字", "pinyin and characters"), "initials": ("首字母", "initials"), "split": ("拆字", "split character"),
    "look-alike": ("形近字", "look-alike"), "homoglyph": ("形似字母", "homoglyph"), "reversed": ("倒写", "reversed"),
    "emoji": ("表情代字", "emoji"), "masked": ("打码写法", "masked"),
}


def hit_words(rule: str) -> str:
    """Return the words for a rule; of one that was combined (`ambiguous+context`) those of each part, what isn't known as
    it stands.
    """
    parts = [_WORDS.get(part.rstrip("0123456789"), (part, part)) for part in rule.split("+")]
    return tr("，", ", ").join(tr(*part) for part in parts)
