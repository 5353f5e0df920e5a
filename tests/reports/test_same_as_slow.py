"""What is counted in columns, kept from before or left unread comes to what the plain way says."""

from __future__ import annotations

import datetime as dt
import random
import re
from collections import Counter, defaultdict

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reports import incidents as rules
from reports.baseline import Baseline
from reports.bursts import Marks, _linked
from reports.clauses import MAX_CLAUSES, MIN_CLAUSE, clause_marks, clauses
from reports.clusters import signature
from reports.complaint import Complaint
from reports.emerging import most_before, surprise
from reports.phrases import holding
from reports.texts import is_old_news
from vocwatch.fingerprint import squeeze
from vocwatch.models import TextKind
from vocwatch.settings.topics import RedLineClass
from vocwatch.store import schema as s
from vocwatch.store.engine import among
from vocwatch.store.incidents import Heard

DAY = dt.date(2026, 11, 20)
TEXTS = st.text(alphabet="杯盖渗水旧年前老帖翻到以前考古202４Ａﬁ①½aB_·，。！ \n…~ß²", max_size=60)


@given(TEXTS)
@hypothesis_settings(deadline=None, max_examples=300)
def test_clauses_are_the_squeezed_pieces(text):
    pieces = re.split(r"[，。！？；、,.!?;:：…~～\s]+", text, maxsplit=MAX_CLAUSES)
    assert clauses(text) == {bare for piece in pieces if len(bare := squeeze(piece)) >= MIN_CLAUSE}


@given(TEXTS, st.booleans())
@hypothesis_settings(deadline=None, max_examples=300)
def test_a_dozen_letters_sign_a_text(text, long):
    sign = bytes(257) if long else b""
    assert (signature(sign, text) is not None) == (long and len(re.findall(r"\w", text)) >= 12)


@pytest.mark.parametrize("text", ["2024年那次又来了", "两年前的事", "翻出来看看", "老帖重发", "旧闻一则", "考古一下", "陈年往事", "翻到很久以前的截图"])
def test_each_sign_of_old_news_is_seen(text):
    assert is_old_news(text, 2026) and not is_old_news(f"今天又说{text}", 2026)


def groups_of(texts: list[set[str]], topics: list[int]) -> set[frozenset[int]]:
    """The groups of texts that share a clause within a topic, one by one."""
    group = list(range(len(texts)))
    first: dict[tuple[int, str], int] = {}
    for place, own in enumerate(texts):
        for clause in own:
            one, two = group[first.setdefault((topics[place], clause), place)], group[place]
            group = [min(one, two) if g in (one, two) else g for g in group]
    found: dict[int, set[int]] = defaultdict(set)
    for place, number in enumerate(group):
        found[number].add(place)
    return {frozenset(own) for own in found.values()}


