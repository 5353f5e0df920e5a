"""docs/sources: the table of the catalogue and of what can't be had, made from the YAML files themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vocwatch.settings.catalogue import CatalogueEnglish, UnavailableList
from vocwatch.settings.sources import Source, Step
from vocwatch.settings.yamlfile import load_model

FILES = ("sources.zh-CN.md", "sources.md")
_WORDS = {
    "zh": {
        "head": "# 来源目录\n\n由 `config/sources/catalogue/` 生成（`vocwatch doctor --write-docs`），过期时测试会失败。\n\n"
                "采用一个来源：把文件复制到 `config/sources/`，改 `start`，填好 `owner` 和 `access`（目录里的都写着“待填”），"
                "再 `vocwatch source test 名字`、`vocwatch source enable 名字`。没有列出的网站用 "
                "[vocwatch source new](add-a-source.zh-CN.md)。\n\n"
                "每个来源只读未登录就能看到的内容；遇到登录、验证、拦截就停，日报里记为未知，不当作没有声音。\n\n"
                "自家店铺的评价从商家后台导出（CSV、XLSX、JSON），再用 `vocwatch sessions import 文件` 导入：程序按表头认出是哪个平台的"
                "评价，存成名字以 `-shop` 结尾的来源的提及；认不出平台时在文件名里写明，或加 `--format jd-reviews`。列名对照在 "
                "`config/sessions/` 的 `*-reviews.yaml`，可以自己加。启用了的店铺来源，哪天没有导入，哪天就是未知。\n",
        "columns": ("名字", "平台", "读什么", "方式", "字段", "限制", "依据"),
        "list": "列表", "detail": "详情", "comments": "评论", "export": "后台导出", "http": "网页请求", "browser": "浏览器",
        "gone": "\n## 拿不到的内容\n\n下面这些要登录、签名、过验证或授权才有。vocwatch 没有、也不会有绕过它们的代码；右边是正当的替代办法。\n",
        "gone_columns": ("平台", "内容", "隔着什么", "为什么", "替代办法", "对应来源"),
    },
    "en": {
        "head": "# Source catalogue\n\nMade from `config/sources/catalogue/` (`vocwatch doctor --write-docs`); a test fails when it "
                "is stale.\n\nTo adopt a source: copy its file to `config/sources/`, set `start`, fill in `owner` and `access` "
                "(they all say 待填, \"to be filled in\"), then `vocwatch source test NAME` and `vocwatch source enable NAME`. "
                "For any other site use [vocwatch source new](add-a-source.md).\n\nA source reads only what is visible without "
                "logging in. At a login, a challenge or a block it stops, and the digest says unknown, never quiet.\n\n"
                "Reviews of your own shops come out of the merchant back office (CSV, XLSX, JSON) through `vocwatch sessions import "
                "FILE`: the platform is recognised by the header, and the rows become mentions of the source whose name ends in "
                "`-shop`. Where the header doesn't tell, put the platform into the file's name or add `--format jd-reviews`. The "
                "column names stand in `config/sessions/*-reviews.yaml`; add your own. A day without an import is unknown.\n",
        "columns": ("Name", "Platform", "What is read", "Transport", "Fields", "Limits"),
        "list": "list", "detail": "detail", "comments": "comments", "export": "export file", "http": "HTTP", "browser": "browser",
        "gone": "\n## What can't be had\n\nThese need a login, a signature, a challenge or a licence. vocwatch has no code to get "
                "around them and never will; the legitimate way stands on the right.\n",
        "gone_columns": ("Platform", "What", "Behind", "Instead", "Sources"),
    },
}
_BARRIERS = {"登录": "login", "签名": "signature", "验证": "challenge", "授权": "licence", "混淆": "obfuscation"}
_FORMS = {"feed": "RSS/Atom", "json": "JSON", "html": "HTML"}


def sources_documents(root: Path) -> dict[str, str]:
    """Return the text of each document by file name. Raises ConfigError for a file that can't be read."""
    folder = root / "config" / "sources"
    sources = [load_model(path, Source, {}) for path in sorted((folder / "catalogue").glob("*.yaml"))]
    missing = load_model(folder / "unavailable.yaml", UnavailableList, {})
    english = load_model(folder / "catalogue.en.yaml", CatalogueEnglish, {}).limits
    return {
        FILES[0]: _document("zh", sources, missing, {source.name: source.limits for source in sources}),
        FILES[1]: _document("en", sources, missing, english),
    }


def _document(lang: str, sources: Sequence[Source], missing: UnavailableList, limits: dict[str, str]) -> str:
    words = _WORDS[lang]
    lines = [str(words["head"]), _row(words["columns"]), _rule(words["columns"])]
    for source in sources:
        cells = [
            f"[{source.name}](../config/sources/catalogue/{source.name}.yaml)", source.title, _reads(source, lang),
            str(words[source.transport]), _fields(source), limits.get(source.name, ""),
        ]
        lines.append(_row([*cells, source.access.basis] if lang == "zh" else cells))
    lines += [str(words["gone"]), _row(words["gone_columns"]), _rule(words["gone_columns"])]
    for item in missing.items:
        names = "、".join(item.sources) if lang == "zh" else ", ".join(item.sources)
        if lang == "zh":
            lines.append(_row([item.platform, item.what, "、".join(item.barrier), item.why, item.instead, names]))
        else:
            behind = ", ".join(_BARRIERS[name] for name in item.barrier)
            lines.append(_row([item.platform_en, item.what_en, behind, item.instead_en, names]))
    return "\n".join(lines) + "\n"


def _reads(source: Source, lang: str) -> str:
    words = _WORDS[lang]
    if source.transport == "export":
        return "CSV, XLSX, JSON"
    steps = (("list", source.listing), ("detail", source.detail), ("comments", source.comments))
    parts = [f"{words[name]} {_FORMS[step.extract]}" for name, step in steps if step is not None]
    return "; ".join(parts) if lang == "en" else "；".join(parts)


def _fields(source: Source) -> str:
    """The fields that the records of a source name, in the order of first mention."""
    steps = [step for step in (source.listing, source.detail, source.comments) if step is not None]
    named = dict.fromkeys(name for step in steps for name in _named(step))
    return ", ".join(name for name in named if name not in ("native_id", "url"))


def _named(step: Step) -> list[str]:
    found: list[str] = []
    for record in step.records:
        found += record.fields
        if record.article or record.jsonld or step.extract == "feed":
            found += ["title", "text", "author", "published_at"]
        if record.jsonld == "Review":
            found.append("rating")
    return found


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '｜').strip() for cell in cells)} |"


def _rule(columns: Sequence[str]) -> str:
    return "|" + "---|" * len(columns)
