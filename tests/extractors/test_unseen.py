"""What a page says it has and does not show is said: by the extraction, and by the run that met it."""

from __future__ import annotations

from collections import Counter

from crawlers.health import History, judge
from crawlers.tally import Tally
from vocwatch.models import SourceStatus
from vocwatch.settings.sources import Source

SOURCE = Source.model_validate({
    "name": "notes", "title": "笔记", "owner": "x", "start": [],
    "access": {"basis": "x", "robots": "x", "reviewer": "x", "date": "2026-11-22"},
    "detail": {"extract": "json", "unseen": {"评论": "count && !(comments[0])"}, "records": [
        {"kind": "post", "items": "note", "fields": {"text": "desc"}},
    ]},
})


def test_a_good_run_says_what_it_was_not_shown() -> None:
    good = Tally(starts=1, starts_read=1, first_page=3, records=3, unseen=Counter({"评论": 2}))
    assert judge(good, History(), SOURCE, {}) == (SourceStatus.OK, "2 页写有评论，未登录看不到，没有读")
    assert judge(Tally(starts=1, starts_read=1, first_page=3, records=3), History(), SOURCE, {}) == (SourceStatus.OK, None)


def test_it_is_kept_in_the_run_row() -> None:
    assert Tally(unseen=Counter({"评论": 2})).stats(None, "deep", None)["unseen"] == {"评论": 2}
