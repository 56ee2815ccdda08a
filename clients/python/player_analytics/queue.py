"""The offline queue: files of events in the order in which they happened, of a bounded size."""

import contextlib
import itertools
import json
import os
import re
import threading
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

_FILE = re.compile(r"[0-9]{12}\.ndjson")


class Store(Protocol):
    """Where segments are: numbered runs of lines."""

    def numbers(self) -> list[int]:
        """Return the numbers of the segments, the oldest first."""

    def read(self, number: int) -> bytes:
        """Return the content of a segment."""

    def append(self, number: int, data: bytes) -> None:
        """Add lines to a segment, which may be new."""

    def replace(self, number: int, data: bytes) -> None:
        """Write a segment anew, in one step."""

    def remove(self, number: int) -> None:
        """Delete a segment."""

    def close(self) -> None:
        """Leave the segments to others."""


class Memory:
    """Segments that end with the process."""

    def __init__(self) -> None:
        """Begin without segments."""
        self._segments: dict[int, bytes] = {}

    def numbers(self) -> list[int]:
        return sorted(self._segments)

    def read(self, number: int) -> bytes:
        return self._segments.get(number, b"")

    def append(self, number: int, data: bytes) -> None:
        self._segments[number] = self._segments.get(number, b"") + data

    def replace(self, number: int, data: bytes) -> None:
        self._segments[number] = data

    def remove(self, number: int) -> None:
        self._segments.pop(number, None)

    def close(self) -> None:
        """Do nothing: memory needs no lock."""


class Directory:
    """Segments in files, which survive the process. Each process has a folder of its own in the directory."""

    def __init__(self, path: Path) -> None:
        """Take the first folder that no process uses, and what processes that ended left in others.

        Raises OSError.
        """
        for slot in itertools.count():
            self._folder = path / str(slot)
            self._folder.mkdir(parents=True, exist_ok=True)
            if lock := _locked(self._folder):
                self._lock = lock
                break
        self._file: tuple[int, int] | None = None
        for folder in sorted(path.iterdir()):
            if folder != self._folder and folder.name.isdigit() and (lock := _locked(folder)):
                for found in _files(folder):
                    found.replace(self._path(max(self.numbers(), default=0) + 1))
                lock.close()

    def numbers(self) -> list[int]:
        return [int(path.stem) for path in _files(self._folder)]

    def read(self, number: int) -> bytes:
        return self._path(number).read_bytes()

    def append(self, number: int, data: bytes) -> None:
        if self._file is None or self._file[0] != number:
            self._close_file()
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            self._file = number, os.open(self._path(number), flags, 0o600)
        written = 0
        while written < len(data):
            written += os.write(self._file[1], data[written:])

    def replace(self, number: int, data: bytes) -> None:
        self._close_file()
        draft = self._path(number).with_suffix(".draft")
        draft.write_bytes(data)
        draft.replace(self._path(number))

    def remove(self, number: int) -> None:
        self._close_file()
        self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        self._close_file()
        self._lock.close()

    def _close_file(self) -> None:
        if self._file:
            os.close(self._file[1])
            self._file = None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:012}.ndjson"


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _FILE.fullmatch(path.name))


def _locked(folder: Path) -> IO[bytes] | None:
    """Return an open file that locks the folder until it is closed, None where another process has it."""
    file = (folder / "lock").open("ab")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return None
    return file


def _is_event(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line)["sent_at"], int | float)
    except (ValueError, TypeError, LookupError):
        return False


@dataclass(slots=True)
class _Segment:
    number: int
    events: int
    size: int


