"""The watched folder, uploads, and database views."""

from __future__ import annotations

import io
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from sessions.folder import import_upload, look, take
from sessions.importer import ImportRefused
from sessions.views import import_view
from tests.conftest import ROOT
from tests.sessions.samples import HEADER, row, write_book, write_csv
from vocwatch.settings import Settings, load_settings, read_environment
from vocwatch.settings.app import SessionImports, SessionView
from vocwatch.store import Store, imports, runs
from vocwatch.store.schema import sessions


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The shipped settings, read once."""
    return load_settings(read_environment({
        "VOCWATCH_HOME": str(tmp_path_factory.mktemp("home")), "VOCWATCH_CONFIG": str(ROOT / "config"),
        "VOCWATCH_SECRET": "test", "VOCWATCH_NOW": "2026-11-16T08:30:00",
    }))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watching(shipped: Settings, folder: Path, **more: object) -> Settings:
    imports_ = SessionImports.model_validate({"folder": str(folder), **more})
    return replace(shipped, app=shipped.app.model_copy(update={"sessions": imports_}))


def count(store: Store) -> int:
    with store.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(sessions)).scalar_one()


def age(path: Path, seconds: int) -> None:
    """Move the modification time; a test cannot wait for the clock of the disk."""
    moment = path.stat().st_mtime_ns + seconds * 10**9
    os.utime(path, ns=(moment, moment))


def test_F42_a_half_copied_file_is_left_until_it_lies_still(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    settings = watching(shipped, folder)
    whole = write_csv(folder / "whole", [HEADER, *(row(number) for number in range(1, 21))]).read_bytes()
    (folder / "whole").unlink()
    path = folder / "非满意.csv"
    # Cut between two rows: nothing in the file itself tells that more will come.
    cut = whole.index(b"S000011")
    path.write_bytes(whole[:cut])
    assert take(settings, sqlite_store).waiting == ["非满意.csv"]
    path.write_bytes(whole[:cut] + whole[cut:cut + 300])
    age(path, 1)
    assert take(settings, sqlite_store).waiting == ["非满意.csv"] and count(sqlite_store) == 0
    path.write_bytes(whole)
    age(path, 2)
    assert take(settings, sqlite_store).waiting == ["非满意.csv"] and count(sqlite_store) == 0
    (report,) = take(settings, sqlite_store).imported
    assert report.added == count(sqlite_store) == 20
    after = take(settings, sqlite_store)
    assert not (after.imported or after.waiting or after.refused)


def test_F42_the_same_content_is_taken_once_whatever_its_name(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    settings = watching(shipped, folder)
    path = write_csv(folder / "非满意.csv", [HEADER, row(1)])
    look(settings, sqlite_store)
    assert len(take(settings, sqlite_store).imported) == 1
    (folder / "非满意 副本.csv").write_bytes(path.read_bytes())
    look(settings, sqlite_store)
    again = take(settings, sqlite_store)
    assert (again.same, again.imported) == (["非满意 副本.csv"], [])
    with sqlite_store.read() as connection:
        assert len(runs.history(connection, "import", "非满意 副本.csv")) == 0


def test_files_that_are_none_or_not_finished(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    for name in ("a.csv.part", "b.tmp", ".c.csv", "~$d.xlsx", "readme.md", "e.csv", "e.csv.crdownload"):
        (folder / name).write_text("x", encoding="utf-8")
    (folder / "f.csv").mkdir()
    settings = watching(shipped, folder)
    assert look(settings, sqlite_store) == ([], [])
    (folder / "e.csv.crdownload").unlink()
    assert [path.name for path in look(settings, sqlite_store)[1]] == ["e.csv"]
    (folder / "e.csv").unlink()
    look(settings, sqlite_store)
    with sqlite_store.read() as connection:
        assert not imports.load(connection)


def test_refused_files_are_tried_again_only_when_they_change(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    settings = watching(shipped, folder)
    path = folder / "流失.xlsx"
    good = write_book(folder / "x.xlsx", {"流失": [HEADER, row(1)]}).read_bytes()
    (folder / "x.xlsx").unlink()
    path.write_bytes(good[:2000])
    write_csv(folder / "非满意.csv", [HEADER, row(2)])
    look(settings, sqlite_store)
    first = take(settings, sqlite_store)
    assert len(first.refused) == 1 and "损坏" in first.refused[0] and len(first.imported) == 1
    assert not take(settings, sqlite_store).refused
    path.write_bytes(good)
    age(path, 1)
    take(settings, sqlite_store)
    assert len(take(settings, sqlite_store).imported) == 1
    with sqlite_store.read() as connection:
        assert {Path(name).name: file.state for name, file in imports.load(connection).items()} == {"流失.xlsx": "done", "非满意.csv": "done"}


def test_done_files_are_moved_where_that_is_asked_for(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    settings = watching(shipped, folder, done="move")
    for said in ("一", "二"):
        write_csv(folder / "非满意.csv", [HEADER, row(1, 商品名称=said)])
        look(settings, sqlite_store)
        assert len(take(settings, sqlite_store).imported) == 1
    assert sorted(path.name for path in (folder / "已导入").iterdir()) == ["非满意-2.csv", "非满意.csv"]


def test_a_folder_that_is_not_there_is_said(shipped: Settings, sqlite_store: Store, folder: Path) -> None:
    (refusal,) = take(watching(shipped, folder / "没有"), sqlite_store).refused
    assert "sessions.folder" in refusal


def test_an_upload_leaves_nothing_behind(shipped: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    content = write_csv(tmp_path / "x.csv", [HEADER, row(1)]).read_bytes()
    report = import_upload(shipped, sqlite_store, "..\\..\\etc/非满意\x00.csv", io.BytesIO(content))
    assert (report.file, report.added, report.paths) == ("非满意_.csv", 1, {"非满意": 1})
    with pytest.raises(ImportRefused, match="空的"):
        import_upload(shipped, sqlite_store, "../", io.BytesIO(b""))
    assert not list(shipped.env.data.glob("upload-*"))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "cs.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE s (id INTEGER PRIMARY KEY, session_id TEXT, start TEXT, path TEXT, messages TEXT)")
        connection.execute("CREATE VIEW sessions_v AS SELECT * FROM s")
        connection.executemany("INSERT INTO s VALUES (?,?,?,?,?)", [
            (number, f"V{number}", f"2026-09-14T10:{number:02d}:00+08:00", "品退", '[{"role": "买家", "text": "坏了13900001234"}]')
            for number in range(1, 4)
        ])
    return path


def viewing(shipped: Settings, database: Path, **more: str) -> tuple[Settings, SessionView]:
    variables = {**shipped.env.variables, "VOCWATCH_VIEW_CS": f"sqlite:///{database}"}
    view = SessionView.model_validate({"name": "cs", "url_env": "VOCWATCH_VIEW_CS", "view": "sessions_v", "key": "id", **more})
    return replace(shipped, env=replace(shipped.env, variables=variables)), view


def test_a_view_is_read_from_the_last_key_on(shipped: Settings, sqlite_store: Store, database: Path) -> None:
    settings, view = viewing(shipped, database)
    first = import_view(settings, sqlite_store, view)
    assert first is not None and (first.added, first.format) == (3, "records")
    with sqlite3.connect(database) as connection:
        connection.execute("INSERT INTO s VALUES (4, 'V4', '2026-09-15T10:00:00+08:00', '品退', '[{\"role\": \"买家\", \"text\": \"漏水\"}]')")
        connection.execute("UPDATE s SET messages = '[]' WHERE id = 1")  # behind the key: not read again
    second = import_view(settings, sqlite_store, view)
    assert second is not None and (second.rows, second.added, second.unchanged) == (2, 1, 1)
    third = import_view(settings, sqlite_store, view)
    assert third is not None and (third.added, third.updated) == (0, 0)
    assert count(sqlite_store) == 4


def test_a_view_by_time_and_an_empty_one(shipped: Settings, sqlite_store: Store, database: Path) -> None:
    settings, view = viewing(shipped, database, key="start")
    first = import_view(settings, sqlite_store, view)
    assert first is not None and first.added == 3
    with sqlite_store.read() as connection:
        latest = runs.latest(connection, "import", "view:cs")
    assert latest is not None and latest.stats["key"] == {"value": "2026-09-14T10:03:00+08:00"}
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM s")
    assert import_view(settings, sqlite_store, view) is None


def test_what_is_wrong_with_a_view_is_said_without_its_password(shipped: Settings, sqlite_store: Store, database: Path) -> None:
    settings, view = viewing(shipped, database, view="nothing")
    with pytest.raises(ImportRefused, match="nothing"):
        import_view(settings, sqlite_store, view)
    with pytest.raises(ImportRefused, match="VOCWATCH_VIEW_CS"):
        import_view(shipped, sqlite_store, view)
    variables = {**settings.env.variables, "VOCWATCH_VIEW_CS": "nonsense://u:geheim@h/db"}
    with pytest.raises(ImportRefused) as refusal:
        import_view(replace(settings, env=replace(settings.env, variables=variables)), sqlite_store, view)
    assert "geheim" not in str(refusal.value)


def test_nothing_of_a_view_is_sql(shipped: Settings, sqlite_store: Store, database: Path) -> None:
    for wrong in ({"view": "s; DROP TABLE s"}, {"key": "id) --"}, {"url_env": "PATH"}):
        with pytest.raises(ValueError, match="pattern"):
            viewing(shipped, database, **wrong)
