"""Changing the configuration: every way of it, by console or command line, goes through here.

The files stay the truth. A change is made in the text of the file (comments stay), checked as the loader would, noted as
a version, and written in one step, while nobody else changes anything. What somebody edited by hand meanwhile is noted
first, so that nothing is lost. Changes to red lines wait until a second person has agreed.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import difflib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from vocwatch.lang import tr
from vocwatch.plain import one_line
from vocwatch.settings import ConfigError, Environment, load_settings
from vocwatch.settings.changes import PLACE, Change, apply_change, entry_mark, guarded
from vocwatch.settings.yamlfile import MAX_BYTES
from vocwatch.store import Store, versions
from vocwatch.store.versions import Version

APPLIED, WAITING, REJECTED = "applied", "waiting", "rejected"
_MAX_NOTE = 500
_HAND = "手工"
_FOLDERS = ("sources", "sessions")


class ChangeError(Exception):
    """A change that was not made; `kind` is invalid, conflict, person, gone, same or unwritable, `problems` say why."""

    def __init__(self, kind: str, problems: Iterable[str]):
        self.kind, self.problems = kind, list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class By:
    """Who changes something, through which channel (cli, console), and why."""

    who: str
    channel: str
    now: dt.datetime
    note: str = ""


def sha_of(text: str) -> str:
    """Return the mark of a file's content."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class Configuring:
    """Reads and changes the files of one configuration folder."""

    def __init__(self, env: Environment, store: Store):
        self._env, self._store = env, store

    def path(self, file: str) -> Path:
        """Return where a file lies. Raises ChangeError for a name that is none of the configuration's."""
        parts = PurePosixPath(file).parts
        inside = len(parts) == 1 or (len(parts) == 2 and parts[0] in _FOLDERS)
        if not inside or not file.endswith(".yaml") or any(part.startswith((".", "~", "/")) for part in parts) or "\\" in file:
            raise ChangeError("gone", [tr(f"没有这个配置文件：{one_line(file, 80)}", f"No such configuration file: {one_line(file, 80)}")])
        return self._env.config.joinpath(*parts)

    def read(self, file: str) -> str:
        """Return what a file says now; nothing where it is not there. Raises ChangeError where it can't be read."""
        path = self.path(file)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise ChangeError("invalid", [tr(f"{path}: 太大，不在这里改", f"{path}: too big to be edited here")])
            return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise ChangeError("invalid", [tr(f"{path}: 读不到（{error}）", f"{path}: cannot be read ({error})")]) from error

    # -- changing -----------------------------------------------------------------------------------------------------

    def change(self, file: str, change: Change, by: By, base: str) -> Version:
        """Make a change, or let it wait where it needs a second person; return its version.

        `base` is the mark of what the person had before them: of the entry (`mark`) where the change is to one entry, of
        the whole file otherwise. Raises ChangeError; then nothing was written.
        """
        with self._store.begin(durable=True) as connection:
            versions.lock(connection)
            before = self.read(file)
            self._note_hand_edits(connection, file, before, by.now)
            if self._mark(before, file, change) != base:
                raise ChangeError("conflict", [tr(
                    "你打开之后，别人已经改过这一处。两边都列在下面，请对照着再改一次",
                    "Somebody changed this after you had opened it. Both are shown below: please make your change again",
                )])
            after = self._applied(file, before, change)
            if after == before:
                raise ChangeError("same", [tr("没有改动", "Nothing was changed")])
            self._check(file, after)
            waits = guarded(file, before, after)
            return self._write(connection, file, before, after, change, by, waits)

    def noted(self, file: str, by: By) -> Version:
        """Note what a file says that somebody has just made another way."""
        with self._store.begin(durable=True) as connection:
            versions.lock(connection)
            text = self.read(file)
            known = versions.newest(connection, file)
            row: dict[str, Any] = {
                "file": file, "sha256": sha_of(text), "content": text, "base": known.sha256 if known else None, "entry": "", "what": "edit",
                "note": one_line(by.note, _MAX_NOTE), "who": one_line(by.who, 100), "channel": by.channel, "state": APPLIED, "change": {},
                "at": by.now,
            }
            return Version(id=versions.add(connection, row), decided_by=None, decided_at=None, **row)

    def mark(self, file: str, change: Change) -> str:
        """Return the mark of what a change would alter, as it is now; a form carries it."""
        return self._mark(self.read(file), file, change)

    def preview(self, file: str, change: Change) -> list[str]:
        """Return the lines that a change would alter, as a diff. Raises ChangeError."""
        before = self.read(file)
        after = self._applied(file, before, change)
        self._check(file, after)
        return lines_between(before, after)

    def approve(self, number: int, by: By) -> Version:
        """Make a change that waits; another than its author agrees. Raises ChangeError."""
        with self._store.begin(durable=True) as connection:
            versions.lock(connection)
            version = self._waiting(versions.find(connection, number), number)
            if version.who == by.who:
                raise ChangeError("person", [tr("红线规则要由另一个人同意，不能自己批自己", "A red line needs another person: nobody approves their own change")])
            before = self.read(version.file)
            self._note_hand_edits(connection, version.file, before, by.now)
            change = Change.of(version.change)
            if self._mark(before, version.file, change) != version.base:
                raise ChangeError("conflict", [tr(
                    "提交之后这一处又被改过，不能直接批准。请驳回，由提交人按现在的内容重新提交",
                    "It was changed again after this was handed in. Reject it and have it handed in anew",
                )])
            after = self._applied(version.file, before, change)
            self._check(version.file, after)
            versions.settle(connection, number, APPLIED, who=by.who, now=by.now, sha256=sha_of(after), content=after)
            self._put(version.file, after)
            return replace(version, state=APPLIED, decided_by=by.who, content=after)

    def reject(self, number: int, by: By) -> None:
        """Turn down a change that waits; its author may take it back this way too. Raises ChangeError."""
        with self._store.begin(durable=True) as connection:
            version = self._waiting(versions.find(connection, number), number)
            note = f"{version.note}\n{tr('驳回', 'rejected')}：{by.note}".strip() if by.note else version.note
            versions.settle(connection, number, REJECTED, who=by.who, now=by.now, note=note[:2 * _MAX_NOTE])

    def rollback(self, number: int, by: By) -> Version:
        """Make a file say again what it said in a version. Raises ChangeError."""
        with self._store.read() as connection:
            version = versions.find(connection, number)
        if version is None or version.state != APPLIED:
            raise ChangeError("gone", [tr(f"没有可以退回的版本 {number}", f"There is no version {number} to go back to")])
        note = by.note or tr(f"退回到版本 {number}", f"back to version {number}")
        return self.change(version.file, Change("content", content=version.content), replace(by, note=note), sha_of(self.read(version.file)))

    # -- looking ------------------------------------------------------------------------------------------------------

    def history(self, file: str = "", entry: str = "", state: str = "", limit: int = 100) -> list[Version]:
        """Return versions, newest first."""
        with self._store.read() as connection:
            return versions.history(connection, file, entry=entry, state=state, limit=limit)

    def find(self, number: int) -> Version | None:
        """Return one version."""
        with self._store.read() as connection:
            return versions.find(connection, number)

    def diff(self, number: int, other: int | None = None) -> list[str]:
        """Return how a version differs from another; from what it was made of, where none is named. Raises ChangeError."""
        version = self.find(number)
        if version is None:
            raise ChangeError("gone", [tr(f"没有版本 {number}", f"There is no version {number}")])
        if other is not None:
            against = self.find(other)
            if against is None or against.file != version.file:
                raise ChangeError("gone", [tr(f"没有同一个文件的版本 {other}", f"There is no version {other} of the same file")])
            return lines_between(against.content, version.content)
        if version.state == WAITING:
            before = self.read(version.file)
            return lines_between(before, self._applied(version.file, before, Change.of(version.change)))
        older = [one for one in self.history(version.file, state=APPLIED, limit=versions.KEPT) if one.id < number]
        return lines_between(older[0].content if older else "", version.content)

    # -- the steps ----------------------------------------------------------------------------------------------------

    def _mark(self, text: str, file: str, change: Change) -> str:
        return entry_mark(text, file, change) if change.entry else sha_of(text)

    def _applied(self, file: str, before: str, change: Change) -> str:
        try:
            return apply_change(before, change)
        except ConfigError as error:
            raise ChangeError("invalid", [line.replace(PLACE, str(self.path(file))) for line in error.problems]) from error
        except (KeyError, ValueError, TypeError) as error:
            raise ChangeError("invalid", [tr(f"{self.path(file)}: 改不了：{error}", f"{self.path(file)}: cannot be changed: {error}")]) from error

    def _check(self, file: str, text: str) -> None:
        """Load the whole configuration with the changed file in its place. Raises ChangeError."""
        if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise ChangeError("invalid", [tr(f"{self.path(file)}: 超过 {MAX_BYTES} 字节", f"{self.path(file)}: more than {MAX_BYTES} bytes")])
        with tempfile.TemporaryDirectory(prefix="vocwatch-check-") as place:
            folder = Path(place) / "config"
            folder.mkdir()
            for path in self._env.config.iterdir():
                if path.is_dir() and path.name in _FOLDERS:
                    (folder / path.name).mkdir()
                    for inner in path.glob("*.yaml"):
                        (folder / path.name / inner.name).symlink_to(inner.resolve())
                elif path.suffix == ".yaml":
                    (folder / path.name).symlink_to(path.resolve())
            target = folder / file
            target.unlink(missing_ok=True)
            if text:
                target.parent.mkdir(exist_ok=True)
                target.write_text(text, encoding="utf-8", errors="surrogatepass")
            try:
                load_settings(replace(self._env, config=folder), judging=not file.startswith(("sources/", "sessions/", "vocwatch", "keywords")))
            except ConfigError as error:
                raise ChangeError("invalid", [line.replace(str(folder), str(self._env.config)) for line in error.problems]) from error

    def _note_hand_edits(self, connection: Any, file: str, text: str, now: dt.datetime) -> None:
        known = versions.newest(connection, file)
        if known is None or known.sha256 != sha_of(text):
            versions.add(connection, {
                "file": file, "sha256": sha_of(text), "content": text, "base": known.sha256 if known else None, "entry": "",
                "what": "hand", "note": tr("在文件里直接改的", "edited in the file itself") if known else tr("开始记录时的内容", "as it was at first"),
                "who": _HAND, "channel": "hand", "state": APPLIED, "change": {}, "at": now,
            })

    def _write(
        self, connection: Any, file: str, before: str, after: str, change: Change, by: By, waits: bool
    ) -> Version:
        row: dict[str, Any] = {
            "file": file, "sha256": sha_of(after), "content": after, "base": self._mark(before, file, change),
            "entry": change.entry, "what": "rollback" if change.op == "content" else "edit", "note": one_line(by.note, _MAX_NOTE),
            "who": one_line(by.who, 100), "channel": by.channel, "state": WAITING if waits else APPLIED,
            "change": change.plain(), "at": by.now,
        }
        number = versions.add(connection, row)
        if not waits:
            self._put(file, after)
        return Version(id=number, decided_by=None, decided_at=None, **row)

    def _put(self, file: str, text: str) -> None:
        """Write a file in one step, with the rights that it had. Raises ChangeError."""
        path = self.path(file)
        draft = path.with_name(f".{path.name}.draft")
        try:
            if not text:
                path.unlink(missing_ok=True)
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8", newline="\n") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            if path.exists():
                shutil.copymode(path, draft)
            draft.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
            raise ChangeError("unwritable", [tr(
                f"{path}: 写不进去（{error.strerror}）。请检查权限和磁盘空间", f"{path}: can't be written ({error.strerror}). Check permissions and disk space",
            )]) from error

    @staticmethod
    def _waiting(version: Version | None, number: int) -> Version:
        if version is None or version.state != WAITING:
            raise ChangeError("gone", [tr(f"版本 {number} 没有在等人同意", f"Version {number} does not wait for anybody")])
        return version


def lines_between(before: str, after: str) -> list[str]:
    """Return a diff of two texts: lines beginning with ' ', '-', '+', and '@@' where lines are left out."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2)
    return [line for line in found if not line.startswith(("---", "+++"))]

