#!/usr/bin/env python3
"""includes.py TOP: whether each source includes only what its folder may use. The table "Folders" of
docs/architecture.md says what that is:

    | folder | room for | may use |
    |---|---|---|
    | `daemon/device` | ... | `proto`, `daemon/loop`; Asio, system calls |

The first cell names one folder or several; the last one names folders, the libraries of LIBRARIES, and
system calls. A folder without a row belongs to the next one above it that has a row. A row may also name
a single part: `daemon/pump` for daemon/pump.h and daemon/pump.cpp. What the table allows must itself
point one way: no folder may use one that may use it, directly or through others."""

import os
import re
import sys

PAGE = "docs/architecture.md"
HEADING = "## Folders"
TREES = ("proto", "client", "daemon")
SOURCES = (".h", ".hpp", ".cpp", ".c")

# By the beginning of an include's path.
LIBRARIES = {
    "CLI/": "CLI11",
    "boost/": "Asio",
    "cuse_lowlevel.h": "libfuse",
    "fuse_lowlevel.h": "libfuse",
    "libtpms/": "libtpms",
    "nlohmann/": "nlohmann-json",
    "openssl/": "libcrypto",
    "seccomp.h": "libseccomp",
    "spdlog/": "spdlog",
    "systemd/": "libsystemd",
    "tss2/": "tpm2-tss",
}
# What does I/O or starts threads, and so has no place in the core.
SYSTEM_WORDS = "system calls"
SYSTEM = re.compile(
    r"(sys/(?!types\.h)|arpa/|netinet/|linux/|(dirent|fcntl|grp|poll|pthread|pwd|sched|signal|spawn|unistd)\.h$"
    r"|(filesystem|fstream|thread)$)")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


class Table:
    """What each folder may use."""

    def __init__(self, text):
        self.folders = {}  # folder: folders that it may use
        self.words = {}  # folder: the whole last cell
        for row in self.rows(text):
            names = re.findall(r"`([^`]+)`", row[0])
            for name in names:
                folder = name.rstrip("/")
                if folder in self.folders:
                    raise ValueError(f"{PAGE}: {folder} has two rows")
                self.folders[folder] = {use.rstrip("/") for use in re.findall(r"`([^`]+)`", row[-1])}
                self.words[folder] = row[-1]
        if not self.folders:
            raise ValueError(f'{PAGE}: there is no table below "{HEADING}"')

    @staticmethod
    def rows(text):
        section = text.partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
        lines = [line for line in section.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]

    def row_of(self, source):
        """The row that a source belongs to; None when there is none."""
        place = os.path.splitext(source)[0]
        while place and place not in self.folders:
            place = os.path.dirname(place)
        return place or None

    def faults(self):
        """What is wrong with the table itself."""
        for folder, uses in sorted(self.folders.items()):
            for use in sorted(uses - self.folders.keys()):
                yield f"{PAGE}: {folder} may use {use}, which has no row"
        for circle in self.circles():
            yield f"{PAGE}: a circle: {' -> '.join(circle)}"

    def circles(self):
        done, found = set(), []

        def visit(folder, way):
            if folder in way:
                found.append(way[way.index(folder):] + [folder])
            elif folder not in done:
                for use in sorted(self.folders.get(folder, ())):
                    visit(use, way + [folder])
                done.add(folder)

        for folder in sorted(self.folders):
            visit(folder, [])
        return found


def sources(top):
    for tree in TREES:
        for folder, _, names in os.walk(os.path.join(top, tree)):
            for name in sorted(names):
                if name.endswith(SOURCES):
                    yield os.path.relpath(os.path.join(folder, name), top)


def target_of(top, source, path):
    """The file of the tree that an include in quotes means; None when it is generated."""
    for folder in ("", os.path.dirname(source)):
        if os.path.isfile(os.path.join(top, folder, path)):
            return os.path.normpath(os.path.join(folder, path))
    return None


def fault_of(top, table, source, quoted, library):
    """What is wrong with one include of a source; None when nothing is."""
    own = table.row_of(source)
    if quoted:
        target = target_of(top, source, quoted)
        if target is None:
            return None
        other = table.row_of(target)
        if other in (own, None) or other in table.folders[own]:
            return None
        return f"{own} may not use {other}"
    words = next((word for start, word in LIBRARIES.items() if library.startswith(start)), None)
    if words is None and SYSTEM.match(library):
        words = SYSTEM_WORDS
    if words is None or words in table.words[own]:
        return None
    return f"{own} may not use {words}"


def faults(top):
    with open(os.path.join(top, PAGE), encoding="utf-8") as file:
        table = Table(file.read())
    yield from table.faults()
    used = set()
    for source in sources(top):
        own = table.row_of(source)
        if own is None:
            yield f"{source}: its folder has no row in {PAGE}"
            continue
        used.add(own)
        with open(os.path.join(top, source), encoding="utf-8") as file:
            text = file.read()
        for include in INCLUDE.finditer(text):
            fault = fault_of(top, table, source, *include.groups())
            if fault:
                line = text.count("\n", 0, include.start()) + 1
                yield f"{source}:{line}: {fault}: {include.group().split(None, 1)[1]}"
    for folder in sorted(table.folders.keys() - used):
        yield f"{PAGE}: {folder} has a row and no sources"


def main(top):
    found = list(faults(top))
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
