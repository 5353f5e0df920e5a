"""What becomes an incident and what doesn't, over the invented forty days and on small stores of both
databases.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from reports.run import build_incidents
from tests.reports import factory
from tests.reports.conftest import morning
from tests.reports.factory import PLANTED, Text, World, day
from vocwatch.store import Store, alerts, incidents
from vocwatch.store import schema as s

ROWS = (s.incidents, s.incident_days, s.incident_members, s.alerts)


def listed(store: Store, date: dt.date) -> list[dict]:
    with store.read() as connection:
        return incidents.incident_list(connection, date)


def dump(store: Store) -> dict[str, list]:
    """All rows of the incident tables, without row ids."""
    with store.read() as connection:
        return {
            table.name: sorted(
                str({k: v for k, v in row._mapping.items() if table is not s.alerts or k != "id"})
                for row in connection.execute(sa.select(table))
            )
            for table in ROWS
        }


def why_keys(row: dict) -> set[str]:
    return {stored["key"] for stored in row["why"]}


def test_a_red_line_is_red_on_its_first_evening(story):
    (row,) = listed(story, PLANTED["burn"])
    assert (row["level"], row["state"], row["product"], row["topic"], row["owner"]) == (
        "红",
        "新增",
        "PC-H1",
        "商品安全/烫伤",
        "何雨",
    )
    assert "why.red_line" in why_keys(row) and row["authors"] == 3
    with story.read() as connection:
        (alert,) = [a for a in alerts.listed(connection) if a["incident_id"] == row["id"]]
    assert alert["level"] == "红" and len(alert["mention_ids"]) == 3


def test_the_silent_day_lists_nothing(story):
    assert [r for r in listed(story, PLANTED["silent"]) if r["level"] != "蓝"] == []
    assert listed(story, day(25)) == []


def test_the_campaign_day_raises_no_incident(story):
    assert listed(story, PLANTED["campaign"]) == []


def test_a_slow_burn_led_by_sessions_lives_through_its_states(story):
    rows = {n: next(r for r in listed(story, day(n)) if r["topic"] == "产品质量/漏水") for n in range(26, 33)}
    assert len({r["id"] for r in rows.values()}) == 1
    assert [rows[n]["state"] for n in (26, 27, 28, 29)] == ["新增", "升级", "升级", "持续"]
    assert rows[32]["state"] == "回落"
    assert [rows[n]["level"] for n in (28, 29, 30)] == ["橙", "橙", "橙"]
    assert "why.inside_only" in why_keys(rows[26]) and "why.inside_first" in why_keys(rows[28])
    assert next(w for w in rows[28]["why"] if w["key"] == "why.inside_first")["values"]["days"] == 2
    assert rows[26]["id"].startswith(f"INC-{day(26):%Y%m%d}-")


def test_the_same_again_after_a_pause_is_a_recurrence(story):
    row = next(r for r in listed(story, PLANTED["leak_again"]) if r["topic"] == "产品质量/漏水")
    first = next(r for r in listed(story, day(28)) if r["topic"] == "产品质量/漏水")
    assert row["state"] == "复燃" and row["recurs_of"] == first["id"] != row["id"]


def test_a_burst_of_copies_is_one_voice_and_told_as_arranged(story):
    row = next(r for r in listed(story, PLANTED["rumour"]) if r["topic"] == "宣传/假货")
    assert row["authors"] == 1 and row["level"] == "黄" and not row["watched"]
    told = next(w for w in row["why"] if w["key"] == "why.copies")["values"]
    assert (told["texts"], told["accounts"]) == (31, 5)
    with story.read() as connection:
        members = incidents.members(connection, [row["id"]])
    assert len(members) == 31 and len({m.cluster for m in members}) == 1


def test_titles_are_made_of_their_own_words(story):
    titles = {r["title"] for n in range(26, 41) for r in listed(story, day(n))}
    assert any("漏水" in t and t.startswith("暖杯") for t in titles)
    assert all("产品质量" not in t and "\n" not in t and len(t) <= 60 for t in titles)


def test_a_day_is_rebuilt_to_the_same_rows_and_leaves_others_alone(story, cups):
    before = dump(story)
    for date in (PLANTED["burn"], day(29), day(26), PLANTED["rumour"]):
        build_incidents(cups, story, date, now=morning(date) + dt.timedelta(hours=5))
    assert dump(story) == before


def test_F02_a_day_that_dies_half_written_stands_as_before(story, cups, monkeypatch):
    before = dump(story)
    date = PLANTED["burn"]

    def dies(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("reports.run._alert", dies)
        build_incidents(cups, story, date, now=morning(date))
    assert dump(story) == before
    build_incidents(cups, story, date, now=morning(date))
    assert dump(story) == before


# --- small stores, both databases ---

NEXT = day(factory.QUIET_DAYS + 1)


@pytest.mark.parametrize("authors", [1, 2, 3])
def test_a_red_line_is_caught_at_any_volume(store, cups, authors):
    world = factory.quiet_days(store)
    for clause in factory.BURN[:authors]:
        factory.burn(world, NEXT, clause)
    world.save()
    report = build_incidents(cups, store, NEXT, now=morning(NEXT))
    assert [f.level.value for f in report.findings] == ["红" if authors == 3 else "橙"]
    assert report.alerts == 1
    first = dump(store)
    build_incidents(cups, store, NEXT, now=morning(NEXT) + dt.timedelta(hours=1))
    assert dump(store) == first


def build(cups, world: World, date: dt.date = NEXT):
    world.save()
    return build_incidents(cups, world.store, date, now=morning(date))


def leak(world: World, date: dt.date, number: int, sku: str | None = "PC-B2", **more) -> list[int]:
    return [
        world.mention(
            date, world.complaint("产品质量/漏水", factory.LEAK[n % len(factory.LEAK)], 2), sku=sku, **more
        )
        for n in range(number)
    ]


def test_one_everyday_complaint_is_no_incident(small, cups):
    leak(small, NEXT, 1)
    assert build(cups, small).findings == ()


def test_one_author_posting_often_is_one_voice(small, cups):
    leak(small, NEXT, 6, author="same", source="forum")
    assert build(cups, small).findings == ()


def test_verified_press_makes_a_red_line_red(small, cups):
    media = dataclasses.replace(
        cups, sources={**cups.sources, "notes": cups.sources["notes"].model_copy(update={"media": True})}
    )
    factory.burn(small, NEXT, factory.BURN[0])
    (found,) = build(media, small).findings
    assert found.level.value == "红" and "why.media" in {w.key for w in found.why}


def test_a_competitors_trouble_is_not_ours(small, cups):
    for number in range(4):
        text = small.dress("松果匣还行，但是暖山的暖手宝把人烫伤了")
        said = Text(text, ("商品安全/烫伤",), "negative", 3, "暖山的暖手宝把人烫伤了", "人身伤害")
        small.mention(
            NEXT,
            said,
            "notes",
            hits=[("songguoxia", "brand", text.find("松果匣")), ("rival", "competitor", text.find("暖山"))],
            author=f"c{number}",
        )
    assert build(cups, small).findings == ()


def test_old_news_passed_around_is_left_out_and_counted(small, cups):
    for number in range(5):
        said = small.complaint("商品安全/烫伤", "2024年那次暖手宝把人烫伤的事又被翻出来了", 3, "人身伤害")
        small.mention(NEXT, said, "forum", "PC-H1", author=f"o{number}")
    report = build(cups, small)
    assert report.findings == () and report.old_news == 5


def test_old_news_counts_again_when_somebody_speaks_of_today(small, cups):
    small.mention(
        NEXT, small.complaint("商品安全/烫伤", "2024年那次烫伤的事又来了", 3, "人身伤害"), "forum", "PC-H1"
    )
    factory.burn(small, NEXT, factory.BURN[0])
    (found,) = build(cups, small).findings
    assert found.mentions == 2


def test_trouble_spread_over_products_is_one_incident_of_the_brand(small, cups):
    for sku in factory.PRODUCTS:
        for _ in range(3):
            small.mention(NEXT, small.complaint("售后/退款难", "退款一直不给", 2), sku=sku)
    (found,) = [f for f in build(cups, small).findings if f.topic == "售后/退款难"]
    assert found.product is None and found.mentions >= 12 and found.title.startswith("松果匣")


def test_two_troubles_of_one_topic_stay_apart(small, cups):
    leak(small, NEXT, 7, "PC-B2")
    leak(small, NEXT, 6, "PC-K3")
    products = {f.product for f in build(cups, small).findings if f.topic == "产品质量/漏水"}
    assert products == {"PC-B2", "PC-K3"}


def test_posts_that_name_no_product_join_the_one_everybody_speaks_of(small, cups):
    leak(small, NEXT, 7, "PC-B2")
    leak(small, NEXT, 3, None)
    (found,) = [f for f in build(cups, small).findings if f.topic == "产品质量/漏水"]
    assert found.product == "PC-B2" and found.mentions == 10
    why = next(reason for reason in found.why if reason.key.startswith("why.voices"))
    assert why.text().startswith("今日 10 名独立发声者；其中可与往日比的 7 名，预期 ")


def test_a_text_with_two_troubles_counts_in_one_incident(small, cups):
    for _ in range(6):
        text = small.dress("杯盖漏水，退款也不给")
        small.mention(
            NEXT, Text(text, ("产品质量/漏水", "售后/退款难"), "negative", 2, "杯盖漏水"), sku="PC-B2"
        )
    found = [f for f in build(cups, small).findings if f.mentions >= 6]
    assert len(found) == 1


def test_angry_answers_under_a_post_join_its_incident(small, cups):
    leak(small, NEXT, 5, source="notes")
    post = small.rows["mentions"][-1]["native_id"]
    for _ in range(4):
        small.mention(
            NEXT,
            Text(small.dress("太离谱了吧"), (), "negative", 1),
            "notes",
            kind="comment",
            parent=post,
            brand_match=False,
            hits=[],
        )
    (found,) = [f for f in build(cups, small).findings if f.topic == "产品质量/漏水"]
    assert found.mentions >= 9


def test_ads_and_the_shops_own_words_are_no_voices(small, cups):
    leak(small, NEXT, 4, voice="ad")
    leak(small, NEXT, 4, voice="merchant")
    assert build(cups, small).findings == ()


def test_a_late_red_line_is_told_on_the_day_it_is_read(small, cups):
    build(cups, small, day(22))
    small.mention(
        day(22),
        small.complaint("商品安全/烫伤", factory.BURN[0], 3, "人身伤害"),
        "notes",
        "PC-H1",
        hour=21,
        first_seen_at=small.at(NEXT, 20),
    )
    build(cups, small, day(23))
    (found,) = build(cups, small, NEXT).findings
    assert found.level.value == "橙" and found.first_seen_at.date() == day(22)


def test_without_history_only_red_lines_and_clear_bursts_are_listed(sqlite_store, cups):
    world = World(sqlite_store, 3)
    world.background(day(1))
    world.runs(day(1))
    leak(world, day(1), 3)
    assert build(cups, world, day(1)).findings == ()
    factory.burn(world, day(1), factory.BURN[0])
    leak(world, day(1), 6)
    found = {f.topic: f for f in build(cups, world, day(1)).findings}
    assert set(found) == {"商品安全/烫伤", "产品质量/漏水"}
    assert found["产品质量/漏水"].expected is None and "why.cold" in {
        w.key for w in found["产品质量/漏水"].why
    }


def test_ids_do_not_depend_on_the_run(small, cups):
    leak(small, NEXT, 7)
    one = build(cups, small).findings[0].id
    assert build(cups, small).findings[0].id == one == "INC-" + NEXT.strftime("%Y%m%d") + one[-7:]


@pytest.mark.parametrize(
    ("text", "old"),
    [
        ("2024年那次烫伤的事又翻出来了", True),
        ("两年前这家的旧闻，搬运一下", True),
        ("2024年买的暖手宝把手烫伤了", False),
        ("2024年出过事，昨天我也被烫伤了", False),
        ("用了一年就漏水", False),
        ("2026年新买的就漏", False),
    ],
)
def test_old_news_is_known_by_its_words(text, old):
    from reports.texts import is_old_news

    assert is_old_news(text, 2026) is old


def test_accounts_that_write_all_day_are_one_voice_together(small, cups):
    for number in range(12):
        clause = f"{factory.LEAK[number % len(factory.LEAK)]}，第{number}次了"
        small.mention(
            NEXT, small.complaint("产品质量/漏水", clause, 2), "forum", "PC-B2", author=f"busy{number % 3}"
        )
    assert [f for f in build(cups, small).findings if f.voices > 3] == []
    leak(small, NEXT, 5)
    (found,) = [f for f in build(cups, small).findings if f.topic == "产品质量/漏水"]
    assert found.mentions >= 17 and found.voices <= 8
    told = next(w for w in found.why if w.key == "why.copies")
    assert dict(told.values)["accounts"] == 3 and dict(told.values)["texts"] == 12


def test_angry_answers_make_one_post_an_incident(small, cups):
    (post,) = leak(small, NEXT, 1, source="notes", likes=9000)
    parent = small.rows["mentions"][-1]["native_id"]
    for _ in range(9):
        small.mention(
            NEXT,
            Text(small.dress("太离谱了吧"), (), "negative", 1),
            "notes",
            kind="comment",
            parent=parent,
            brand_match=False,
        )
    (found,) = [f for f in build(cups, small).findings if f.topic == "产品质量/漏水"]
    assert found.product == "PC-B2" and found.voices >= 8 and post in {c.heard.ref_id for c in found.members}


def test_one_voice_of_a_second_class_red_line_is_to_be_checked_one_of_the_first_is_an_incident(small, cups):
    for back in range(1, 15):
        small.mention(
            NEXT - dt.timedelta(days=back), small.complaint("宣传/假货", "怀疑买到假货", 2, "假货"), "forum"
        )
        factory.burn(small, NEXT - dt.timedelta(days=back), factory.BURN[0])
    small.mention(NEXT, small.complaint("宣传/假货", "怀疑买到假货", 2, "假货"), "forum")
    factory.burn(small, NEXT, factory.BURN[1])
    found = {f.topic: f for f in build(cups, small).findings}
    fake, burn = found["宣传/假货"], found["商品安全/烫伤"]
    assert (fake.level.value, fake.watched) == ("蓝", True) and "why.isolated" in {w.key for w in fake.why}
    assert burn.level.value in ("橙", "红") and not burn.watched


def test_the_rest_of_the_brand_does_not_drown_one_products_trouble(small, cups):
    for sku in ("PC-K3", "PC-S4", "PC-H1"):
        leak(small, NEXT, 1, sku)
    leak(small, NEXT, 6, "PC-B2")
    (found,) = [f for f in build(cups, small).findings if f.topic == "产品质量/漏水"]
    assert found.product == "PC-B2"
