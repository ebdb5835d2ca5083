#!/usr/bin/env python3
"""What debian/ says agrees with the tree: the symbols files with the maps that the libraries are linked
with, and the version with Meson's. debian_test.py TREE"""

import pathlib
import re
import sys
import unittest

TOP = pathlib.Path(sys.argv.pop(1))


def nodes_of(path):
    """Names by version node, of a linker's map; a map without versions is "Base"."""
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    return {(node or "Base"): set(re.findall(r"^\s*(\w+);", exported, re.M))
            for node, exported in re.findall(r"(\S*)\s*\{\s*global:(.*?)(?:local:[^}]*)?\}", text, re.S)}


def symbols_of(path):
    """The same, of a symbols file, and the version since which each is there."""
    nodes, since = {}, {}
    for name, node, version in re.findall(r"^ (\S+)@(\S+) (\S+)$", path.read_text(encoding="utf-8"), re.M):
        if name != node:
            nodes.setdefault(node, set()).add(name)
        since.setdefault(node, set()).add(version)
    return nodes, since


class Debian(unittest.TestCase):
    def test_symbols(self):
        for symbols, linked in (("libtbs1", "client/tbs.map"), ("libtss2-tcti-tbs0", "client/tcti/tcti.map"),
                                ("libtss2-tcti-tabrmd0-tbs", "client/tcti/tabrmd/tabrmd.map")):
            with self.subTest(library=symbols):
                nodes, since = symbols_of(TOP / f"debian/{symbols}.symbols")
                self.assertEqual(nodes, nodes_of(TOP / linked))
                self.assertTrue(nodes)
                # All of a node comes at once.
                self.assertEqual({len(versions) for versions in since.values()}, {1})

    def test_version(self):
        built = re.search(r"version: '(.*?)'", (TOP / "meson.build").read_text(encoding="utf-8")).group(1)
        first = (TOP / "debian/changelog").read_text(encoding="utf-8").splitlines()[0]
        self.assertEqual(re.match(r"tbs \(([^)~+-]*)", first).group(1), built)

    def test_units(self):
        """Every socket and service that is enabled or kept off by name is one of the tree's."""
        rules = (TOP / "debian/rules").read_text(encoding="utf-8")
        named = set(re.findall(r"\btbsd[a-z-]*\.(?:socket|service)\b", rules))
        self.assertEqual(named, {"tbsd.service", "tbsd.socket", "tbsd-admin.socket", "tbsd-metrics.socket",
                                 "tbsd-node.socket"})
        for name in named:
            self.assertTrue((TOP / f"systemd/{name}.in").exists(), name)


if __name__ == "__main__":
    unittest.main()
