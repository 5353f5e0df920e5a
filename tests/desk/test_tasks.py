"""Analysts at work in a real Chromium: what they come to do, done as they would, and what the store holds afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from reports.desk.ask import Desk, Question, ask
from tests.desk.chrome import Chrome, chrome_over, settle
from tests.reports.conftest import copy_of
from vocwatch.settings import Settings
from vocwatch.store import cases, feedback

pytestmark = pytest.mark.browser
LEAK = "产品质量/漏水"


@pytest.fixture(scope="module")
def chrome(console_file: Path, brand: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    store = copy_of(console_file, tmp_path_factory.mktemp("tasks"))
    with chrome_over(Desk(brand, store)) as made:
        yield made
    store.close()


@pytest.fixture(autouse=True)
def _nothing_goes_wrong(chrome: Chrome) -> Iterator[None]:
    yield
    assert not chrome.wrong and not chrome.elsewhere


def test_find_what_rose_and_in_whose_words(chrome: Chrome) -> None:
    with chrome.page() as page:
        page.goto("/topics")
        rose = page.locator("tr", has=page.get_by_text("上升 · 恶化")).first
        expect(rose).to_contain_text(LEAK)
        number = int(rose.locator("a.num").first.inner_text())
        rose.locator("a[data-main]").click()  # its own view, in place
        expect(page.locator(".chip", has_text=LEAK)).to_be_visible()
        assert "topic=" in page.url
        page.locator("tr[data-row]", has_text=LEAK).locator("a.num").first.click()
        expect(page.locator("h1")).to_have_text("提及")
        expect(page.locator(".head")).to_contain_text(f"共 {number} 条")
        page.locator("a[data-main]").first.click()
        expect(page.locator("mark.neg").first).to_be_visible()


def test_from_a_number_of_the_digest_to_its_rows_and_back(chrome: Chrome) -> None:
    with chrome.page() as page:
        page.goto("/")
        card = page.locator(".kpi", has_text="负面")
        number = card.locator("a.num").inner_text()
        card.locator("a.num").click()
        expect(page.locator(".head")).to_contain_text(f"共 {number} 条")
        assert page.locator("li[data-row]").count() == int(number)
        page.go_back()
        expect(page.locator(".kpi", has_text="负面")).to_be_visible()


def test_mark_a_false_alarm_with_the_keyboard_and_take_it_back(chrome: Chrome) -> None:
    with chrome.page(name="键盘何") as page:
        page.goto("/mentions?since=2026-11-14&q=漏水")
        settle(page)
        page.keyboard.press("j")
        page.keyboard.press("j")
        row = page.locator("[data-row].current")
        number = row.locator("input[type=checkbox]").get_attribute("value")
        page.keyboard.press("2")
        expect(row.locator(".triage")).to_contain_text("已标 误报")
        with chrome.desk.store.read() as connection:
            [word] = feedback.rows(connection, subject=("mention", str(number)))
        assert (word["verdict"], word["who"], word["channel"]) == ("误报", "键盘何", "console")
        page.keyboard.press("u")
        expect(row.locator(".triage")).not_to_contain_text("已标")
        with chrome.desk.store.read() as connection:
            assert feedback.rows(connection, subject=("mention", str(number))) == []


def test_mark_many_at_once_without_scripts(chrome: Chrome) -> None:
    with chrome.page(name="批量马", scripts=False) as page:
        page.goto("/mentions?since=2026-11-14&q=漏水")
        chosen = [box.get_attribute("value") for box in page.locator("input[name=id]").all()[:3]]
        for box in page.locator("input[name=id]").all()[:3]:
            box.check()
        page.locator("#bulk").get_by_role("button", name="重复").click()
        expect(page.locator(".noted")).to_have_text("已给 3 条标记“重复”")
        assert "q=" in page.url
        with chrome.desk.store.read() as connection:
            said = {row["subject_id"] for row in feedback.rows(connection) if row["who"] == "批量马"}
        assert said == set(chosen)


def test_assign_and_close_a_case(chrome: Chrome) -> None:
    with chrome.page(name="跟进周") as page:
        page.goto("/incidents")
        page.get_by_role("link", name="暖手宝外壳突然发烫把手烫伤").click()
        expect(page.locator("#explained")).to_contain_text("重算")
        form = page.locator("form", has=page.locator("input[name=owner]"))
        form.locator("input[name=owner]").fill("何雨")
        form.locator("input[name=due]").fill("2026-11-18")
        form.locator("textarea").fill("已联系13800138000")
        form.get_by_role("button", name="指派").click()
        expect(page.locator(".case")).to_contain_text("进行中")
        expect(page.locator(".case")).to_contain_text("2026-11-18")
        expect(page.locator(".case")).not_to_contain_text("13800138000")
        page.locator(".case summary", has_text="结案").click()
        page.locator(".case select[name=outcome]").select_option("clarified")
        page.locator(".case").get_by_role("button", name="结案").click()
        expect(page.locator(".case")).to_contain_text("已结案：澄清")
    with chrome.desk.store.read() as connection:
        [case] = cases.listed(connection, state=None, owner="何雨")
        steps = [(step["what"], step["who"]) for step in cases.history(connection, case.id)]
    assert case.outcome == "澄清" and [what for what, _ in steps] == ["opened", "assigned", "due", "closed"]
    assert {who for _, who in steps} == {"跟进周"}


def test_say_that_a_finding_was_wrong_and_somebody_objects(chrome: Chrome) -> None:
    rows = ask(chrome.desk, "incidents", Question()).rows
    rumour = next(str(row["incident"]) for row in rows if row["topic"] == "宣传/假货")
    with chrome.page(name="先说甲") as page:
        page.goto(f"/incidents/{rumour}")
        page.get_by_role("radio", name="不准", exact=True).check()
        page.get_by_label("应该定的等级").select_option("蓝")
        page.get_by_role("button", name="提交").click()
        expect(page.locator(".noted")).to_contain_text("不准")
        expect(page.get_by_text("提异议")).to_have_count(0)
    with chrome.page(name="异议乙") as page:
        page.goto(f"/incidents/{rumour}")
        page.get_by_text("提异议").first.click()
        page.get_by_label("理由").fill("水军文案，等级没错")
        page.get_by_role("button", name="提异议").click()
        expect(page.get_by_text("待第三人裁定")).to_be_visible()


def test_export_what_is_seen(chrome: Chrome) -> None:
    with chrome.page() as page:
        page.goto("/mentions?since=2026-11-01&topic=" + LEAK)
        settle(page)
        page.locator("#facets").get_by_role("link", name=re.compile("闲谈坊")).click()  # one more condition, in place
        expect(page.locator(".chip", has_text="闲谈坊")).to_be_visible()
        seen = re.search(r"共 ([\d,]+) 条", page.locator(".head").inner_text())
        assert seen
        with page.expect_download() as waiting:
            page.locator(".head").get_by_role("link", name="CSV").click()
        content = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    assert len(content.strip().splitlines()) == int(seen.group(1)) + 1 and "闲谈坊" not in content.splitlines()[0]
    assert all(",\"forum\"," in line for line in content.strip().splitlines()[1:])


def test_compare_before_and_after_a_fix(chrome: Chrome) -> None:
    with chrome.page() as page:
        page.goto("/topics/compare")
        page.get_by_label("主题").select_option(LEAK)
        page.get_by_label("措施生效日").fill("2026-11-05")
        page.get_by_role("button", name="对比").click()
        expect(page.locator(".claim")).to_contain_text(re.compile("证据不足|明显|没有"))
        settle(page)
        expect(page.locator("figure canvas")).to_be_visible()
        page.get_by_role("link", name="之后 看原文").click()
        expect(page.locator("h1")).to_have_text("提及")


def test_find_a_word_of_two_characters_in_posts_and_in_sessions(chrome: Chrome) -> None:
    with chrome.page() as page:
        page.goto("/")
        page.keyboard.press("/")
        page.keyboard.type("漏水 NOT 电脑")
        page.keyboard.press("Enter")
        expect(page.locator("li[data-row] mark.word").first).to_have_text("漏水")
        assert "电脑" not in page.locator(".results").inner_text()
        page.keyboard.press("g")
        page.keyboard.press("s")
        expect(page.locator("h1")).to_have_text("会话")
        page.locator(".ask input[type=search]").fill("漏水")
        page.locator(".ask input[type=search]").press("Enter")
        expect(page.locator(".chip")).to_contain_text("漏水")
        page.locator("a[data-main]").first.click()
        expect(page.locator(".bubble.customer").first).to_contain_text("漏水")


def test_the_whole_desk_is_read_on_a_phone_with_the_keyboard_alone(chrome: Chrome) -> None:
    with chrome.page("reader", width=390) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        for key, title in (("i", "事件"), ("m", "提及"), ("o", "主题"), ("s", "会话"), ("t", "日报")):
            page.keyboard.press("g")
            page.keyboard.press(key)
            expect(page.locator("h1")).to_contain_text(title)
            settle(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.keyboard.press("?")
        expect(page.locator("#help")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.locator(".claim")).to_be_visible()
        page.locator("details.data summary").focus()
        page.keyboard.press("Enter")
        expect(page.locator("details.data table")).to_be_visible()


def test_everything_reads_without_scripts(chrome: Chrome) -> None:
    with chrome.page("reader", scripts=False) as page:
        for path, said in (("/", "今日需处理"), ("/incidents", "暖手宝"), ("/mentions?q=漏水", "杯盖"), ("/topics", "升降"), ("/sessions", "KF00")):
            page.goto(path)
            expect(page.locator("main")).to_contain_text(said)
        page.goto("/mentions?q=漏水")
        page.locator("summary", has_text="筛选").click()
        page.get_by_role("link", name="列出各条件下的条数").click()
        expect(page.locator("main")).to_contain_text("投诉台")
