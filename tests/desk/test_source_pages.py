"""来源 as pages, by httpx within the process; the crawler's part is played by a tool of our own, which needs no network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from reports.web.app import make_app
from reports.web.tools import Choices, Proposed, ToolError, Tried
from tests.desk.kit import settings_at, write_config
from tests.reports import factory
from tests.web.login import LoggedIn, client_of
from vocwatch.cli.desk_tools import DeskTools
from vocwatch.settings import Settings
from vocwatch.store import Store, open_store

RECORD = {"text": "杯盖<b>漏水</b>", "published_at": "2026-11-15T08:00:00", "url": "https://a.example/1", "title": None}
WALL = "https://walled.example/x 受阻：被转到登录页，要登录才能看"


class PlayedTools(DeskTools):
    """The tools with the parts that would go out on the network played."""

    def test_source(self, settings: Settings, name: str) -> Tried:
        """One record; the shop of notes wants a login."""
        if name == "notes":
            raise ToolError("要登录才能看")
        return Tried("ok", "", [RECORD], 1, [{"field": "text", "filled": "1/1", "share": "100%", "sample": "杯盖"}], ["时间（1 条）"])

    def propose(self, settings: Settings, name: str, url: str, ask: Callable[[str, Choices], int], tell: Callable[[str], None]) -> Proposed:
        """Ask once, and propose; nothing behind a login."""
        tell("robots.txt：允许")
        if "walled" in url:
            raise ToolError(WALL)
        if "odd" in url:
            raise RuntimeError("x")
        taken = ask("哪个是正文？", [("第一块", ["漏水"]), ("第二块", ["菜单"])])
        return Proposed("允许", f"第 {taken + 1} 块", "某站", [RECORD], [], ["注意间隔"], "name: x\n", name)

    def write_source(self, settings: Settings, proposed: Proposed, answers: Mapping[str, str]) -> str:
        """Write a small file."""
        name = str(proposed.held)
        if not answers["owner"]:
            raise ToolError("负责人要填")
        text = (settings.env.config / "sources" / "forum.yaml").read_text(encoding="utf-8").replace("forum", name).replace("enabled: true", "enabled: false")
        (settings.env.config / "sources" / f"{name}.yaml").write_text(text.replace("李四", answers["owner"]), encoding="utf-8")
        return name


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Store, Any]]:
    settings = settings_at(tmp_path_factory.mktemp("sources"))
    store = open_store(settings.env.database_url)
    factory.forty_days(store)
    yield settings, store, make_app(settings, store, PlayedTools)
    store.close()


@pytest.fixture
def editor(story: tuple[Settings, Store, Any]) -> Iterator[LoggedIn]:
    settings, store, app = story
    for path in (settings.env.config / "sources").glob("*.yaml"):
        path.unlink()
    write_config(settings.env.config)
    with client_of(settings, store, "editor", app=app) as client:
        yield client


def follow(client: LoggedIn, answer: httpx.Response) -> str:
    assert answer.status_code == 303, answer.text[:2000]
    return "/" + answer.headers["location"].lstrip("./")


def waited(client: LoggedIn, address: str, mark: str) -> httpx.Response:
    """The page as soon as it says `mark`."""
    deadline = time.monotonic() + 20
    page = client.get(address)
    while mark not in page.text and time.monotonic() < deadline:
        page = client.get(address)
    assert mark in page.text
    return page


def test_every_source_shows_how_it_stands_and_which_days_were_read(editor: LoggedIn) -> None:
    page = editor.get("/sources")
    assert page.status_code == 200 and "停用" in page.text and "forum 站" in page.text
    assert re.search(r'day-blocked" title="11-1\d 受阻', page.text) and "安全验证" in page.text
    assert re.search(r"mentions\?source=forum&amp;since=2026-10-20", page.text)
    one = editor.get("/sources/notes")
    assert "网站要求安全验证（461）" in one.text and "公开页面，无需登录" in one.text and "最近 12 周" in one.text


def test_a_deleted_source_with_history_still_stands_and_says_so(editor: LoggedIn, story: Any) -> None:
    (story[0].env.config / "sources" / "reviews.yaml").unlink()
    page, listed = editor.get("/sources/reviews"), editor.get("/sources")
    assert page.status_code == 200 and "来源文件已经删掉" in page.text and "最近的采集" in page.text and "/switch" not in page.text
    assert "已删除" in listed.text and 'href="sources/reviews"' in listed.text
    assert editor.get("/sources/never-was").status_code == 404
    assert editor.post("/sources/reviews/switch", data={"to": "on", "reason": "x"}).status_code == 404


def test_a_source_is_switched_with_a_reason(editor: LoggedIn, story: Any) -> None:
    file = story[0].env.config / "sources" / "forum.yaml"
    before = file.read_text(encoding="utf-8")
    assert editor.post("/sources/forum/switch", data={"to": "off"}).status_code == 400 and file.read_text(encoding="utf-8") == before
    assert editor.post("/sources/forum/switch", data={"to": "off", "reason": "改版了"}).status_code == 303
    assert file.read_text(encoding="utf-8") == before.replace("enabled: true", "enabled: false")
    assert "改版了" in editor.get("/sources/forum").text and "停用" in editor.get("/sources/forum").text
    file.write_text(before.replace("李四", "待填").replace("enabled: true", "enabled: false"), encoding="utf-8")
    refused = editor.post("/sources/forum/switch", data={"to": "on", "reason": "急用"})
    assert refused.status_code == 400 and "owner" in refused.text
    assert editor.post("/sources/forum/switch", data={"to": "on", "reason": "急用", "anyway": "on"}).status_code == 303
    assert "enabled: true" in file.read_text(encoding="utf-8") and "未填齐就启用：急用" in file.read_text(encoding="utf-8")


def test_a_test_shows_records_and_stores_nothing(editor: LoggedIn) -> None:
    page = waited(editor, follow(editor, editor.post("/sources/forum/test")), "1 条记录，没有入库")
    assert "杯盖&lt;b&gt;漏水" in page.text and "时间（1 条）" in page.text and "100%" in page.text
    assert "要登录才能看" in waited(editor, follow(editor, editor.post("/sources/notes/test")), "要登录才能看").text


def test_a_source_is_made_in_steps(editor: LoggedIn, story: Any) -> None:
    place = follow(editor, editor.post("/sources/new", data={"name": "new-one", "url": "https://a.example/list"}))
    assert "robots.txt：允许" in waited(editor, place, "哪个是正文？").text
    assert editor.post(place, data={"answer": "nonsense"}).status_code == 303
    editor.post(place, data={"answer": "1"})
    done = waited(editor, place, "第 2 块")
    assert "杯盖&lt;b&gt;漏水" in done.text and "注意间隔" in done.text
    wrong = editor.post(place, data={"owner": ""})
    assert wrong.status_code == 400 and "负责人要填" in wrong.text
    made = follow(editor, editor.post(place, data={"owner": "王五"}))
    assert made == "/sources/new-one" and "王五" in editor.get(made).text and "按网址新建" in editor.get(made).text
    assert "enabled: false" in (story[0].env.config / "sources" / "new-one.yaml").read_text(encoding="utf-8")
    assert editor.get(place).status_code == 404


def test_what_wants_a_login_is_never_made_a_source(editor: LoggedIn, story: Any) -> None:
    page = waited(editor, follow(editor, editor.post("/sources/new", data={"name": "walled", "url": "https://walled.example/x"})), "要登录才能看")
    assert "保存来源" not in page.text and "换个网址再试" in page.text
    assert not (story[0].env.config / "sources" / "walled.yaml").exists()
    broken = follow(editor, editor.post("/sources/new", data={"name": "odd", "url": "https://odd.example/x"}))
    assert "RuntimeError" in waited(editor, broken, "换个网址再试").text


@pytest.mark.parametrize(("typed", "told"), [
    ({"name": "../x", "url": "https://a.example"}, "小写字母"), ({"name": "forum", "url": "https://a.example"}, "已经有来源"),
    ({"name": "x", "url": "file:///etc/passwd"}, "https:// 开头"), ({"name": "x", "url": "javascript:alert(1)"}, "https:// 开头"), ({}, "小写字母"),
])
def test_an_address_that_is_none_is_refused(editor: LoggedIn, typed: dict[str, str], told: str) -> None:
    answer = editor.post("/sources/new", data=typed)
    assert answer.status_code == 400 and told in answer.text


def test_a_look_belongs_to_whoever_began_it(editor: LoggedIn, story: Any) -> None:
    settings, store, app = story
    place = follow(editor, editor.post("/sources/new", data={"name": "mine", "url": "https://a.example/list"}))
    waited(editor, place, "哪个是正文？")
    with client_of(settings, store, "admin", app=app) as other:
        assert other.get(place).status_code == 404 and other.post(place, data={"answer": "0"}).status_code == 404
    editor.post(place, data={"answer": "0"})
    waited(editor, place, "第 1 块")


def test_without_tools_the_pages_still_stand(story: Any) -> None:
    settings, store, _ = story
    write_config(settings.env.config)
    with client_of(settings, store, "editor") as client:
        for address in ("/sources", "/sources/forum", "/watches/leak", "/sources/new"):
            assert client.get(address).status_code == 200, address
        assert client.post("/sources/new", data={"name": "x", "url": "https://a.example"}).status_code == 400
        assert client.post("/watches/try", data={"name": "漏水", "id": "x", "kind": "keyword"}).status_code == 200
        assert client.post("/sources/forum/test").status_code == 404
