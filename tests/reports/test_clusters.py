from __future__ import annotations

import datetime as dt

from reports.bursts import coordination
from reports.clusters import collapse
from vocwatch.fingerprint import fingerprint
from vocwatch.models import TextKind
from vocwatch.store.incidents import Heard

START = dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)
RUMOUR = "听说这家店的杯子都是二次翻新的，里面的内胆生锈发黑，已经有人送去检测了，大家千万不要再买"
OTHER = "买来两个星期底部的防滑垫就掉了，联系客服说要自己承担运费寄回去，最后不了了之"


def heard(ref: int, text: str, hours: float = 0, author: str | None = None) -> Heard:
    at = START + dt.timedelta(hours=hours)
    return Heard(
        TextKind.MENTION,
        ref,
        f"n{ref}",
        "forum",
        at,
        at,
        text,
        "negative",
        -0.8,
        0.9,
        2,
        ("宣传/假货",),
        (),
        (),
        "customer",
        True,
        fingerprint(text),
        author=author or f"a{ref}",
    )


def test_copies_point_to_the_earliest():
    texts = [
        heard(3, RUMOUR + "！！", 5),
        heard(1, RUMOUR, 0),
        heard(2, "转：" + RUMOUR, 2),
        heard(4, OTHER, 1),
    ]
    assert collapse(texts) == {1: 1, 2: 1, 3: 1, 4: 4}


def test_short_texts_of_two_people_are_not_copies():
    assert collapse([heard(1, "杯盖漏水太差了"), heard(2, "杯盖漏水太差了", 1)]) == {1: 1, 2: 2}


def test_joined_through_a_third_text_the_origin_is_still_the_earliest():
    chain = [RUMOUR[:30] + "甲乙丙丁", RUMOUR[:30] + "甲乙丙丁" + OTHER[:12], RUMOUR[:30] + OTHER[:12]]
    origins = collapse([heard(n + 1, text, n) for n, text in enumerate(chain)])
    assert set(origins.values()) <= {1, 2, 3} and all(origins[ref] <= ref for ref in origins)


def test_thousands_of_copies_are_one_cluster():
    texts = [heard(n, RUMOUR + "。" * (n % 4), n / 1000, f"u{n % 40}") for n in range(1, 3001)]
    assert set(collapse(texts).values()) == {1}


def test_a_burst_by_few_accounts_is_said_with_its_reasons():
    burst = [heard(n, RUMOUR, n / 10, f"u{n % 5}") for n in range(1, 31)]
    found = coordination(burst)
    assert found is not None and (found.texts, found.accounts, found.hours) == (30, 5, 3)


def test_a_post_shared_by_many_people_or_over_weeks_is_no_arranged_burst():
    assert coordination([heard(n, RUMOUR, n / 10) for n in range(1, 31)]) is None
    assert coordination([heard(n, RUMOUR, 24 * n, f"u{n % 5}") for n in range(1, 31)]) is None
    assert coordination([heard(n, RUMOUR, 0, "one") for n in range(1, 5)]) is None
    assert coordination([heard(n, RUMOUR)._replace(author=None) for n in range(1, 31)]) is None
