"""The guide's commands run as they stand, the notebook's cells run in their order, and the views are as described."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from reports.desk.ask import Desk, Question, ask
from tests.conftest import ROOT
from tests.reports.factory import LAST, PLANTED
from vocwatch.cli.app import run
from vocwatch.cli.context import Context
from vocwatch.store.desk import rollup
from vocwatch.store.desk.bi import VIEWS


@pytest.mark.parametrize("name", ["analyse.md", "analyse.zh-CN.md"])
def test_the_guides_commands_work(
    name: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Context, "settings", desk.settings)
    monkeypatch.setattr(Context, "store", desk.store)
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^vocwatch .*$", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.M)
    assert len(lines) == 13
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        assert run(words) == 0, (line, capsys.readouterr().err)
    assert len(list(tmp_path.iterdir())) == 4


def test_the_notebook_runs(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rollup.ready(desk.store, desk.settings.app.zone)
    path = sa.make_url(desk.store.url).database
    assert path
    (tmp_path / "vocwatch.sqlite3").symlink_to(path)
    monkeypatch.setenv("VOCWATCH_DATA", str(tmp_path))
    space: dict[str, Any] = {}
    book = json.loads((ROOT / "examples" / "analyse.ipynb").read_text(encoding="utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            exec(compile("".join(cell["source"]), cell["id"], "exec"), space)
    assert space["last"] == LAST.isoformat()
    rose = space["rising"][0]
    assert rose["topic"] == "商品安全/烫伤" or rose["now"] > rose["before"]
    assert space["products"] and space["incidents"]
    assert [(row["source"], row["day"]) for row in space["blind"]] == [("notes", PLANTED["blind"].isoformat())]
    space["db"].close()


@pytest.mark.parametrize("which", ["desk", "other_desk"])
def test_views_have_the_described_columns_and_all_rows(which: str, request: pytest.FixtureRequest) -> None:
    each: Desk = request.getfixturevalue(which)
    rollup.ready(each.store, each.settings.app.zone)
    with each.read() as connection:
        for name, view in VIEWS.items():
            result = connection.execute(sa.text(f"SELECT * FROM {name}"))
            assert list(result.keys()) == list(view.columns), name
            assert result.first() is not None, name
        for name, subject, question in (
            ("v_mentions", "mentions", Question()), ("v_sessions", "sessions", Question()),
            ("v_incidents WHERE NOT to_check", "incidents", Question()),
            ("v_mentions WHERE level = '红'", "mentions", Question(levels=("红",))),
        ):
            assert connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() == ask(each, subject, question).total, name
        by_topic = {row["topic"]: row["mentions"] for row in ask(each, "topics", Question()).rows}
        for table in ("v_topics WHERE brand", "v_trends WHERE brand AND topic <> '全部'"):
            number = "count(*)" if table.startswith("v_topics") else "sum(mentions)"
            assert dict(connection.execute(sa.text(f"SELECT topic, {number} FROM {table} GROUP BY topic")).all()) == by_topic  # type: ignore[arg-type]


def test_a_reader_of_the_views_cannot_write(desk: Desk) -> None:
    import sqlite3

    path = sa.make_url(desk.store.url).database
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM mentions")
    db.close()
