"""Writing a proposed source: a YAML file that a person likes to edit, the pages it was made from, and what they give.

The pages lie in the data folder under sources/NAME, in the layout of `tests/pages`: copied there, the folder is a test.
They are moved to their place whole before the YAML file gets its name, and taken away again where it does not: without
a YAML file there is no source, and a folder that a kill left behind is replaced.
"""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from crawlers.propose import Proposal
from crawlers.propose_saved import files_of
from crawlers.propose_talk import TO_FILL
from vocwatch.lang import tr
from vocwatch.settings import Settings, Source
from vocwatch.settings.yamlfile import load_model

_HEADS = {
    "access": (
        "凭什么读：依据、robots.txt 的结论、谁在哪天复核的",
        "on what ground it is read: the basis, what robots.txt says, who reviewed it and when",
    ),
    "transport": ("页面由脚本画出来，要用浏览器打开", "scripts draw the page: it needs a browser"),
    "rate": ("多快算快：这是上限，不是目标", "how fast it may be: a ceiling, not an aim"),
    "keywords": (
        "填进 start 里的 {keyword}；watches = config/watches.yaml 里的品牌词",
        "what {keyword} in start becomes; watches = the brands of config/watches.yaml",
    ),
    "start": ("从哪里开始读", "where reading begins"),
    "browser": ("浏览器等什么出现、往下滚到什么不再增加", "what the browser waits for, and scrolls for until no more of it comes"),
    "listing": ("列表页", "the list"),
    "detail": ("详情页（一篇帖子和它的回复，或一个商品的评价）", "a detail page (a post and its replies, or the reviews of a product)"),
    "comments": ("同一个页面上的评论", "the comments on the same page"),
}
_ORDER = (
    "name",
    "title",
    "enabled",
    "owner",
    "access",
    "transport",
    "tier",
    "rate",
    "keywords",
    "start",
    "browser",
    "listing",
    "detail",
    "comments",
)


def write(settings: Settings, proposal: Proposal) -> Path:
    """Write all files or none; returns the YAML file. Raises FileExistsError, ConfigError, OSError."""
    folder = settings.env.config / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{proposal.source.name}.yaml"
    if path.exists():
        raise FileExistsError(17, "exists", str(path))
    draft = folder / f".{path.name}.{os.getpid()}.draft"
    text = as_yaml(proposal).encode()
    try:
        draft.write_bytes(text)
        load_model(draft, Source, settings.env.variables)
        kept = keep_pages(settings, proposal, text)
        try:
            _publish(draft, path)
        except OSError:
            if not path.exists():  # where another run was first, the folder may be its own by now
                shutil.rmtree(kept, ignore_errors=True)
            raise
    finally:
        draft.unlink(missing_ok=True)
    return path


def pages_folder(settings: Settings, name: str) -> Path:
    """Return where the pages that a source was made from are kept; they go when raw pages go."""
    return settings.env.data / "sources" / name


def keep_pages(settings: Settings, proposal: Proposal, text: bytes) -> Path:
    """Save the pages, what they give and the source file as one folder; returns it. Raises OSError."""
    folder = pages_folder(settings, proposal.source.name)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        for name, content in {**files_of(settings, proposal), "source.yaml": text}.items():
            (draft / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _publish(draft: Path, path: Path) -> None:
    """Give the finished draft its name, unless somebody else has taken it in the meantime."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise FileExistsError(17, "exists", str(path)) from error


def as_yaml(proposal: Proposal) -> str:
    """Return the source file's text."""
    plain = proposal.source.model_dump(mode="python", exclude_unset=True, exclude_defaults=True)
    plain["enabled"] = False
    tree = CommentedMap()
    for key in _ORDER:
        if key in plain:
            tree[key] = _node(_short(plain[key]), key)
    tree["access"].fa.set_block_style()
    tree.yaml_add_eol_comment(tr(
        "看过 vocwatch source test 的结果再启用", "look at what vocwatch source test shows before it is switched on",
    ), "enabled")
    for key, words in _HEADS.items():
        if key in tree:
            tree.yaml_set_comment_before_after_key(key, before=tr(*words))
    tree.yaml_set_start_comment("\n".join(_preface(proposal)))
    yaml = YAML(typ="rt")
    yaml.width, yaml.allow_unicode = 4096, True
    buffer = io.StringIO()
    yaml.dump(tree, buffer)
    return buffer.getvalue()


def _preface(proposal: Proposal) -> list[str]:
    filled = tr("，", ", ").join(f"{name} {part[0]}/{part[1]}" for name, part in sorted(proposal.coverage.items())) or "—"
    title, made = _comment(proposal.source.title), proposal.source.access.date
    kind, robots, count = _comment(proposal.kind), _comment(proposal.robots), len(proposal.records)
    unfilled = [tr(f"标着{TO_FILL}的几处填好才能启用。", f"Fill in what says {TO_FILL} before it is switched on.")] if TO_FILL in (proposal.source.owner, *proposal.source.access.model_dump().values()) else []
    lines = [
        *unfilled,
        tr(f"{title}：由 vocwatch source new 生成（{made}），请核对后再启用。",
           f"{title}: made by vocwatch source new ({made}); check it before it is switched on."),
        tr(f"页面类型：{kind}。robots.txt：{robots}。", f"Kind of page: {kind}. robots.txt: {robots}."),
        tr(f"样页读出 {count} 条；字段填充：{filled}。", f"{count} records on the sample pages; fields filled: {filled}."),
        tr("字段写法：CSS 选择器（选择器@属性 取属性）；JSON 和订阅源用 JMESPath。说明见 docs/add-a-source.zh-CN.md。",
           "How fields are written: CSS selectors (selector@attribute for an attribute); JMESPath for JSON and feeds. "
           "See docs/add-a-source.md."),
    ]
    return lines + [_comment(note) for note in proposal.notes]


def _comment(text: str) -> str:
    """A comment is one line: nothing from a page may begin another."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:300]


def _short(value: Any, key: str = "") -> Any:
    """Turn dumped models into what a person would write: `text: p.review-text` for one plain path."""
    if isinstance(value, dict):
        if set(value) == {"path"} and isinstance(value["path"], (list, tuple)):
            return value["path"][0] if len(value["path"]) == 1 else list(value["path"])
        if "path" in value and isinstance(value["path"], (list, tuple)) and len(value["path"]) == 1:
            value = {**value, "path": value["path"][0]}
        return {name: _short(inner, name) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_short(inner, key) for inner in value]
    return str(value) if isinstance(value, str) else value


def _node(value: Any, key: str) -> Any:
    """Build the YAML tree: short lists and field specifications on one line, the rest in blocks."""
    if isinstance(value, dict):
        node = CommentedMap((name, _node(inner, name)) for name, inner in value.items())
        if key in ("next", "rate", "browser") or "path" in value:
            node.fa.set_flow_style()
        return node
    if isinstance(value, list):
        items = CommentedSeq(_node(inner, "") for inner in value)
        if not any(isinstance(inner, dict) for inner in value) and key != "start":
            items.fa.set_flow_style()
        return items
    return value