class Queue:
    """First in, first out. Where the disk fails, events go on in memory."""

    def __init__(self, directory: Path | str | None, limits: tuple[int, int, int]) -> None:
        """Open the queue that is there. `limits`: bytes of all, events and bytes of a segment."""
        self._max_bytes, self._segment_events, self._segment_bytes = limits
        self._lock = threading.RLock()
        # Sentences for the game, which whoever calls the queue passes on without its lock.
        self.problems: deque[str] = deque()
        self._segments: list[_Segment] = []
        self._open: _Segment | None = None
        self._taken: _Segment | None = None
        self.dropped = 0
        self._store: Store = Memory()
        if directory is not None:
            try:
                self._store = Directory(Path(directory))
                self._recover()
            except OSError as error:
                self._fall_back(error)

    def _recover(self) -> None:
        for number in self._store.numbers():
            data = self._store.read(number)
            lines = data.splitlines(keepends=True)
            # A process that was killed may have left a part of a line, a machine that lost power anything.
            good = [line for line in lines if _is_event(line)]
            self.dropped += len(lines) - len(good)
            if not good:
                self._store.remove(number)
                continue
            whole = b"".join(good)
            if whole != data:
                self._store.replace(number, whole)
            self._segments.append(_Segment(number, len(good), len(whole)))
        self._make_room()

    @property
    def events(self) -> int:
        """How many events wait."""
        with self._lock:
            return sum(segment.events for segment in self._segments)

    @property
    def is_volatile(self) -> bool:
        """Whether events end with the process."""
        return isinstance(self._store, Memory)

    @property
    def is_full_batch(self) -> bool:
        """Whether the oldest segment takes no more events."""
        with self._lock:
            return bool(self._segments) and (len(self._segments) > 1 or self._is_full(self._segments[0], 0))

    def append(self, lines: list[bytes]) -> None:
        """Add lines, each with its line break."""
        with self._lock:
            run: list[bytes] = []
            for line in lines:
                if self._open is None or self._is_full(self._open, len(line)):
                    self._write(run)
                    run = []
                    self._open = _Segment(self._segments[-1].number + 1 if self._segments else 1, 0, 0)
                    self._segments.append(self._open)
                self._open.events += 1
                self._open.size += len(line)
                run.append(line)
            self._write(run)
            self._make_room()

    def head(self) -> tuple[int, list[bytes]] | None:
        """Return number and lines of the oldest segment, to which nothing is added any more."""
        with self._lock:
            while self._segments:
                segment = self._taken = self._segments[0]
                if segment is self._open:
                    self._open = None
                try:
                    data = self._store.read(segment.number)
                except OSError as error:
                    self._fall_back(error)
                    continue
                if lines := data.splitlines(keepends=True):
                    return segment.number, lines
                self._forget(segment)
            self._taken = None
            return None

    def settle(self, number: int, left: list[bytes]) -> None:
        """Keep of a segment only the lines that are still to be sent."""
        with self._lock:
            self._taken = None
            segment = next((each for each in self._segments if each.number == number), None)
            if segment is None:
                return
            try:
                if len(left) == segment.events:
                    pass
                elif left:
                    data = b"".join(left)
                    self._store.replace(number, data)
                    segment.events, segment.size = len(left), len(data)
                else:
                    self._segments.remove(segment)
                    self._store.remove(number)
            except OSError as error:
                self._fall_back(error)

    def close(self) -> int:
        """Close the files; return how many events end with the process."""
        with self._lock, contextlib.suppress(OSError):
            self._store.close()
        return self.events if self.is_volatile else 0

    def _is_full(self, segment: _Segment, more: int) -> bool:
        return segment.events >= self._segment_events or segment.size + more > self._segment_bytes

    def _write(self, lines: list[bytes]) -> None:
        if lines and self._open:
            data = b"".join(lines)
            try:
                self._store.append(self._open.number, data)
            except OSError as error:
                self._fall_back(error)
                self._store.append(self._open.number, data)

    def _make_room(self) -> None:
        dropped = 0
        while sum(segment.size for segment in self._segments) > self._max_bytes:
            # What is being sent now stays until its answer comes.
            oldest = next((each for each in self._segments if each is not self._taken), None)
            if oldest is None or oldest is self._open:
                break
            dropped += oldest.events
            self._forget(oldest)
        if dropped:
            self.dropped += dropped
            self.problems.append(f"the queue is full: its {dropped} oldest events were dropped")

    def _forget(self, segment: _Segment) -> None:
        self._segments.remove(segment)
        with contextlib.suppress(OSError):
            self._store.remove(segment.number)

    def _fall_back(self, error: OSError) -> None:
        """Go on in memory with what can still be read."""
        self.problems.append(f"the queue on disk fails, events wait in memory: {error}")
        memory, disk = Memory(), self._store
        for segment in [*self._segments]:
            try:
                data = disk.read(segment.number)
                memory.append(segment.number, data[: data.rfind(b"\n") + 1])
            except OSError:
                if segment is not self._open:
                    self.dropped += segment.events
                    self._segments.remove(segment)
        with contextlib.suppress(OSError):
            disk.close()
        self._store = memory
