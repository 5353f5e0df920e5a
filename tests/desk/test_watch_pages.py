"""监测词, 设置 and their versions, as pages: by httpx within the process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.desk.kit import WATCHES, settings_at, write_config
from tests.reports import factory
from tests.web.login import LoggedIn, client_of, log_in
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Store, Any]]:
    """Forty invented days, and one console over them for all tests of this module."""
    from reports.web.app import make_app

    settings = settings_at(tmp_path_factory.mktemp("story"))
    store = open_store(settings.env.database_url)
    factory.forty_days(store)
    yield settings, store, make_app(settings, store, DeskTools)
    store.close()


@pytest.fixture
def editor(story: tuple[Settings, Store, Any]) -> Iterator[LoggedIn]:
    """An editor's client; the configuration is as it was at first."""
    settings, store, app = story
    write_config(settings.env.config)
    with client_of(settings, store, "editor", app=app) as client:
        yield client


def config(story: tuple[Settings, Store, Any], name: str = "watches.yaml") -> Path:
    return story[0].env.config / name


def fields(page: httpx.Response) -> dict[str, str]:
    """What the form of a watch would send."""
    found = dict(re.findall(r'<input[^>]*? name="([\w.]+)" value="([^"]*)"', page.text))
    found |= dict(re.findall(r'<textarea name="([\w.]+)"[^>]*>([^<]*)<', page.text))
    for select in re.findall(r'<select name="([\w.]+)".*?</select>', page.text, re.S):
        chosen = re.search(rf'<select name="{re.escape(select)}".*?<option value="([^"]*)" selected', page.text, re.S)
        found[select] = chosen.group(1) if chosen else ""
    found |= dict.fromkeys(re.findall(r'type="checkbox" name="(\w+)" checked', page.text), "on")
    found.pop("_csrf", None)
    found.pop("q", None)
    return found


def figure(page: httpx.Response, name: str) -> str:
    return re.search(rf'data-figure="{name}">([^<]*)<', page.text).group(1)  # type: ignore[union-attr]


def test_the_list_shows_what_each_watch_caught(editor: LoggedIn) -> None:
    page = editor.get("/watches")
    assert page.status_code == 200 and "松果匣" in page.text and 'href="watches/leak"' in page.text
    assert re.search(r'mentions\?watch=songguoxia&amp;since=2026-11-10">\d+<', page.text)
    assert "人身伤害" not in editor.get("/watches?kind=brand&find=松果").text.partition("<h2>")[0]
    assert "没有这样的监测词" in editor.get("/watches?find=nobody").text


def test_a_rule_is_tried_as_it_is_typed(editor: LoggedIn) -> None:
    form = fields(editor.get("/watches/leak"))
    assert (form["name"], form["exclude"], form["kind"]) == ("漏水", "不漏水", "keyword")
    before = editor.post("/watches/try", data={**form, "days": "28"})
    more = editor.post("/watches/try", data={**form, "aliases": "渗", "days": "28"})
    assert int(figure(before, "caught")) > 10 and "只有一个字" in more.text
    wider = editor.post("/watches/try", data={**form, "aliases": "倒着放会渗", "days": "28"})
    assert int(figure(wider, "caught")) >= int(figure(before, "caught")) and 'value="漏水"' in wider.text


@pytest.mark.parametrize(("typed", "told"), [
    ({"name": "的"}, "只有一个字"), ({"query": "(漏水 OR"}, "缺一个词"), ({"query": '漏水" OR'}, "引号没有配对"), ({"patterns": "("}, "正则表达式无法编译"),
    ({"query": "NOT 漏水"}, "不带 NOT 的词"), ({"context.within": "9" * 50}, "写法不对"), ({"kind": "x"}, "只能是"), ({"aliases": " ".join(f"词{n}号" for n in range(20_001))}, "最多 20000 个"),
    ({"brand": "nobody"}, "不存在的 id"), ({"variants": "list", "variant_rules": "magic"}, "只能是"), ({"id": "../x"}, "只能用字母"),
])
def test_f30_f36_what_cannot_be_a_rule_is_said_plainly(editor: LoggedIn, typed: dict[str, str], told: str) -> None:
    form = {**fields(editor.get("/watches/leak")), **typed}
    tried, saved = editor.post("/watches/try", data=form), editor.post("/watches", data=form)
    assert tried.status_code == 200 and told in tried.text and saved.status_code == 400 and told in saved.text


@pytest.mark.parametrize("typed", [
    {"patterns": "(a+)+$"}, {"query": "漏水 AND 1=1 --"}, {"query": "\"'; DROP TABLE mentions\" OR 漏水"}, {"aliases": "%_* MATCH NEAR("}, {"name": "<script>alert(1)</script>"},
    {"aliases": "\x00\u202e\u200b漏水了"}, {"aliases": " ".join(f"词{n}号" for n in range(10_000))}, {"note": "x" * 5000}, {"days": "-1"}, {"require.all": "@ NEAR/500 漏"},
])
def test_f35_f36_operators_and_hostile_words_break_nothing(editor: LoggedIn, typed: dict[str, str]) -> None:
    page = editor.post("/watches/try", data={**fields(editor.get("/watches/leak")), **typed})
    assert page.status_code == 200 and "<script>alert" not in page.text and 'id="lab"' in page.text


