"""What each reader is shown of a digest, and that it fits into a mail: length, size, one screen of a phone."""

from __future__ import annotations

import dataclasses
import io
import json
import re

import openpyxl
import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from benchmarks.mail import many
from reports.digest import render_html, render_text, to_json, write_digest
from reports.digest.figures import moved, rising_topics
from reports.digest.fit import MAX_HAN, MAX_WORDS, fits, fitted
from reports.digest.render import MAX_BYTES
from reports.digest.sheet import digest_sheet
from reports.digest.views import Reader, audiences, private, readers, view
from reports.emerging import Phrase
from reports.facts import build_facts
from reports.say import say
from reports.shape import Emerging, Facts
from reports.verdict import level_of, verdict_of
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, World, day
from vocwatch.settings import Settings
from vocwatch.settings.app import Recipient
from vocwatch.store import Store

HAN = re.compile(r"[\u3400-\u9fff]")
WORDS = "外壳突然发烫把手烫伤"


@pytest.fixture
def told(cups: Settings, story: Store) -> Facts:
    return build_facts(cups, story, PLANTED["burn"], now=morning(PLANTED["burn"]))


@pytest.mark.parametrize("count", [5, 50, 400])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_however_many_risks_it_fits_into_a_mail(told: Facts, count: int, lang: str) -> None:
    whole = many(told, count)
    shown = fitted(whole, lang)
    text, html = render_text(shown, lang), render_html(shown, lang)
    assert not fits(whole, lang) and fits(shown, lang) and len(html.encode()) <= MAX_BYTES == 80 * 1024
    if lang == "zh":
        assert len(HAN.findall(text)) <= MAX_HAN == 1500
    else:
        assert len(re.findall(r"[A-Za-z]{2,}", text)) <= MAX_WORDS
    assert len(shown.risks) == 5 and all(r.why and r.advice for r in shown.risks)
    assert ("略去" if lang == "zh" else "Shortened") in html and ("略去" if lang == "zh" else "Shortened") in text


def test_a_page_too_large_is_shortened_though_it_is_read_quickly(told: Facts) -> None:
    risk = dataclasses.replace(told.risks[0], topic="<&>" * 3000)
    whole = dataclasses.replace(told, risks=(risk,) * 3)
    assert len(render_html(whole).encode()) > MAX_BYTES >= len(render_html(fitted(whole)).encode())


def test_a_short_digest_loses_nothing(told: Facts) -> None:
    assert fitted(told) == told and "略去" not in render_html(told)


def test_hostile_length_cannot_break_the_limit(told: Facts) -> None:
    bad = many(told, 20)
    bad = dataclasses.replace(bad, risks=tuple(dataclasses.replace(r, topic="<&>" * 3000, product_name="<&>" * 3000) for r in bad.risks))
    assert len(render_html(fitted(bad)).encode()) <= MAX_BYTES


@pytest.mark.parametrize("number", [25, 28, 34, 36, 38, 40])
def test_the_verdict_bar_and_the_first_screen_are_short(cups: Settings, story: Store, number: int) -> None:
    facts = build_facts(cups, story, day(number), now=morning(day(number)))
    html = HTMLParser(render_html(facts))
    bar = html.css_first("td.bar").text(separator=" ")
    assert len(HAN.findall(bar)) <= 80
    text = render_text(facts)
    assert len(HAN.findall(text[: text.index("■ 重点风险")])) <= 300


def test_a_long_title_keeps_the_bar_short(told: Facts) -> None:
    risk = dataclasses.replace(told.risks[0], title="很长的标题" * 12)
    covered = dataclasses.replace(told.coverage, percent=60)
    facts = dataclasses.replace(told, verdict=verdict_of([risk], covered), coverage=covered)
    assert len(HAN.findall(HTMLParser(render_html(facts)).css_first("td.bar").text())) <= 80


def test_an_owner_gets_their_shops_only(told: Facts) -> None:
    whole = many(told, 12)
    mine = view(whole, Reader(owner="马川"))
    assert mine.risks and {r.owner for r in (*mine.risks, *mine.others)} == {"马川"}
    assert [r.rank for r in mine.risks] == [1, 2, 3, 4, 5] and {a.owner for a in mine.actions} == {"马川"}
    assert {r.incident for r in mine.risks} <= {r.incident for r in (*whole.risks, *whole.others)}
    assert mine.verdict[0].text() == verdict_of([*mine.risks, *mine.others], whole.coverage)[0].text() and "6 项" in mine.verdict[0].text()
    for shown in (render_html(mine), render_text(mine)):
        assert "只含马川负责的事件，另有 6 个归他人；指标为全品牌" in shown
        assert "何雨" not in shown and "质检路径" not in shown and "典型会话" not in shown and "数据健康" in shown


