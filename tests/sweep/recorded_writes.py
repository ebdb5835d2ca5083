"""What programs have done to the files of a folder (recorded_writes.c), and what a loss of power can have left of it
at any instant.

What POSIX promises, and no more: the bytes of a file are on the disk once it is synchronized, its name once the
folder is. What comes before that is there or not, in any combination; of a write there may be a part."""

import mmap
import os
import struct

ROOM = 64 << 20
NOTE = struct.Struct("IiiiII")
OPEN, WRITE, SYNC, RENAME, UNLINK = range(1, 6)


class Notes:
    def __init__(self, folder, library):
        self._path, self._library = os.path.join(folder, "notes"), library
        with open(self._path, "wb") as file:
            file.truncate(ROOM)
        with open(self._path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)

    def environment(self):
        return {"LD_PRELOAD": self._library, "SWEEP_NOTES": self._path}

    def end(self):
        return struct.unpack_from("Q", self._memory)[0]

    def all(self):
        """(where it ends, kind, process, descriptor, flags, first, second)"""
        at, end = 0, self.end()
        while at < end:
            kind, process, descriptor, flags, first, second = NOTE.unpack_from(self._memory, 8 + at)
            begin = 8 + at + NOTE.size
            size = NOTE.size + first + second
            at += (size + 7) & ~7
            yield (at, kind, process, descriptor, flags, self._memory[begin:begin + first],
                   self._memory[begin + first:begin + first + second])

    def close(self):
        self._memory.close()


class File:
    """The bytes of one, as far as they are safe, and what has been done to it since."""

    def __init__(self):
        self.safe, self.since = b"", []

    def content(self, count=None, torn=False):
        """With so many of the changes, of the last of which there may be half."""
        changes = self.since[:count]
        content = bytearray(self.safe)
        for place, (at, written) in enumerate(changes):
            if at is None:
                content.clear()
                continue
            if torn and place == len(changes) - 1:
                written = written[:len(written) // 2]
            content[at:at + len(written)] = written
        return bytes(content)

    def sync(self):
        self.safe, self.since = self.content(), []


class Disk:
    """The folders of a run, note by note."""

    def __init__(self, top, folders):
        self._top = top
        self.safe = {folder: {} for folder in folders}  # names to files
        self.since = {folder: [] for folder in folders}  # (name, file or none)
        self._open = {}  # by process and descriptor: [file, where it is written next], or a folder

    def _place(self, process, folder, path):
        """The folder, when it is one of ours, and the name."""
        path = path.decode()
        if not os.path.isabs(path):
            base = self._open.get((process, folder))
            path = os.path.join(base, path) if isinstance(base, str) else os.path.join(self._top, path)
        folder, name = os.path.split(os.path.relpath(path, self._top))
        return folder, name

    def _now(self, folder):
        names = dict(self.safe[folder])
        for name, file in self.since[folder]:
            names[name] = file
        return {name: file for name, file in names.items() if file}

    def apply(self, note):
        _, kind, process, descriptor, flags, first, second = note
        if kind == OPEN:
            self._opened(process, descriptor, flags, first, int(second or b"0"))
        elif kind == WRITE:
            opened = self._open.get((process, descriptor))
            if isinstance(opened, list):
                opened[0].since.append((opened[1], first))
                opened[1] += len(first)
        elif kind == SYNC:
            self._sync(self._open.get((process, descriptor)))
        elif kind == RENAME:
            (folder, old), (_, new) = self._place(process, descriptor, first), self._place(process, flags, second)
            if folder in self.safe:
                self.since[folder] += [(new, self._now(folder)[old]), (old, None)]
        elif kind == UNLINK:
            folder, name = self._place(process, descriptor, first)
            if folder in self.safe:
                self.since[folder].append((name, None))

    def _opened(self, process, descriptor, flags, path, base):
        self._open.pop((process, descriptor), None)
        folder, name = self._place(process, base, path)
        if flags & os.O_DIRECTORY:
            self._open[(process, descriptor)] = os.path.join(self._top, folder, name)
            return
        if folder not in self.safe or not flags & (os.O_WRONLY | os.O_RDWR):
            return
        file = self._now(folder).get(name)
        if file is None:
            file = File()
            self.since[folder].append((name, file))
        if flags & os.O_TRUNC:
            file.since.append((None, b""))
        self._open[(process, descriptor)] = [file, 0]

    def _sync(self, opened):
        if isinstance(opened, list):
            opened[0].sync()
        elif isinstance(opened, str):
            folder = os.path.relpath(opened, self._top)
            if folder in self.safe:
                self.safe[folder], self.since[folder] = self._now(folder), []

    def left(self, names, content):
        """What the disk has: `names(changes)` says which changes of names are there, `content(file)` the bytes."""
        state = {}
        for folder, safe in self.safe.items():
            found = dict(safe)
            for name, file in names(self.since[folder]):
                found[name] = file
            for name, file in found.items():
                if file:
                    state[os.path.join(folder, name)] = content(file)
        return state

    def possible(self, random, more):
        """States after a loss of power now; `more` of them at random."""
        yield self.left(lambda all_names: all_names, File.content)
        yield self.left(lambda all_names: [], lambda file: file.content(0))
        yield self.left(lambda all_names: all_names, lambda file: file.content(0))
        yield self.left(lambda all_names: [], File.content)
        yield self.left(lambda all_names: all_names, lambda file: file.content(torn=True))
        for _ in range(more):
            yield self.left(
                lambda all_names: [change for change in all_names if random.random() < 0.5],
                lambda file: file.content(random.randint(0, len(file.since)), random.random() < 0.3))