def test_saving_keeps_comments_and_makes_a_version(editor: LoggedIn, story: Any) -> None:
    form = {**fields(editor.get("/watches/leak")), "aliases": "渗水、漏了", "note": "多抓渗水"}
    answer = editor.post("/watches", data=form)
    assert answer.status_code == 303
    text = config(story).read_text(encoding="utf-8")
    assert text == WATCHES.replace("name: 漏水, exclude: [不漏水]}", "name: 漏水, exclude: [不漏水], aliases: [渗水, 漏了]}")
    shown = editor.get("/" + answer.headers["location"].lstrip("./"))
    assert "已保存" in shown.text and "多抓渗水" in shown.text and 'class="add"' in shown.text
    assert fields(editor.get("/watches/leak"))["aliases"] == "渗水、漏了"  # the console goes on with it
    assert "渗水" in editor.get("/watches").text


def test_two_editors_the_second_sees_both(editor: LoggedIn, story: Any) -> None:
    settings, store, app = story
    mine = {**fields(editor.get("/watches/leak")), "aliases": "渗水"}
    with client_of(settings, store, "admin", app=app) as other:
        assert other.post("/watches", data={**fields(other.get("/watches/leak")), "aliases": "漏了"}).status_code == 303
    answer = editor.post("/watches", data=mine)
    assert answer.status_code == 409 and "别人先改了" in answer.text and "管理丁" in answer.text
    both = answer.text.partition('class="card conflict"')[2].partition("</section>")[0]
    assert "漏了" in both and "渗水" in both and fields(answer)["aliases"] == "渗水"
    assert "漏了" in config(story).read_text(encoding="utf-8")
    assert editor.post("/watches", data=fields(answer)).status_code == 303 and "渗水" in config(story).read_text(encoding="utf-8")


def test_a_red_line_needs_a_second_person(editor: LoggedIn, story: Any) -> None:
    settings, store, app = story
    answer = editor.post("/watches", data={**fields(editor.get("/watches/burn")), "aliases": "烫到了"})
    place = "/" + answer.headers["location"].lstrip("./").partition("?")[0]
    assert "waiting" in answer.headers["location"] and "烫到了" not in config(story).read_text(encoding="utf-8")
    assert "有改动等同意" in editor.get("/watches").text
    own = editor.post(f"{place}/approve", data={})
    assert own.status_code == 400 and "不能自己批自己" in own.text
    with client_of(settings, store, "analyst", app=app) as analyst:
        assert analyst.post(f"{place}/approve", data={}).status_code == 403
    with client_of(settings, store, "admin", app=app) as second:
        assert "烫到了" in second.get(place).text and second.post(f"{place}/approve", data={}).status_code == 303
    assert "烫到了" in config(story).read_text(encoding="utf-8") and "有改动等同意" not in editor.get("/watches").text


def test_a_class_of_topics_waits_too(editor: LoggedIn, story: Any) -> None:
    file = config(story, "topics.yaml")
    assert "人身伤害" in editor.get("/watches").text
    page = editor.get("/watches/red/假货")
    mark = re.search(r'name="mark" value="([^"]*)"', page.text).group(1)  # type: ignore[union-attr]
    answer = editor.post("/watches/red/假货", data={"words": "假货 高仿 仿品", "mark": mark})
    assert answer.status_code == 303 and "waiting" in answer.headers["location"] and "仿品" not in file.read_text(encoding="utf-8")
    assert editor.post("/watches/red/假货", data={"patterns": "(a+)+", "mark": mark}).status_code == 400
    assert editor.get("/watches/red/没有").status_code == 404


def test_a_bad_change_is_rolled_back(editor: LoggedIn, story: Any) -> None:
    before = config(story).read_text(encoding="utf-8")
    answer = editor.post("/watches/cup/remove", data={"mark": fields(editor.get("/watches/cup"))["mark"], "note": "试试"})
    assert answer.status_code == 303 and "cup" not in config(story).read_text(encoding="utf-8")
    gone = editor.get("/watches/cup")
    assert gone.status_code == 404 and "历史版本可以退回" in gone.text
    history = editor.get("/settings/history?file=watches.yaml").text
    earlier = re.findall(r"settings/history/(\d+)", history)
    number = next(one for one in earlier[1:] if "id: cup" in editor.get(f"/settings/history/{one}").text)
    assert editor.post(f"/settings/history/{number}/rollback", data={}).status_code == 303
    assert config(story).read_text(encoding="utf-8") == before and editor.get("/watches/cup").status_code == 200


def test_the_brand_itself_is_not_removed(editor: LoggedIn, story: Any) -> None:
    answer = editor.post("/watches/songguoxia/remove", data={"mark": fields(editor.get("/watches/songguoxia"))["mark"]})
    assert answer.status_code == 400 and config(story).read_text(encoding="utf-8") == WATCHES