def test_an_owner_without_incidents_is_not_told_that_the_brand_is_calm(told: Facts) -> None:
    calm = view(told, Reader(owner="马川"))
    assert calm.level == "蓝" and not calm.risks and calm.actions == ()
    assert calm.verdict[0].text() == "你负责的店铺今日无上榜风险，完整度 100%。" and "平稳" not in render_text(calm)
    blind = dataclasses.replace(told.coverage, percent=40)
    assert view(dataclasses.replace(told, coverage=blind), Reader(owner="马川")).level == "灰" == level_of([], blind)


def test_an_owner_reads_the_sessions_of_their_own_shops_by_path(cups: Settings, small: World) -> None:
    said, first = Text("杯盖漏水", ("产品质量/漏水",)), day(24)
    for number in range(8):  # one of them came by two paths
        small.session(first, said, path="中差评" if number else "非满意", native_id=f"T{max(number, 1)}", shop="松果匣旗舰店")
    small.session(first, said, shop="S1", path="品退")  # by its id
    small.session(first, said, shop=None, sku="PC-K3")  # of nobody's shop
    small.save()
    facts = build_facts(cups, small.store, first, now=morning(first))
    mine, other = view(facts, Reader(owner="何雨")), view(facts, Reader(owner="马川"))
    assert [(s.shop, s.total, s.paths) for s in mine.shops] == [("S1", 8, {"中差评": 7, "品退": 1, "非满意": 1})]
    for shown in (render_html(mine), render_text(mine)):
        plain = HTMLParser(shown).text() if "<html" in shown else shown
        assert "你的店铺：客服会话" in plain and "松果匣旗舰店：8，" in plain and "中差评 7 · 品退 1 · 非满意 1" in plain
        assert "松果匣家居店" not in plain
    for shown in (render_html(other), render_text(other)):  # no export of theirs: nobody knows, and 0 is not said
        assert "松果匣家居店" in shown and "-（当日导入里没有这家店的会话）" in (HTMLParser(shown).text() if "<html" in shown else shown)
    assert "Your shops: service sessions" in render_text(mine, "en") and "你的店铺" not in render_html(facts)
    assert [(s["shop"], s["sessions"]) for s in json.loads(to_json(facts))["shops"]] == [("S1", 8), ("S2", None)]
    book = openpyxl.load_workbook(io.BytesIO(digest_sheet(mine)[1]))
    assert [cell.value for cell in book["店铺"][2]][:2] == ["松果匣旗舰店", 8]


def test_enhanced_privacy_has_nobodys_words(told: Facts) -> None:
    threat = say("note.exposed", session="KF00001", words="曝光", hours=3, source="笔记站", percent=80)
    whole = dataclasses.replace(told, notes=(threat,))
    assert WORDS in render_html(whole) and "KF00001" in render_html(whole)
    shown = fitted(private(whole))
    for page in (render_html(shown), render_text(shown), render_html(shown, "en"), digest_text(shown)):
        assert WORDS not in page and "KF00" not in page and "notes.example.com" not in page
        assert "暖手宝·商品安全/烫伤" in page
    assert "增强隐私版" in render_html(shown) and private(whole).risks[0].parts == whole.risks[0].parts


def digest_text(facts: Facts) -> str:
    book = openpyxl.load_workbook(io.BytesIO(digest_sheet(facts)[1]))
    return "\n".join(str(cell.value) for sheet in book for row in sheet.rows for cell in row)


def test_the_workbook_holds_no_formula(told: Facts) -> None:
    evil = "=HYPERLINK(\"http://evil.example\",\"x\")"
    risk = dataclasses.replace(told.risks[0], title=evil, owner="+1", product_name="@x")
    name, raw = digest_sheet(dataclasses.replace(told, risks=(risk,), others=many(told, 40).others))
    assert name == f"digest-{told.date}.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(raw))
    cells = [cell for sheet in book for row in sheet.rows for cell in row]
    assert all(cell.data_type != "f" and cell.hyperlink is None for cell in cells)
    values = [cell.value for cell in cells]
    assert "'" + evil in values and "'+1" in values and "'@x" in values
    assert book["重点风险"].max_row == 1 + 1 + 35 and raw == digest_sheet(dataclasses.replace(told, risks=(risk,), others=many(told, 40).others))[1]


