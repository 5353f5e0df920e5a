"""The handle that questions are asked through: settings and store, and what both together say of a question."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from vocwatch.clock import business_date
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.store import Connection, Store
from vocwatch.store.desk.question import Question, QuestionError
from vocwatch.store.desk.scope import Scope, TooBroadError, settled
from vocwatch.store.engine import TooSlowError


@dataclass(frozen=True)
class Desk:
    """Settings and store; cheap to make, safe to keep."""

    settings: Settings
    store: Store

    @property
    def today(self) -> dt.date:
        """The business date of this moment."""
        return business_date(self.settings.clock.now(), self.settings.app.zone)

    @contextmanager
    def read(self, *, limited: bool = True) -> Iterator[Connection]:
        """Open a transaction that only reads, for `console.query_seconds` at most; not `limited`, for as long as rows are
        fetched. Raises QuestionError where it took longer.
        """
        seconds = self.settings.app.console.query_seconds
        try:
            with self.store.read(seconds if limited else None) as connection:
                yield connection
        except TooSlowError as error:
            raise QuestionError("since", tr(
                f"算了 {seconds:g} 秒还没算完，已停止，什么也没改。请缩短时间、加条件，或导出后再算（config/vocwatch.yaml 的 console.query_seconds 可以放宽）",
                f"Stopped after {seconds:g} seconds; nothing was changed. Take fewer days, add conditions, or export the rows "
                "(console.query_seconds in config/vocwatch.yaml allows more)",
            )) from error

    def scope(self, connection: Connection, question: Question) -> Scope:
        """Return the question as the database understands it. Raises QuestionError where a NEAR is too broad."""
        try:
            return settled(connection, self.plain_scope(question))
        except TooBroadError as error:
            raise QuestionError("q", tr(
                f"NEAR 两边的词太常见，有 {error.number} 条文本要逐条看。请缩短时间，或加一个更少见的词",
                f"The words of NEAR stand in {error.number} texts, too many to look at. Take fewer days or add a rarer word",
            )) from error

    def plain_scope(self, question: Question) -> Scope:
        """The same, with a NEAR not looked at yet."""
        products = [w for w in self.settings.watches.watches if w.kind == "product"]
        asked = set(question.products)
        skus = asked | {w.sku for w in products if w.id in asked and w.sku}
        watches = asked | {w.id for w in products if w.sku and w.sku in skus}
        return Scope(
            question, self.settings.app.zone, skus=tuple(sorted(skus)), product_watches=tuple(sorted(watches)),
            own=tuple((w.id, w.sku or w.id) for w in products),
        )

    def source_title(self, name: str) -> str:
        """How people call a source; its name where it is configured no more."""
        source = self.settings.sources.get(name)
        return source.title if source else name

    def product_name(self, sku: str) -> str:
        """How people call a product; its SKU where no watch names it."""
        for watch in self.settings.watches.watches:
            if watch.kind == "product" and sku in (watch.sku, watch.id):
                return watch.name
        return sku
