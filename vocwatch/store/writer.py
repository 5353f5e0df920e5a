"""Writing evidence beside the crawl: hashing, packing and syncing happen in threads, where they leave Python free."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from vocwatch.exits import StorageError
from vocwatch.lang import tr
from vocwatch.store.pages import evidence_path, write_evidence

THREADS = 3  # syncs at the same time are joined by the file system; more threads would fight over the interpreter
TOGETHER = 16  # bodies handed over at a time
MAX_WAITING = 32 * 1024 * 1024  # bytes of bodies that may wait to be written


class Kept:
    """A body on its way to the evidence folder; `sha256` is known once the writer has settled."""

    __slots__ = ("body", "sha256")

    def __init__(self, body: bytes):
        self.body = body
        self.sha256 = ""


class EvidenceWriter:
    """Stores bodies under their own hashes. A row may name one only after `settle` has returned."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="evidence")
        self._next: list[Kept] = []
        self._writing: list[Future[None]] = []
        self._waiting = 0

    def keep(self, body: bytes) -> Kept:
        """Begin to store a body. Raises StorageError for an earlier one that failed."""
        if self._waiting + len(body) > MAX_WAITING:
            self.settle()
        self._waiting += len(body)
        kept = Kept(body)
        self._next.append(kept)
        if len(self._next) >= TOGETHER:
            self._hand_over()
        return kept

    def settled(self) -> bool:
        """Whether `settle` would not have to wait."""
        self._hand_over()
        return all(future.done() for future in self._writing)

    def settle(self) -> None:
        """Wait until all that was begun lies on the disk under its name. Raises StorageError; the rest is written."""
        self._hand_over()
        writing, self._writing, self._waiting = self._writing, [], 0
        for future in writing:
            future.result()

    def close(self) -> None:
        """Let go of the threads; what was begun is finished first."""
        self._pool.shutdown()

    def _hand_over(self) -> None:
        if self._next:
            self._writing.append(self._pool.submit(_write_all, self._folder, self._next))
            self._next = []


def _write_all(folder: Path, bodies: Sequence[Kept]) -> None:
    for kept in bodies:
        kept.sha256 = hashlib.sha256(kept.body).hexdigest()
        write_evidence(evidence_path(folder, kept.sha256), kept.body)
        kept.body = b""
    _sync_folders({evidence_path(folder, kept.sha256).parent for kept in bodies})


def _sync_folders(places: Iterable[Path]) -> None:
    """Make the names in these folders last. Raises StorageError."""
    for place in places:
        try:
            handle = os.open(place, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise StorageError(tr(
                f"写不了证据目录 {place}：{error.strerror}。请检查磁盘空间和目录权限",
                f"Cannot write the evidence folder {place}: {error.strerror}. Check disk space and permissions",
            )) from error