@pytest.mark.parametrize("seed", range(20))
def test_texts_are_tied_by_the_clauses_they_share(seed):
    draw = random.Random(seed)
    said = ["这是第{}句完整的话".format("甲乙丙丁戊己庚辛壬癸子丑"[n]) for n in range(12)]
    texts = [draw.sample(said, draw.choice((0, 1, 1, 2, 3))) for _ in range(14)]
    topics = [draw.randrange(2) for _ in texts]
    marks = [clause_marks("，".join(own)) for own in texts]
    lengths = np.array([len(own) // 8 for own in marks])
    every = Marks(np.frombuffer(b"".join(marks), dtype="<u8"), lengths)
    where = np.array([n for n in range(len(texts)) for _ in range(draw.randrange(1, 3))])
    numbers = _linked(every.of(where), np.array(topics)[where]).tolist()
    found: dict[int, set[int]] = defaultdict(set)
    for place, number in zip(where.tolist(), numbers, strict=True):
        found[number].add(place)
    # A text that stands there twice is tied to itself by its clauses; one without any is not.
    wanted = groups_of([set(own) for own in texts], topics)
    assert {frozenset(own) for own in found.values()} == wanted


def complaint(ref: int, draw: random.Random, day: dt.date) -> Complaint:
    inside = draw.random() < 0.2
    red = RedLineClass(name="烫伤", topic="商品安全/烫伤", sensitivity=1.0, first_class=False, words=("烫伤",))
    topics = tuple(draw.sample(["质量/漏水", "质量/掉色", "物流/慢", "商品安全/烫伤"], draw.choice((1, 1, 2))))
    kind = TextKind.SESSION if inside else TextKind.MENTION
    at = dt.datetime.combine(day, dt.time(8), tzinfo=dt.UTC)
    heard = Heard(kind, ref, f"n{ref}", "forum", at, at, f"话{ref}", "negative", -0.8, 0.9, 1, topics, (), (), "customer", True, b"")
    lines = (red,) if "商品安全/烫伤" in topics and draw.random() < 0.3 else ()
    voice = None if draw.random() < 0.1 else f"v{draw.randrange(60)}"
    return Complaint(heard, day, draw.choice([None, "A", "A", "B", "C"]), topics, lines, voice, ref)


def shown(groups: list[rules.Group]) -> list[tuple[object, ...]]:
    return [
        (g.cell, [c.key for c in g.today], [c.key for c in g.eve], [c.key for c in g.tested], g.expectation, g.isolated) for g in groups
    ]


class Forgetful(dict):
    """Keeps nothing of what was tried."""

    def get(self, key, default=None):
        return None


@pytest.mark.parametrize("seed", range(12))
def test_groups_are_the_same_whether_products_are_tried_again_or_not(seed, monkeypatch):
    draw = random.Random(seed)
    today = [complaint(n, draw, DAY) for n in range(draw.choice((20, 60, 120)))]
    eve = [complaint(1000 + n, draw, DAY - dt.timedelta(days=1)) for n in range(30)]
    counts = {
        (product, topic): {("forum", DAY - dt.timedelta(days=back)): draw.randrange(3) for back in range(3, 30)}
        for product in (None, "A", "B", "C") for topic in ("质量/漏水", "质量/掉色", "物流/慢", "商品安全/烫伤")
    }
    days = {DAY - dt.timedelta(days=back) for back in range(40)}
    baseline = Baseline(DAY, counts, {"forum": days})
    found = shown(rules.find(DAY, today, baseline, [], eve, {"物流/慢"}))
    monkeypatch.setattr(rules._Rules, "_part", lambda self, product, topic, own, tried, part=rules._Rules._part: part(self, product, topic, own, Forgetful()))
    assert found == shown(rules.find(DAY, today, baseline, [], eve, {"物流/慢"})) and found


@given(st.integers(0, 40), st.integers(1, 400), st.integers(0, 600), st.sampled_from((1.5, 3.0)))
@hypothesis_settings(deadline=None, max_examples=150)
def test_no_more_texts_of_before_leave_a_phrase_surprising(authors, people, before, least):
    people = max(people, authors)
    surprising = [n for n in range(before + 1) if surprise(authors, people, n, before) >= least]
    assert most_before(authors, people, before, least) == max(surprising, default=-1)


def test_the_past_is_read_only_while_a_phrase_can_be_news():
    texts = ["盖子渗水", "杯子掉漆", "盖子渗水", "盖子渗水", "杯子掉漆", "没事"]
    seen: list[str] = []
    read = (seen.append(text) or text for text in texts)
    assert holding(["渗水", "掉漆"], read, {"渗水": 1, "掉漆": 0}) == Counter({"渗水": 2, "掉漆": 1}) and len(seen) == 3
    assert holding(["渗水", "掉漆"], texts, {"渗水": 1, "掉漆": 2}) == Counter({"渗水": 3, "掉漆": 2})
    assert holding(["渗水"], texts) == Counter({"渗水": 3})


def test_rows_are_found_by_thousands_of_ids(store):
    with store.begin() as connection:
        connection.execute(s.changes.insert(), [{"text_kind": "mention", "ref_id": n} for n in range(1, 9)])
        asked = sa.select(s.changes.c.ref_id).order_by(s.changes.c.ref_id)
        wanted = [2, 5, 7, *range(100, 40_000), 2**40]
        assert list(connection.execute(asked.where(among(connection, s.changes.c.ref_id, wanted))).scalars()) == [2, 5, 7]
        assert list(connection.execute(asked.where(among(connection, s.changes.c.ref_id, []))).scalars()) == []
