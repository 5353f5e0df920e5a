"""Changes to the configuration: comments stay, versions are kept, nobody overwrites anybody, red lines take two."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from vocwatch.configuring import APPLIED, REJECTED, WAITING, By, ChangeError, Configuring
from vocwatch.settings import ConfigError, Environment, load_settings, read_environment
from vocwatch.settings.changes import Change, apply_change, plain_tree
from vocwatch.settings.drafts import DraftError, fields_of, plain, with_watch
from vocwatch.settings.live import LiveSettings
from vocwatch.store import Store

NOW = dt.datetime(2026, 11, 16, 4, tzinfo=dt.UTC)
ANNA, BERT = By("甲", "console", NOW), By("乙", "console", NOW + dt.timedelta(hours=1))
FILE = "watches.yaml"
WATCHES = """# 我们的监测词
watches:
    - id: sgx   # 本品牌
      kind: brand
      name: 松果匣
      aliases:  # 大家的叫法
        -  松果家      # 老顾客
        - 松果匣子
    - {id: nut, kind: keyword,   name: 栗子屋}    # 邻居
# 末尾的话
"""


APP = """brand: {name: 松果匣, watch: sgx}   # 品牌
crawler: {contact: 'https://example.com/x'}
schedule:
  digest_at: "09:00"   # 几点发
digest: {max_risks: 5}
"""
TOPICS = """version: "1"
topics:
  - name: 商品安全   # 大类
    leaves:
      - {name: 过敏, words: 过敏}
red_lines:
  # 一碰就报
  - name: 人身伤害
    words: 烫伤 过敏
    topic: 商品安全/过敏
  - name: 假货
    words: 假货
