"""How the digest looks: order, length, size, both languages, and hostile text."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser

from reports import score
from reports.digest import render_html, render_text, to_json, write_digest
from reports.digest.figures import odds, safe_url
from reports.digest.render import MAX_BYTES, PALETTE
from reports.digest.subject import MAX_WIDTH, subject, width
from reports.facts import build_facts
from reports.run import build_incidents
from reports.say import TEXTS, WORDS, from_stored, say
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, World, day
from vocwatch.store import digests
from vocwatch.store import schema as s

ORDER = [
    "今日需处理",
    "四个指标",
    "重点风险",
    "差评与客服会话",
    "走势与平台",
    "热词",
    "数据健康",
    "昨日事项跟踪",
    "典型会话",
]
HAN = re.compile(r"[\u4e00-\u9fff]")
NASTY = "<script>alert(1)</script>{{7*7}}\r\nBcc: x@evil.example\x1b[31m‮<img src=x onerror=alert(2)>"


@pytest.fixture
def told(cups, story):
    return build_facts(cups, story, PLANTED["burn"], now=morning(PLANTED["burn"]))


def headings(html: str) -> list[str]:
    return [node.text(deep=False).strip() for node in HTMLParser(html).css("h2")]


@pytest.mark.parametrize("number", [25, 28, 34, 36, 38, 40])
def test_the_parts_stand_in_their_order(cups, story, number):
    facts = build_facts(cups, story, day(number), now=morning(day(number)))
    html, text = render_html(facts), render_text(facts)
    assert [h for h in headings(html) if h != "升温与新主题"] == ORDER
    places = [text.index(f"■ {name}") for name in ORDER]
    assert places == sorted(places) and text.index("口径") > places[-1]
    assert len(html.encode()) < MAX_BYTES


def test_the_executive_mail_stops_after_the_risks(cups, story):
    facts = build_facts(cups, story, PLANTED["burn"], now=morning(PLANTED["burn"]), audience="executive")
    assert headings(render_html(facts)) == ORDER[:3]
    assert "■ 走势与平台" not in render_text(facts) and "非政府预警" in render_text(facts)


def test_it_is_short_enough(told):
    text = render_text(told)
    top = text[: text.index("■ 重点风险")]
    assert len(HAN.findall(top)) <= 300 and len(HAN.findall(text)) <= 1500


def test_nothing_is_loaded_and_nothing_runs(told):
    html = render_html(told)
    tree = HTMLParser(html)
    assert not tree.css("script, img, link, iframe, object, form, input, video, svg")
    assert not re.search(r"url\(|@import|position:|float:|display:\s*flex|javascript:", html)
    assert all(a.attributes["href"].startswith("https://") for a in tree.css("a"))
    assert all("noopener" in a.attributes["rel"] for a in tree.css("a"))
    assert tree.css_first("html").attributes["lang"] == "zh-CN"
    assert all(t.attributes.get("role") == "presentation" for t in tree.css("table"))
    assert "prefers-color-scheme:dark" in html and 'class="ink"' in html
    assert tree.css_first('meta[name="color-scheme"]').attributes["content"] == "light dark"
    sizes = [float(size) for size in re.findall(r"font-size:\s*([\d.]+)px", html)]
    assert {size for size in sizes if size < 14} <= {1.0}


def test_every_level_is_word_numeral_and_colour(told):
    html = render_html(told)
    assert "Ⅰ 红色" in html and PALETTE["红"][0] in html
    for background, ink in PALETTE.values():
        assert contrast(background, ink) >= 4.5


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_footer_says_whose_warning_it_is(told):
    for shown in (render_html(told), render_text(told)):
        assert "企业内部预警，非政府预警" in shown and "网民观点，未经核实" in shown and score.FORMULA in shown


def test_english_has_no_chinese_labels(cups, story):
    for number in (28, 36, 38, 40):
        facts = build_facts(cups, story, day(number), now=morning(day(number)))
        data = json.loads(to_json(facts))
        for shown in (render_html(facts, "en"), render_text(facts, "en")):
            for value in sorted(texts_of(data, cups), key=len, reverse=True):
                shown = shown.replace(value, "")
            assert HAN.findall(shown) == [], shown[max(0, HAN.search(shown).start() - 80) :][:160]


def texts_of(data: dict, cups) -> set[str]:
    """What may stay Chinese in English: names, titles, topics, quotes."""
    found = {data["brand"], "双11"}
    for risk in data["risks"]:
        found |= {
            risk["title"],
            risk["topic"],
            risk["product_name"],
            risk["shop"] or "-",
            risk["owner"],
            *risk["sources"],
        }
        found |= {quote["text"] for quote in risk["quotes"]} | {line.name for line in cups.topics.red_lines}
    found |= {x["title"] for key in ("followups", "emerging") for x in data[key]} | {
        p["title"] for p in data["platforms"]
    }
    found |= {r["reason"] for r in data["internal"]["reasons"]} | {
        r["product_name"] for r in data["internal"]["reasons"]
    }
    found |= (
        {a["owner"] for a in data["actions"]}
        | {f["owner"] for f in data["followups"]}
        | {w["word"] for w in data["words"]}
    )
    found |= {c[key] for kind in data["cases"].values() for c in kind for key in ("text", "product")}
    return found - {""}


def test_all_sentences_take_the_same_values_in_both_languages():
    for zh, en in [*TEXTS.values()]:
        assert set(re.findall(r"{(\w+)}", zh)) == set(re.findall(r"{(\w+)}", en))
    assert all(zh and en and not HAN.search(en) for zh, en in [*TEXTS.values(), *WORDS.values()])


def test_a_sentence_survives_its_row():
    sentence = say("why.voices", seen=3, expected=0.42, p=0.0001)
    assert from_stored(json.loads(json.dumps(sentence.stored()))) == sentence
    assert sentence.text() == "今日 3 名独立发声者，预期 0.4（p <0.001）"


@pytest.fixture
def nasty(cups, sqlite_store):
    world = World(sqlite_store)
    date = day(3)
    world.runs(date, notes="blocked")
    for number in range(3):
        text = f"{NASTY}暖手宝把手烫伤了{number}"
        said = Text(text, ("商品安全/烫伤",), "negative", 3, f"{NASTY}暖手宝把手烫伤了", "人身伤害")
        world.mention(
            date, said, "forum", "PC-H1", title=NASTY, url=f"javascript:alert({number})//{NASTY}", shop=NASTY
        )
        world.session(date, said, sku=NASTY, native_id=f"{NASTY}{number}", shop=NASTY)
    world.save()
    build_incidents(cups, sqlite_store, date, now=morning(date))
    return build_facts(cups, sqlite_store, date, now=morning(date))


def test_hostile_text_is_inert(cups, nasty):
    nasty = dataclasses.replace(nasty, brand=NASTY)
    for lang in ("zh", "en"):
        html = render_html(nasty, lang)
        tree = HTMLParser(html)
        assert not tree.css("script, img") and not tree.css("[onerror]")
        assert "{{7*7}}" in html and "alert(1)&lt;/script&gt;" in html
        assert all(a.attributes["href"].startswith("http") for a in tree.css("a"))
        text = render_text(nasty, lang)
        assert "\x1b" not in text and "‮" not in text and "\r" not in text and "\nBcc:" not in text
        line = subject(nasty, lang)
        assert "\r" not in line and "\n" not in line


def test_the_subject_tells_the_severity_first_and_fits(told):
    line = subject(told)
    assert line.startswith("【红色】松果匣舆情日报 11-15|需处理 1|负面 ") and line.endswith("完整度 100%")
    long = dataclasses.replace(told, brand="很长很长的品牌名称" * 5)
    assert width(subject(long)) <= MAX_WIDTH and subject(long).startswith("【红色】很")
    assert subject(told, "en").startswith("[Red] 松果匣 VoC daily")
    assert all(risk.title not in line for risk in told.risks)


def test_links_are_http_only():
    assert safe_url("https://a.example/x?y=1") and safe_url("http://a.example")
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//a.example",
        "http://",
        "file:///etc/passwd",
        "http://[bad",
    ):
        assert safe_url(bad) == ""


def test_odds_are_said_in_topic_days():
    assert odds(0.002) == 500 and odds(None) is None and odds(0.0) is None


def test_writing_is_whole_repeatable_and_kept(cups, story, tmp_path):
    date = PLANTED["burn"]
    first = write_digest(cups, story, date, now=morning(date), out=tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        f"digest-{date}.{x}" for x in ("html", "json", "txt")
    ]
    contents = [p.read_bytes() for p in (first.html, first.text, first.json)]
    second = write_digest(cups, story, date, now=morning(date), out=tmp_path / "out")
    assert [p.read_bytes() for p in (second.html, second.text, second.json)] == contents
    with story.read() as connection:
        assert digests.load(connection, date, "qa") == json.loads(first.json.read_text(encoding="utf-8"))
        assert len(connection.execute(s.digests.select()).all()) == 1
    assert first.subject == subject(first.facts)


def test_without_a_folder_it_goes_to_the_data_folder(cups, story):
    files = write_digest(cups, story, day(30), now=morning(day(30)), audience="executive")
    assert (
        files.html == cups.env.data / "digests" / f"digest-{day(30)}-executive.html" and files.html.exists()
    )


def test_five_long_risks_stay_below_the_clipping_limit(cups, sqlite_store):
    world = World(sqlite_store)
    date = day(30)
    world.runs(date, notes="blocked", forum="blocked")
    topics = [f"{g.name}/{leaf.name}" for g in cups.topics.topics for leaf in g.leaves]
    for number in range(80):
        for _ in range(6):
            world.mention(
                date,
                world.complaint(topics[number % len(topics)], "特别特别差劲" * 40, 2),
                sku=f"长货号{'X' * 60}-{number}",
            )
    world.save()
    build_incidents(cups, sqlite_store, date, now=morning(date))
    facts = build_facts(cups, sqlite_store, date, now=morning(date))
    assert len(facts.risks) == 5 and facts.more_risks >= 5
    assert len(render_html(facts).encode()) < MAX_BYTES


def test_both_languages_know_the_factorys_world(cups):
    assert {w.name for w in cups.watches.watches} >= set(factory.PRODUCTS.values())
