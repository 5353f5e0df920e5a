"""The watched folder: exports are taken once they lie still, each content once.

A file is still when its size and modification time are the same at two looks. A look is one call of `look`; the
schedule looks at every round, `vocwatch run` before and after its crawl.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from sessions.importer import Export, ImportRefused, ImportReport, import_export, import_file
from sessions.readings import file_digest
from vocwatch.lang import tr
from vocwatch.settings import Settings
from vocwatch.store import Store, imports
from vocwatch.store.imports import WAITING, SeenFile

SUFFIXES = frozenset((".csv", ".xlsx", ".jsonl", ".json", ".txt", ".tsv"))
DONE_FOLDER = "已导入"
MAX_UPLOAD = 2 * 1024 * 1024 * 1024
_HALF = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", ".lock")
_CHUNK = 1 << 20


@dataclass
class FolderReport:
    """What a look at the folder led to: imports, refusals in words, and the files that wait for a second look."""

    imported: list[ImportReport] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)


def exports_in(folder: Path) -> list[Path]:
    """Return the export files of a folder by name; hidden, half-written and other files are none.

    Raises OSError where the folder cannot be read.
    """
    return sorted(path for path in folder.iterdir() if _is_export(path) and path.is_file())


def _is_export(path: Path) -> bool:
    name = path.name.lower()
    return path.suffix.lower() in SUFFIXES and not name.startswith((".", "~$")) and not _half_written(path)


def _half_written(path: Path) -> bool:
    """Browsers and copiers leave a companion (day.csv.part) beside a file that they have not finished."""
    return any(path.with_name(path.name + ending).exists() for ending in _HALF)


def watched(settings: Settings) -> Path | None:
    """Return the watched folder, if there is one."""
    folder = settings.app.sessions.folder
    return settings.env.home / folder if folder else None


def look(settings: Settings, store: Store) -> tuple[list[Path], list[Path]]:
    """Look at the folder once: the files that lie still and were not taken yet, and those that still wait.

    Raises ImportRefused where the folder cannot be read.
    """
    folder = watched(settings)
    if folder is None:
        return [], []
    try:
        found = {str(path): path for path in exports_in(folder)}
    except OSError as error:
        raise ImportRefused(tr(
            f"{folder}: 读不到导入文件夹（{error.strerror}）。请建好它，或改 config/vocwatch.yaml 里的 sessions.folder",
            f"{folder}: the import folder cannot be read ({error.strerror}). Make it, or change sessions.folder in "
            "config/vocwatch.yaml",
        )) from error
    now = settings.clock.now()
    still: list[Path] = []
    waiting: list[Path] = []
    with store.begin() as connection:
        known = imports.load(connection)
        seen: list[SeenFile] = []
        for name, path in found.items():
            state = _stat(path)
            if state is None:
                continue
            before = known.get(name)
            if before is None or (before.size, before.changed_ns) != state:
                seen.append(SeenFile(name, *state, now))
                waiting.append(path)
            elif before.state == WAITING:
                still.append(path)
        imports.save(connection, seen)
        imports.forget_gone(connection, list(found))
    return still, waiting


def take(settings: Settings, store: Store, progress: Callable[[str], None] = lambda line: None) -> FolderReport:
    """Look at the folder and import what lies still. A refused file does not stop the others, nor is it tried again
    before it changes.
    """
    report = FolderReport()
    try:
        still, waiting = look(settings, store)
    except ImportRefused as error:
        report.refused.append(str(error))
        return report
    report.waiting = [path.name for path in waiting]
    for path in still:
        _take_one(settings, store, path, report, progress)
    return report


def _take_one(
    settings: Settings, store: Store, path: Path, report: FolderReport, progress: Callable[[str], None]
) -> None:
    state = _stat(path)
    if state is None:
        return
    sha256 = file_digest(path)
    with store.read() as connection:
        same = imports.taken(connection, sha256)
    entry = SeenFile(str(path), *state, settings.clock.now(), sha256=sha256)
    if same is not None:
        report.same.append(path.name)
        entry = replace(entry, state="done", run_id=same.run_id, reason=tr(
            f"内容与 {Path(same.path).name} 相同", f"the same content as {Path(same.path).name}"
        ))
    else:
        progress(tr(f"导入：{path.name}", f"Importing {path.name}"))
        try:
            done = import_export(settings, store, Export(path, path.name[:200], sha256))
        except ImportRefused as error:
            report.refused.append(str(error))
            progress(str(error))
            entry = replace(entry, state="refused", reason=str(error)[:2000])
        else:
            report.imported.append(done)
            entry = replace(entry, state="partial" if done.bad else "done", run_id=done.run_id)
    if _stat(path) != state:  # it was still being written: what was read of it is read again once it lies still
        entry = replace(entry, state=WAITING, sha256=None)
    with store.begin() as connection:
        imports.save(connection, [entry])
    if settings.app.sessions.done == "move" and entry.state in ("done", "partial"):
        _move(path)


def _move(path: Path) -> None:
    """Put an imported file aside, under its own name or, if that is taken there, a numbered one."""
    folder = path.parent / DONE_FOLDER
    folder.mkdir(exist_ok=True)
    target, number = folder / path.name, 2
    while target.exists():
        target, number = folder / f"{path.stem}-{number}{path.suffix}", number + 1
    path.replace(target)


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def import_upload(
    settings: Settings, store: Store, name: str, content: BinaryIO, format: str = "auto"
) -> ImportReport:
    """Import a file that came over the wire, as the console hands it in; nothing of it stays on disk.

    `name` is the sender's: only its last part counts, and that without what a file name should not hold. Raises
    ImportRefused, also for more than 2 GB.
    """
    safe = re.sub(r"[^\w.()（）【】 -]+", "_", re.split(r"[\\/]", name)[-1]).strip(". ")[-120:] or "upload"
    settings.env.data.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="upload-", dir=settings.env.data) as folder:
        path = Path(folder) / safe
        with path.open("wb") as file:
            _copy(content, file, safe)
        return import_file(settings, store, path, format)


def _copy(content: BinaryIO, file: BinaryIO, name: str) -> None:
    shutil.copyfileobj(_Limited(content, name), file, _CHUNK)


class _Limited:
    """Reads no more than an upload may hold."""

    def __init__(self, content: BinaryIO, name: str):
        self._content, self._name, self._left = content, name, MAX_UPLOAD

    def read(self, size: int = _CHUNK) -> bytes:
        """Return the next bytes. Raises ImportRefused beyond the limit."""
        found = self._content.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ImportRefused(tr(
                f"{self._name}: 上传超过 {MAX_UPLOAD >> 30} GB。请分日导出", f"{self._name}: an upload above {MAX_UPLOAD >> 30} GB. Export day by day",
            ))
        return found