"""


@pytest.fixture
def env(tmp_path: Path) -> Environment:
    """A small configuration, which is read quickly."""
    for name, text in {FILE: WATCHES, "vocwatch.yaml": APP, "topics.yaml": TOPICS, "keywords.yaml": "classes: []\n"}.items():
        path = tmp_path / "config" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for folder in ("sources", "sessions"):
        (tmp_path / "config" / folder).mkdir()
    return read_environment({"VOCWATCH_HOME": str(tmp_path), "VOCWATCH_SECRET": "test"})


@pytest.fixture
def config(env: Environment, store: Store) -> Configuring:
    return Configuring(env, store)


def text_of(config: Configuring, file: str = FILE) -> str:
    return config.path(file).read_text(encoding="utf-8")


def watch(ref: str, **keys: Any) -> Change:
    return Change("watch", f"watch:{ref}", {"id": ref, "kind": "keyword", "name": "栗子屋", **keys})


def made(config: Configuring, change: Change, by: By = ANNA, file: str = FILE) -> Any:
    return config.change(file, change, by, config.mark(file, change))


def test_a_change_leaves_the_rest_of_the_file_as_it_was_written(config: Configuring) -> None:
    made(config, watch("nut", aliases=["栗子"], exclude=["糖炒栗子"]))
    assert text_of(config) == WATCHES.replace(
        "{id: nut, kind: keyword,   name: 栗子屋}", "{id: nut, kind: keyword, name: 栗子屋, aliases: [栗子], exclude: [糖炒栗子]}").replace("    # 邻居", " # 邻居")
    made(config, Change("watch", "watch:sgx", {"id": "sgx", "kind": "brand", "name": "松果匣", "aliases": ["松果家", "小松果"]}))
    assert "# 老顾客" in text_of(config) and "# 本品牌" in text_of(config) and "# 末尾的话" in text_of(config)


COMMENTS = st.sampled_from(["", "  # 说明", "    # 另一句"])
ENTRY = st.tuples(st.sampled_from(["  ", "    ", ""]), COMMENTS, st.lists(st.sampled_from(["松果家", "小胖壶", "暖手宝"]), unique=True), st.booleans())


@given(st.lists(ENTRY, min_size=2, max_size=5), st.data())
@hypothesis_settings(max_examples=30, deadline=None)
def test_however_a_file_is_laid_out_the_other_entries_keep_their_lines(entries: list[Any], data: Any) -> None:
    indent = entries[0][0]
    lines = ["# 头", "watches:"]
    for number, (_, comment, aliases, flow) in enumerate(entries):
        lines += [f"{indent}- id: w{number}{comment}", f"{indent}  kind:   keyword", f"{indent}  name: 第{number}个{comment}"]
        if aliases:
            lines += [f"{indent}  aliases: [{',  '.join(aliases)}]"] if flow else [f"{indent}  aliases:", *(f"{indent}  -   {word}{comment}" for word in aliases)]
    text = "\n".join(lines) + "\n"
    chosen = data.draw(st.integers(0, len(entries) - 1))
    after = apply_change(text, Change("watch", f"watch:w{chosen}", {"id": f"w{chosen}", "kind": "keyword", "name": "改了名", "exclude": ["不是它"]}))
    tree = plain_tree(after)["watches"]
    assert tree[chosen] == {"id": f"w{chosen}", "kind": "keyword", "name": "改了名", "exclude": ["不是它"]}
    assert [one for at, one in enumerate(tree) if at != chosen] == [one for at, one in enumerate(plain_tree(text)["watches"]) if at != chosen]
    first = lines.index(f"{indent}- id: w{chosen}{entries[chosen][1]}")
    following = [at for at, line in enumerate(lines) if at > first and "- id: w" in line]
    kept = lines[:first] + (lines[following[0]:] if following else [])
    left = iter(after.splitlines())
    assert all(line in left for line in kept)  # in their order


def test_f12_a_broken_change_is_refused_with_its_line_and_nothing_is_written(config: Configuring) -> None:
    for bad, told in (
        (watch("bad", name="的"), "只有一个字"), (watch("bad", patterns=["("]), "正则表达式无法编译"), (watch("bad", query="(漏水 OR"), "缺一个词"),
        (watch("bad", brand="nobody"), "不存在的 id"), (watch("bad", alias=["x"]), "最接近的是 aliases"),
    ):
        with pytest.raises(ChangeError) as refused:
            made(config, bad)
        assert refused.value.kind == "invalid" and told in str(refused.value) and f"{config.path(FILE)}:" in str(refused.value)
    with pytest.raises(ChangeError) as refused:
        made(config, Change("keys", values={"brand.watch": "nobody"}), file="vocwatch.yaml")
    assert "nobody" in str(refused.value) and text_of(config) == WATCHES
    assert not [one for one in config.history() if one.what == "edit"]


def test_two_editors_of_one_watch_the_second_is_told(config: Configuring) -> None:
    change = watch("nut", aliases=["栗子"])
    opened = config.mark(FILE, change)
    config.change(FILE, change, ANNA, opened)
    with pytest.raises(ChangeError) as refused:
        config.change(FILE, watch("nut", aliases=["板栗"]), BERT, opened)
    assert refused.value.kind == "conflict" and "aliases: [栗子]" in text_of(config)
    other = watch("sgx", name="松果匣")
    assert config.change(FILE, other, BERT, config.mark(FILE, other)).state == APPLIED


def test_two_editors_of_two_watches_do_not_meet(config: Configuring) -> None:
    one, two = watch("nut", aliases=["栗子"]), Change("watch", "watch:new", {"id": "new", "kind": "keyword", "name": "漏水"})
    marks = [config.mark(FILE, change) for change in (one, two)]
    config.change(FILE, one, ANNA, marks[0])
    config.change(FILE, two, BERT, marks[1])
    assert [entry["id"] for entry in plain_tree(text_of(config))["watches"]] == ["sgx", "nut", "new"] and "栗子" in text_of(config)


def test_every_version_can_be_gone_back_to(config: Configuring) -> None:
    first = made(config, watch("nut", aliases=["栗子"]))
    made(config, watch("nut", aliases=["板栗"]), BERT)
    assert config.diff(first.id)[1:] and any(line.startswith("+") and "栗子" in line for line in config.diff(first.id))
    back = config.rollback(first.id, ANNA)
    assert "aliases: [栗子]" in text_of(config) and back.what == "rollback" and back.note == f"退回到版本 {first.id}"
    assert config.diff(back.id, first.id) == []
    start = config.history(FILE)[-1]
    assert (start.what, start.who) == ("hand", "手工")
    config.rollback(start.id, BERT)
    assert text_of(config) == WATCHES
    assert [one.what for one in config.history(FILE)] == ["rollback", "rollback", "edit", "edit", "hand"]


def test_what_was_edited_by_hand_is_noted_before_it_is_changed(config: Configuring) -> None:
    made(config, watch("nut", aliases=["栗子"]))
    config.path(FILE).write_text(text_of(config).replace("# 末尾的话", "# 我改的"), encoding="utf-8")
    made(config, watch("nut", aliases=["板栗"]))
    found = config.history(FILE)
    assert [one.what for one in found] == ["edit", "hand", "edit", "hand"] and "我改的" in found[1].content and "我改的" in text_of(config)


def test_a_red_line_waits_for_a_second_person(config: Configuring) -> None:
    change = watch("nut", red_line=True, aliases=["栗子"])
    waiting = made(config, change)
    assert waiting.state == WAITING and text_of(config) == WATCHES and any("red_line: true" in line for line in config.diff(waiting.id))
    with pytest.raises(ChangeError) as refused:
        config.approve(waiting.id, ANNA)
    assert refused.value.kind == "person" and text_of(config) == WATCHES
    made(config, Change("watch", "watch:new", {"id": "new", "kind": "keyword", "name": "漏水"}))  # meanwhile, elsewhere in the file
    agreed = config.approve(waiting.id, BERT)
    assert agreed.decided_by == "乙" and "red_line: true" in text_of(config) and "漏水" in text_of(config)
    with pytest.raises(ChangeError):
        config.approve(waiting.id, BERT)
    tame = made(config, watch("nut"))  # taking the mark away takes two as well
    assert tame.state == WAITING
    config.reject(tame.id, By("乙", "console", NOW, "还需要"))
    settled = config.find(tame.id)
    assert settled and settled.state == REJECTED and "还需要" in settled.note and "red_line: true" in text_of(config)
    assert made(config, Change("watch", "watch:nut", None)).state == WAITING


def test_an_approval_of_what_has_changed_since_is_refused(config: Configuring) -> None:
    waiting = made(config, watch("nut", red_line=True))
    made(config, watch("nut", aliases=["栗子"]))
    with pytest.raises(ChangeError) as refused:
        config.approve(waiting.id, BERT)
    assert refused.value.kind == "conflict" and "red_line" not in text_of(config)


def test_the_classes_of_topics_are_red_lines(config: Configuring) -> None:
    file, item = "topics.yaml", {"name": "人身伤害", "words": "烫伤 过敏", "topic": "商品安全/过敏", "cancel": "没有过敏反应"}
    waiting = made(config, Change("red_line", "red:人身伤害", item), file=file)
    assert waiting.state == WAITING and text_of(config, file) == TOPICS
    config.approve(waiting.id, BERT)
    assert load_settings(config._env).topics.red_lines[0].cancel == ("没有过敏反应",)
    assert text_of(config, file) == TOPICS.replace("    topic: 商品安全/过敏\n", "    topic: 商品安全/过敏\n    cancel: 没有过敏反应\n")
    assert made(config, Change("keys", values={"version": "2"}), file=file).state == APPLIED


def test_rolling_back_a_red_line_waits_too(config: Configuring) -> None:
    first = made(config, watch("nut", aliases=["栗子"]))
    waiting = made(config, watch("nut", red_line=True))
    config.approve(waiting.id, BERT)
    assert config.rollback(first.id, ANNA).state == WAITING and "red_line" in text_of(config)


@pytest.mark.parametrize("file", ["../x.yaml", "/etc/x.yaml", "sources/../../x.yaml", ".hidden.yaml", "watches.yml", "a/b/c.yaml", "sources\\x.yaml", "x/y.yaml", ""])
def test_no_other_file_is_reached(config: Configuring, file: str) -> None:
    for reach in (lambda: config.read(file), lambda: config.change(file, Change("content", content="x: 1\n"), ANNA, "")):
        with pytest.raises(ChangeError) as refused:
            reach()
        assert refused.value.kind == "gone"


def test_a_folder_that_cannot_be_written_is_told(config: Configuring) -> None:
    config.path(".".join(FILE.split("."))).with_name(f".{FILE}.draft").mkdir()
    with pytest.raises(ChangeError) as refused:
        made(config, watch("nut", aliases=["栗子"]))
    assert refused.value.kind == "unwritable" and text_of(config) == WATCHES and not config.history()


def test_f12_a_file_broken_by_hand_is_named_and_the_last_good_one_goes_on(config: Configuring, env: Environment) -> None:
    live = LiveSettings(load_settings(env))
    config.path(FILE).write_text(WATCHES + "  - {id: broken\n", encoding="utf-8")
    assert live.now(at_once=True).watches.watches[0].id == "sgx"
    assert len(live.problems) == 1 and f"{config.path(FILE)}:1" in live.problems[0]
    with pytest.raises(ChangeError) as refused:
        made(config, watch("nut", aliases=["栗子"]))
    assert refused.value.kind == "invalid" and f"{config.path(FILE)}:1" in str(refused.value)
    config.path(FILE).write_text(WATCHES.replace("松果家", "松果屋"), encoding="utf-8")
    assert live.now(at_once=True).watches.watches[0].aliases[0] == "松果屋" and not live.problems


def test_settings_keys_are_set_and_taken_out(config: Configuring) -> None:
    file = "vocwatch.yaml"
    before = text_of(config, file)
    made(config, Change("keys", values={"schedule.digest_at": "08:30", "digest.max_risks": 7, "mail.mode": None}), file=file)
    after = text_of(config, file)
    app = load_settings(config._env).app
    assert (app.schedule.digest_at, app.digest.max_risks) == ("08:30", 7)
    assert sum(one != two for one, two in zip(before.splitlines(), after.splitlines(), strict=True)) == 2


def test_a_form_and_a_watch_say_the_same(env: Environment) -> None:
    form = {
        "id": "k", "kind": "keyword", "name": "漏水", "aliases": "渗水、漏了 漏 水\n滴水", "require.all": "@ NEAR/4 杯\n客服 OR 售后",
        "context.any": "客服，退货", "context.within": "20", "variants": "list", "variant_rules": "homophone split", "red_line": "on",
    }
    with pytest.raises(DraftError) as refused:
        with_watch(load_settings(env).watches, fields_of(form))
    assert [(one.field, "只有一个字" in one.message) for one in refused.value.problems] == [("aliases", True), ("aliases", True)]
    found = with_watch(load_settings(env).watches, fields_of({**form, "aliases": "渗水、漏了，滴水"}))[1]
    assert plain(found) == {
        "id": "k", "kind": "keyword", "name": "漏水", "aliases": ["渗水", "漏了", "滴水"], "require": {"all": ["@ NEAR/4 杯", "客服 OR 售后"]},
        "context": {"any": ["客服", "退货"], "within": 20}, "variants": ["homophone", "split"], "red_line": True,
    }
    for bad, field in (({"context.within": "很近"}, "context.within"), ({"kind": "x"}, "kind"), ({"name": ""}, "name"), ({"id": "有空格 的"}, "id")):
        with pytest.raises(DraftError) as refused:
            with_watch(load_settings(env).watches, fields_of({"id": "k", "kind": "keyword", "name": "漏水", **bad}))
        assert field in {one.field for one in refused.value.problems}
    with pytest.raises(DraftError, match="最多 20000 个"):
        with_watch(load_settings(env).watches, {"id": "k", "kind": "keyword", "name": "漏水", "aliases": [f"词{n}" for n in range(20_001)]})


def test_a_broken_text_is_named_by_its_line() -> None:
    with pytest.raises(ConfigError, match=":3: YAML 写法有误"):
        apply_change("a: 1\nb: [1\nc: 2\n", Change("keys", values={"a": 2}))


def test_the_path_is_the_configurations(config: Configuring) -> None:
    assert config.path("sources/x.yaml") == Path(config._env.config) / "sources" / "x.yaml"
