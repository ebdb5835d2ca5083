#!/usr/bin/env python3
"""The documents agree with the tree: their links lead somewhere, the files that they name exist, the
changelog has the version that is built, and the glossary says of each term whose it is.

TOP (the source tree) and VERSION come with the environment."""

import os
import re
import sys
import unittest
from pathlib import Path

TOP = Path(os.environ["TOP"])
DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md")])
# Where a name with a folder in it may start, and what may be left out at its end.
ROOTS = (TOP, TOP / "daemon", TOP / "client", TOP / "tests")
ENDINGS = ("", ".h", ".hpp", ".cpp", ".py")


def prose_of(path):
    """Without the blocks of code."""
    return re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)


def anchors_of(path):
    """As GitHub makes them of headings."""
    headings = re.findall(r"^#+ (.*)$", prose_of(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_in_tree(name):
    return any(Path(str(root / name) + ending).exists() for root in ROOTS for ending in ENDINGS)


def named_files(text):
    """What stands in backquotes and looks like a path of this tree."""
    for name in re.findall(r"`([a-z0-9_]+/[A-Za-z0-9_./-]+)`", text):
        first = name.split("/")[0]
        if any((root / first).is_dir() for root in ROOTS) and not re.search(r"[A-Z]{3}", name):
            yield name


class Documents(unittest.TestCase):
    def test_there_are_some(self):
        self.assertGreater(len(DOCUMENTS), 10)
        self.assertIn("folders", anchors_of(TOP / "docs/architecture.md"))
        self.assertEqual(list(named_files("`daemon/rm`, `a/b`, `exec/limits.h`")),
                         ["daemon/rm", "exec/limits.h"])
        self.assertFalse(is_in_tree("rm/no_such_file"))

    def test_links(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)]*)\)", prose_of(document)):
                if re.match(r"[a-z]+://", target):
                    continue
                name, _, anchor = target.partition("#")
                path = document.parent / name if name else document
                with self.subTest(document=document.name, target=target):
                    self.assertTrue(path.exists())
                    if anchor:
                        self.assertIn(anchor, anchors_of(path))

    def test_files(self):
        for document in DOCUMENTS:
            for name in named_files(prose_of(document)):
                with self.subTest(document=document.name, name=name):
                    self.assertTrue(is_in_tree(name))

    def test_changelog(self):
        text = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
        versions = re.findall(r"^## (\S+)", text, re.M)
        self.assertEqual(versions[0], "Unreleased")
        self.assertIn(os.environ["VERSION"], versions)
        # A section is one of Keep a Changelog's, and none is empty.
        kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
        for kind, entries in re.findall(r"^### ([^\n]*)\n(.*?)(?=^##|\Z)", text, re.M | re.S):
            self.assertIn(kind, kinds)
            self.assertRegex(entries, r"(?m)^- ")

    def test_glossary(self):
        text = (TOP / "docs/glossary.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", text, re.M)
        rows = [row for row in rows if row[0] != "term" and not row[0].startswith("-")]
        self.assertGreater(len(rows), 40)
        self.assertEqual({source for _, _, source in rows}, {"TCG", "TBS", "TSS", "OS", "tbs"})
        terms = [term for names, _, _ in rows for term in names.split(", ")]
        self.assertEqual(len(terms), len(set(terms)))


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