def test_up_and_down_are_told_in_words() -> None:
    assert moved("负面", "偏高", "zh") == "▲ 偏高 · 恶化" and moved("负面", "偏低", "zh") == "▼ 偏低 · 好转"
    assert moved("解决率", "偏低", "zh") == "▼ 偏低 · 恶化" and moved("总声量", "偏高", "zh") == "▲ 偏高"
    assert moved("负面", "偏低", "zh", partial=True) == "▼ 偏低" and moved("负面", "偏高", "en") == "▲ high · worse"
    assert moved("负面", "正常波动", "zh") == "正常波动"


def test_no_more_than_five_rising_topics(told: Facts) -> None:
    risk = told.risks[0]
    why = say("why.voices", seen=4, expected=0.8, p=0.002)
    risen = tuple(Emerging(f"INC-{n}", "黄", f"{risk.title}{n}", risk.topic, 4, 0.8, 0.002, why) for n in range(7))
    busy = dataclasses.replace(many(told, 40), emerging=risen)
    found = rising_topics(busy)
    assert len(found.emerging) == 5 and found.more == 2 and found.rising == found.phrases == ()
    mixed = rising_topics(dataclasses.replace(busy, phrases=(Phrase("卡死", ("卡死",), 4.0, 6, 6, 0, (), ("https://example.com/1",)),) * 4))
    assert (len(mixed.emerging), len(mixed.phrases), mixed.more) == (3, 2, 6)
    for shown in (render_text(busy), render_html(busy)):
        assert "约每 500 个主题日误报一次" in shown and "另有 2 项升温" in shown and "另有 35 个事件" in shown


def people(cups: Settings, **digest: object) -> Settings:
    shops = [s.model_copy(update={"email": f"{s.id.lower()}@example.com"}) for s in cups.app.shops]
    app = cups.app.model_copy(update={"shops": tuple(shops), "digest": cups.app.digest.model_copy(update=digest)})
    return dataclasses.replace(cups, app=app)


def test_who_reads_what(cups: Settings) -> None:
    named = (
        Recipient(email="qa@example.com"), Recipient(email="legal@example.com", lang="en", privacy=True),
        Recipient(email="he@example.com", audience="owner", owner="何雨"),
    )
    settings = people(cups, recipients=named)
    assert readers(settings, "qa", "zh") == {"qa@example.com": Reader("zh"), "legal@example.com": Reader("en", "", True)}
    assert readers(settings, "owner", "zh") == {"he@example.com": Reader("zh", "何雨")}
    assert audiences(settings) == ["qa", "owner"]
    each = people(cups, recipients=(), shop_owners=True)
    assert readers(each, "owner", "zh") == {"s1@example.com": Reader("zh", "何雨"), "s2@example.com": Reader("zh", "马川")}
    assert audiences(each) == ["qa", "owner"] and audiences(people(cups, recipients=())) == ["qa"]


def test_an_owners_recipient_names_the_owner() -> None:
    for wrong in ({"audience": "owner"}, {"owner": "何雨"}):
        with pytest.raises(ValueError, match="owner"):
            Recipient(email="a@example.com", **wrong)


def test_files_of_readers_do_not_overwrite_each_other(cups: Settings, story: Store) -> None:
    date = PLANTED["burn"]
    names = [
        write_digest(cups, story, date, now=morning(date), audience=audience, reader=reader, out=cups.env.home / "out").html.name
        for audience, reader in (("qa", Reader()), ("qa", Reader(privacy=True)), ("owner", Reader(owner="马/川..")))
    ]
    assert names == [f"digest-{date}.html", f"digest-{date}-private.html", f"digest-{date}-owner-马川.html"]


def test_links_into_the_console_where_there_is_one(told: Facts) -> None:
    incident = told.risks[0].incident
    assert "vocwatch explain" in render_html(told) and "/incidents/" not in render_html(told)
    linked = dataclasses.replace(told, console="https://voc.example.com")
    for shown in (render_html(linked), render_text(linked)):
        assert f"https://voc.example.com/incidents/{incident}" in shown
    evil = dataclasses.replace(told, console="javascript:alert(1)//")
    assert "javascript:" not in render_html(evil) and "javascript:" not in render_text(evil)