def test_f12_a_file_broken_by_hand_is_shown_with_its_line(editor: LoggedIn, story: Any) -> None:
    config(story).write_text(WATCHES + "  - {id: broken\n", encoding="utf-8")
    page = editor.get("/watches")
    assert page.status_code == 200 and "没有采用" in page.text and "watches.yaml:1" in page.text and "松果匣" in page.text
    assert 'class="faulty"' in editor.get("/settings?file=watches.yaml").text
    saved = editor.post("/watches", data=fields(editor.get("/watches/leak")))
    assert saved.status_code in (400, 409) and "watches.yaml:1" in saved.text
    write_config(story[0].env.config)
    assert "没有采用" not in editor.get("/watches").text


def test_settings_are_a_form_over_the_file(editor: LoggedIn, story: Any) -> None:
    page = editor.get("/settings")
    form = fields(page)
    assert form["schedule.digest_at"] == "09:00" and "# 几点发" in page.text
    answer = editor.post("/settings", data={**form, "schedule.digest_at": "08:15", "digest.max_risks": "7", "note": "早一点"})
    assert answer.status_code == 303
    text = config(story, "vocwatch.yaml").read_text(encoding="utf-8")
    assert 'digest_at: "08:15"   # 几点发' in text and "max_risks: 7" in text and "# 示例品牌" in text
    stale = editor.post("/settings", data={**form, "digest.max_risks": "9"})
    assert stale.status_code == 409 and "别人先改了" in stale.text
    for typed, told in (({"schedule.digest_at": "25:00"}, "vocwatch.yaml:"), ({"digest.max_risks": "很多"}, "could not convert"), ({"shops": "- {id: ["}, "YAML 写法有误"), ({"brand.watch": "nobody"}, "nobody")):
        wrong = editor.post("/settings", data={**fields(editor.get("/settings")), **typed})
        assert wrong.status_code == 400 and told in wrong.text, typed
    assert config(story, "vocwatch.yaml").read_text(encoding="utf-8") == text


def test_f47_what_is_for_administrators_is_not_changed_by_an_editor(editor: LoggedIn, story: Any) -> None:
    settings, store, app = story
    for key, value in (("llm.enabled", "true"), ("crawler.allow_private_hosts", "- 10.0.0.1"), ("console.idle_minutes", "999")):
        answer = editor.post("/settings", data={**fields(editor.get("/settings")), key: value})
        assert answer.status_code == 403, key
    with client_of(settings, store, "admin", app=app) as admin:
        assert admin.post("/settings", data={**fields(admin.get("/settings")), "crawler.allow_private_hosts": "- 10.0.0.1"}).status_code == 303
    write_config(settings.env.config)
    number = re.findall(r"settings/history/(\d+)", editor.get("/settings/history?file=vocwatch.yaml").text)[0]
    assert editor.post(f"/settings/history/{number}/rollback", data={}).status_code == 403


@pytest.mark.parametrize("address", [
    "/watches/nobody", "/settings/history/999999", "/settings/history/99999999999999999999", "/sources/nobody", "/sources/new/x", "/watches/red/x",
])
def test_what_is_not_there_is_said(editor: LoggedIn, address: str) -> None:
    assert editor.get(address).status_code == 404


@pytest.mark.parametrize("address", ["/settings?file=../../etc/passwd", "/settings?file=%00", "/settings/history?file=../x&state=y", "/watches?page=-5&kind=x", "/watches?page=99999999", "/watches/new?kind=zzz&name=%3Cb%3E"])
def test_f36_addresses_with_anything_in_them_are_answered(editor: LoggedIn, address: str) -> None:
    page = editor.get(address)
    assert page.status_code == 200 and "root:" not in page.text


def test_readers_look_and_analysts_try(story: Any) -> None:
    settings, store, app = story
    write_config(settings.env.config)
    with client_of(settings, store, "reader", app=app) as client:
        page = client.get("/watches/leak")
        assert page.status_code == 200 and "hx-post" not in page.text and "readonly" in page.text
        assert client.post("/watches/try", data={}).status_code == 403 and client.get("/settings").status_code == 403
        log_in(client, settings, store, "analyst")
        form = fields(client.get("/watches/leak"))
        assert client.post("/watches/try", data=form).status_code == 200 and client.post("/watches", data=form).status_code == 403


@pytest.mark.parametrize(("address", "said"), [
    ("/watches", "Watches"), ("/watches/leak", "Laboratory"), ("/watches/red/假货", "Words"), ("/settings", "Schedule"), ("/settings/history", "Versions"),
    ("/sources", "What was read each day"), ("/sources/forum", "The last 12 weeks"), ("/sources/new", "New source by address"),
])
def test_the_pages_speak_english_too(editor: LoggedIn, address: str, said: str) -> None:
    page = editor.get(address, params={"lang": "en"})
    editor.cookies.delete("lang")
    assert page.status_code == 200 and said in page.text and "<html lang=\"en\"" in page.text
