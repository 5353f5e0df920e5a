"""F59: an export is read as it is written and holds every row; a question that takes too long is stopped and said."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reports.desk.ask import Answer, Desk, Question, QuestionError, ask
from reports.desk.columns import MENTIONS
from reports.desk.export import MEDIA, export, write
from tests.desk.test_kept_current import world_of
from vocwatch.exits import StorageError
from vocwatch.settings import Settings
from vocwatch.store.desk import rows as store_rows
from vocwatch.store.engine import TooSlowError


class Watched:
    """Rows that say how many of them were taken."""

    def __init__(self, number: int):
        self.number, self.taken = number, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(self.number):
            self.taken += 1
            yield {"id": number, "text": "很长的一句话" * 20, "topics": ["产品质量/漏水"], "severity": 1}


@pytest.mark.parametrize("name", ["csv", "jsonl", "json"])
def test_pieces_come_while_rows_are_still_to_be_read(name: str) -> None:
    rows = Watched(20_000)
    pieces = export(Answer("mentions", Question(), (), MENTIONS, rows, rows.number, lambda: ()), name)
    next(pieces)
    assert 0 < rows.taken < 1_000
    whole = b"".join(pieces).decode()
    assert rows.taken == 20_000 and whole.count("\n") >= 19_000


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_files_hold_every_row(name: str, tmp_path: Path) -> None:
    from pyarrow import parquet

    rows = Watched(300)
    path = tmp_path / f"rows.{name}"
    write(Answer("mentions", Question(), (), MENTIONS, rows, rows.number, lambda: ()), name, path, ["id", "text"])
    if name == "parquet":
        assert parquet.read_table(path).num_rows == 300
    elif name == "json":
        assert [row["id"] for row in json.loads(path.read_text(encoding="utf-8"))] == list(range(300))
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_a_file_that_breaks_off_is_not_there(tmp_path: Path) -> None:
    def breaking() -> Iterator[dict[str, Any]]:
        yield {"id": 1}
        raise QuestionError("since", "stopped")

    with pytest.raises(QuestionError):
        write(Answer("mentions", Question(), (), MENTIONS, breaking(), 1, lambda: ()), "csv", tmp_path / "rows.csv")
    assert not list(tmp_path.iterdir())


def test_a_question_that_takes_too_long_is_stopped_and_said(both: Desk, brand: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    world_of(both.store)
    long = {  # a second or two, unless it is stopped
        "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT count(*) FROM n",
        "postgresql": "SELECT count(*) FROM generate_series(1, 9000000)",
    }[both.store.dialect]
    with pytest.raises(TooSlowError), both.store.read(0.05) as connection:
        connection.exec_driver_sql(long)
    console = brand.app.console.model_copy(update={"query_seconds": 0.05})
    desk = Desk(dataclasses.replace(brand, app=brand.app.model_copy(update={"console": console})), both.store)
    monkeypatch.setattr(store_rows, "count", lambda connection, scope: connection.exec_driver_sql(long).scalar())
    with pytest.raises(QuestionError, match=r"0\.05 秒"):
        ask(desk, "mentions", Question())
    monkeypatch.undo()
    assert ask(Desk(brand, both.store), "mentions", Question()).total == _stored(both)


def _stored(desk: Desk) -> int:
    with desk.store.read() as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM mentions")).scalar_one())


def test_reading_writes_nothing(both: Desk) -> None:
    with pytest.raises((sa.exc.DBAPIError, StorageError)), both.store.read(5) as connection:
        connection.exec_driver_sql("DELETE FROM mentions")
