"""After the local judgement: what stayed uncertain is read a second time by a language model, where one is set up.

The local judgements are in the store by then. Whatever goes wrong here, they stand.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sentiment.llm import Question, Unusable, ask, merge, prepare, read, refined_version, topic_names
from sentiment.llm_client import ChatClient, LlmFailure
from sentiment.voice import CUSTOMER
from vocwatch.clock import business_date, day_window
from vocwatch.models import Assessment, RunStatus
from vocwatch.settings import Settings
from vocwatch.store import Store, assessments, runs
from vocwatch.store.assessments import Pending

KIND, SUBJECT = "llm", "all"


@dataclass
class RefineReport:
    """What became of the uncertain texts: how many were sent, in how many requests, what was done with them.

    `agreed` and `changed` count accepted readings; `dropped` counts by reason those where the local judgement
    stands. `stopped` says why no more was sent, where the endpoint was to blame.
    """

    endpoint: str
    model: str
    requests: int = 0
    sent: int = 0
    agreed: int = 0
    changed: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    def stats(self) -> dict[str, Any]:
        """Return the report as the run row keeps it."""
        return {
            "endpoint": self.endpoint, "model": self.model, "requests": self.requests, "sent": self.sent,
            "agreed": self.agreed, "changed": self.changed, "dropped": dict(sorted(self.dropped.items())),
            "stopped": self.stopped,
        }


@dataclass(frozen=True, slots=True)
class _Doubt:
    pending: Pending
    question: Question
    judged_at: dt.datetime


class Refiner:
    """Collects the uncertain texts of one run, then has the least certain of them read again."""

    def __init__(self, settings: Settings, version: str):
        """`version` is the local judge's."""
        self._settings, self._llm = settings, settings.app.llm
        self._names = topic_names(settings.topics)
        self.version = refined_version(self._llm.model, version)
        self._judged = 0
        self._order = itertools.count()
        self._doubts: list[tuple[float, int, _Doubt]] = []
        self._report = RefineReport(urlsplit(self._llm.base_url).netloc, self._llm.model)

    def offer(self, judged: Iterable[tuple[Pending, Assessment]], judged_at: dt.datetime) -> None:
        """Take note of judgements; those flagged 待复核 that matter are kept, the least certain ones first."""
        most = self._llm.requests_per_day * self._llm.batch
        for pending, local in judged:
            self._judged += 1
            if not is_doubtful(local):
                continue
            question = prepare(pending.item.text, local)
            if isinstance(question, str):
                self._report.dropped[question] += 1
                continue
            entry = (-local.confidence, next(self._order), _Doubt(pending, question, judged_at))
            if len(self._doubts) < most:
                heapq.heappush(self._doubts, entry)
            else:
                heapq.heappushpop(self._doubts, entry)
                self._report.dropped["budget"] += 1

    def run(
        self, store: Store, patience: float | None = None, seconds: Callable[[], float] = time.monotonic
    ) -> RefineReport:
        """Send what share and budget allow, save what is believed. Raises only what the store raises.

        After `patience` seconds no further request begins: what was not asked stays as judged here.
        """
        self._until = math.inf if patience is None else seconds() + patience
        self._seconds = seconds
        doubts = [doubt for _, _, doubt in sorted(self._doubts, key=lambda entry: (-entry[0], entry[1]))]
        allowed = math.ceil(self._llm.max_share * self._judged)
        if doubts[allowed:]:
            self._report.dropped["share"] += len(doubts[allowed:])
        doubts = doubts[:allowed]
        if doubts:
            self._send(store, doubts)
        return self._report

    def _send(self, store: Store, doubts: Sequence[_Doubt]) -> None:
        """Send batch after batch, in a run row of its own that says what was sent where, even after a crash."""
        clock, report, size = self._settings.clock, self._report, self._llm.batch
        since, _ = day_window(business_date(clock.now(), self._settings.app.zone), self._settings.app.zone)
        with store.begin() as connection:
            runs.abandon_unfinished(connection, KIND, SUBJECT, clock.now())
            left = self._llm.requests_per_day - runs.total(connection, KIND, "requests", since)
            run_id = runs.start(connection, KIND, SUBJECT, clock.now())
        try:
            with ChatClient(self._llm, self._settings.env.llm_key) as client:
                failures = 0
                for first in range(0, len(doubts), size):
                    batch = doubts[first:first + size]
                    if report.requests >= left:
                        report.dropped["budget"] += len(batch)
                    elif self._seconds() >= self._until:
                        report.dropped["late"] += len(batch)
                    elif report.stopped:
                        report.dropped["stopped"] += len(batch)
                    else:
                        failures = self._ask(store, run_id, client, batch, failures)
        except LlmFailure as failure:
            report.stopped = failure.reason
            report.dropped[failure.reason] += len(doubts)
        with store.begin() as connection:
            status = RunStatus.FAILED if report.stopped else RunStatus.DONE
            runs.finish(connection, run_id, clock.now(), status, reason=report.stopped or None, stats=report.stats())

    def _ask(self, store: Store, run_id: int, client: ChatClient, batch: Sequence[_Doubt], failures: int) -> int:
        """Ask once; returns how many requests in a row have now failed."""
        report = self._report
        report.requests += 1
        report.sent += len(batch)
        with store.begin() as connection:  # before the request: what a crash leaves behind counts as well
            runs.note(connection, run_id, report.stats())
        questions = [doubt.question for doubt in batch]
        body = ask(questions, self._names, self._llm.model, self._llm.response_format, self._llm.max_tokens)
        try:
            answers, counts = read(client.complete(body), questions)
        except (LlmFailure, Unusable) as failure:
            report.dropped[failure.reason] += len(batch)
            if isinstance(failure, LlmFailure) and failure.final:
                report.stopped = failure.reason
            elif failures + 1 >= self._llm.stop_after_failures:
                report.stopped = f"{failures + 1} × {failure.reason}"
            return failures + 1
        report.dropped.update(counts)
        names = frozenset(self._names)
        for doubt, answer in zip(batch, answers, strict=True):
            if answer is None:
                continue
            refined = merge(doubt.question, answer, names, self.version)
            if isinstance(refined, str):
                report.dropped[refined] += 1
                continue
            if refined.sentiment is doubt.question.local.sentiment:
                report.agreed += 1
            else:
                report.changed += 1
            with store.begin() as connection:
                # The time stays that of the judgement: answers to this text need not be judged again.
                assessments.save(connection, [(doubt.pending, refined)], doubt.judged_at)
        return 0


def is_doubtful(local: Assessment) -> bool:
    """Whether a second reading is worth sending a text away: uncertain, a customer's, and about what is watched.

    What holds a red line is never sent: nobody is asked whether it really is one.
    """
    watched = local.brand_match or bool(local.hits)
    return local.review and watched and local.voice == CUSTOMER and not local.red_lines and local.refused is None
