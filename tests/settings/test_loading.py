"""Bad configuration is refused with file, line, key and the nearest valid key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import ROOT
from vocwatch.settings import ConfigError, load_settings, read_environment
from vocwatch.settings.edit import set_key
from vocwatch.settings.loader import SCHEMAS, export_schemas

SOURCE = """\
name: shop
title: 店
owner: 张三
access: {basis: 公开页面, robots: 允许, reviewer: 李四, date: 2026-11-01}
start: ["https://example.com/"]
listing:
  extract: html
  records:
    - kind: review
      items: li
      fields:
        text: p
"""


def load(home: Path, **variables: str):  # type: ignore[no-untyped-def]
    return load_settings(read_environment({"VOCWATCH_HOME": str(home), **variables}))


def problems(home: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(home)
    return caught.value.problems


def write(home: Path, name: str, text: str) -> Path:
    path = home / "config" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_configuration_loads(home: Path) -> None:
    settings = load(home)
    assert settings.app.brand.name
    assert settings.topics.red_lines


def test_an_unknown_key_names_file_line_and_nearest_key(home: Path) -> None:
    path = write(home, "sources/shop.yaml", SOURCE.replace("owner:", "ower:"))
    found = problems(home)
    assert f"{path}:3: 不认识的键 ower。最接近的是 owner" in found
    assert any("缺少 owner" in line for line in found)


def test_an_unknown_key_deep_inside_is_found(home: Path) -> None:
    path = write(home, "sources/shop.yaml", SOURCE + "rate:\n  delay_secs: 1\n")
    assert problems(home) == [f"{path}:14: 不认识的键 rate.delay_secs。最接近的是 delay_seconds"]


def test_a_field_name_that_does_not_exist_is_refused_at_its_line(home: Path) -> None:
    path = write(home, "sources/shop.yaml", SOURCE + "        auther: .name\n")
    assert any(line.startswith(f"{path}:13:") and "auther" in line for line in problems(home))


def test_broken_yaml_names_its_line(home: Path) -> None:
    path = write(home, "watches.yaml", "watches:\n  - id: a\n   kind: brand\n")
    assert problems(home)[0].startswith(f"{path}:3: YAML")


@pytest.mark.parametrize("text", ["", "- a\n", "42\n"])
def test_a_file_that_is_no_mapping_is_refused(home: Path, text: str) -> None:
    path = write(home, "vocwatch.yaml", text)
    assert problems(home)[0].startswith(f"{path}:1:")


def test_a_missing_file_is_named(home: Path) -> None:
    (home / "config" / "watches.yaml").unlink()
    assert "watches.yaml" in problems(home)[0]


def test_a_bomb_of_aliases_is_refused_unexpanded(home: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"k{i}: &k{i} [*a, *a, *a]\n" for i in range(30))
    write(home, "vocwatch.yaml", bomb)
    assert "别名" in problems(home)[0]


def test_a_pattern_that_does_not_compile_is_refused(home: Path) -> None:
    write(home, "watches.yaml", "watches:\n  - {id: songguoxia, kind: brand, name: 松果匣, patterns: ['(']}\n")
    assert "正则表达式无法编译" in problems(home)[0]


def test_a_brand_that_is_not_watched_is_refused(home: Path) -> None:
    write(home, "watches.yaml", "watches:\n  - {id: other, kind: brand, name: 别家}\n")
    assert "brand.watch" in problems(home)[0]


def test_file_name_and_source_name_must_agree(home: Path) -> None:
    write(home, "sources/elsewhere.yaml", SOURCE)
    assert "elsewhere" in problems(home)[0]


def test_variables_are_filled_with_their_default_or_refused(home: Path) -> None:
    write(home, "sources/shop.yaml", SOURCE.replace("https://example.com/", "${SHOP:-https://example.com}/list"))
    assert load(home).sources["shop"].start == ("https://example.com/list",)
    assert load(home, SHOP="http://127.0.0.1:1").sources["shop"].start == ("http://127.0.0.1:1/list",)
    write(home, "sources/shop.yaml", SOURCE.replace("https://example.com/", "${SHOP}/list"))
    assert "SHOP" in problems(home)[0]


def test_all_faults_are_reported_at_once(home: Path) -> None:
    write(home, "sources/shop.yaml", SOURCE.replace("owner:", "ower:"))
    write(home, "watches.yaml", "watches: 3\n")
    assert len(problems(home)) >= 3


def test_owner_by_shop_then_sku_then_default(home: Path) -> None:
    text = (home / "config" / "vocwatch.yaml").read_text(encoding="utf-8")
    text = text.replace("shops: []", "shops: [{id: S1, name: 旗舰店, owner: 张三, skus: [A-1]}]")
    write(home, "vocwatch.yaml", text)
    settings = load(home)
    assert [settings.owner_of("旗舰店"), settings.owner_of(None, "A-1"), settings.owner_of("别店")] == ["张三", "张三", "值班QA"]


def test_the_schemas_in_the_tree_are_those_of_the_models(tmp_path: Path) -> None:
    for path in export_schemas(tmp_path):
        kept = ROOT / "config" / "schema" / path.name
        assert json.loads(kept.read_text(encoding="utf-8")) == json.loads(path.read_text(encoding="utf-8")), (
            f"{path.name}: run vocwatch doctor --write-docs"
        )
    assert {path.name.split(".")[0] for path in (ROOT / "config" / "schema").iterdir()} == set(SCHEMAS)


def test_an_edit_keeps_comments(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("# 为什么\nname: a   # 名字\nenabled: true\n", encoding="utf-8")
    set_key(path, "enabled", False)
    assert path.read_text(encoding="utf-8") == "# 为什么\nname: a   # 名字\nenabled: false\n"
