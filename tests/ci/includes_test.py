#!/usr/bin/env python3
"""An include that does not point the way of docs/architecture.md is found."""

import os
import shutil
import tempfile
import unittest

import includes

PAGE = """# Architecture

## Folders

| folder | room for | may use |
|---|---|---|
| `proto/` | the wire | nothing |
| `daemon/base`, `daemon/tpm` | the core | `proto` |
| `daemon/device` | devices | `proto`, `daemon/base`; Asio, system calls |
| `daemon/` | the program | `proto`, `daemon/base`, `daemon/tpm`, `daemon/device`; spdlog |

## Rules
"""


class Includes(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="tbs-includes-")
        self.addCleanup(shutil.rmtree, self.top)
        self.write("docs/architecture.md", PAGE)
        self.write("proto/frame.h", "#pragma once\n#include <vector>\n")
        self.write("daemon/base/clock.h", "#pragma once\n#include <chrono>\n")
        self.write("daemon/tpm/view.h", '#include "proto/frame.h"\n')
        self.write("daemon/device/node.h", "#include <sys/types.h>\n#include <boost/asio.hpp>\n")
        self.write("daemon/main.cpp", '#include "daemon/device/node.h"\n#include "version.h"\n')

    def write(self, path, text):
        whole = os.path.join(self.top, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(text)

    def found(self):
        return list(includes.faults(self.top))

    def change_page(self, before, after):
        self.assertIn(before, PAGE)
        self.write("docs/architecture.md", PAGE.replace(before, after))

    def test_a_tree_in_order(self):
        self.assertEqual(self.found(), [])

    def test_an_include_that_points_up(self):
        self.write("proto/frame.h", '// one\n\n#  include "daemon/base/clock.h"\n')
        self.assertEqual(self.found(), ["proto/frame.h:3: proto may not use daemon/base: "
                                        'include "daemon/base/clock.h"'])

    def test_an_include_beside(self):
        self.write("daemon/tpm/view.h", '#include "daemon/base/clock.h"\n')
        self.assertIn("daemon/tpm may not use daemon/base", "".join(self.found()))

    def test_a_library_that_is_not_the_folders(self):
        self.write("daemon/tpm/view.h", "#include <boost/asio/post.hpp>\n")
        self.assertIn("daemon/tpm may not use Asio", "".join(self.found()))
        self.write("daemon/tpm/view.h", "#include <spdlog/spdlog.h>\n")
        self.assertIn("daemon/tpm may not use spdlog", "".join(self.found()))

    def test_system_calls(self):
        for header in ("unistd.h", "sys/socket.h", "thread", "fstream", "fcntl.h"):
            self.write("daemon/base/clock.h", f"#include <{header}>\n")
            self.assertIn("daemon/base may not use system calls", "".join(self.found()), header)
        for header in ("sys/types.h", "cstdint", "threads", "errno.h"):
            self.write("daemon/base/clock.h", f"#include <{header}>\n")
            self.assertEqual(self.found(), [], header)

    def test_a_folder_below_belongs_to_the_one_above(self):
        self.write("daemon/device/embedded/main.cpp", '#include "daemon/base/clock.h"\n')
        self.assertEqual(self.found(), [])
        self.write("daemon/base/deep/x.cpp", '#include "daemon/device/node.h"\n')
        self.assertIn("daemon/base may not use daemon/device", "".join(self.found()))

    def test_a_row_for_one_part(self):
        self.change_page("| `daemon/` |", "| `daemon/pump` | the pump | `daemon/device` |\n| `daemon/` |")
        self.write("daemon/pump.h", '#include "daemon/device/node.h"\n')
        self.write("daemon/main.cpp", '#include "daemon/device/node.h"\n')
        self.assertEqual(self.found(), [])
        self.write("daemon/pump.cpp", '#include "daemon/tpm/view.h"\n')
        self.assertIn("daemon/pump may not use daemon/tpm", "".join(self.found()))
        self.write("daemon/pump.cpp", "\n")
        self.write("daemon/main.cpp", '#include "daemon/pump.h"\n')
        self.assertIn("daemon may not use daemon/pump", "".join(self.found()))

    def test_an_include_by_its_name_alone(self):
        self.write("daemon/base/other.h", '#include "clock.h"\n')
        self.assertEqual(self.found(), [])
        self.write("daemon/base/other.h", '#include "../device/node.h"\n')
        self.assertIn("daemon/base may not use daemon/device", "".join(self.found()))

    def test_a_folder_without_a_row(self):
        self.write("client/tbs.cpp", "\n")
        self.assertEqual(self.found(),
                         ["client/tbs.cpp: its folder has no row in docs/architecture.md"])

    def test_a_row_without_a_folder(self):
        shutil.rmtree(os.path.join(self.top, "daemon/tpm"))
        self.assertEqual(self.found(),
                         ["docs/architecture.md: daemon/tpm has a row and no sources"])

    def test_a_circle_in_the_table(self):
        self.change_page("| the core | `proto` |", "| the core | `proto`, `daemon/device` |")
        self.assertIn("docs/architecture.md: a circle: daemon/base -> daemon/device -> daemon/base",
                      self.found())

    def test_a_longer_circle(self):
        self.change_page("| the wire | nothing |", "| the wire | `daemon/` |")
        self.assertIn("a circle", "".join(self.found()))

    def test_a_name_that_is_no_folder(self):
        self.change_page("| nothing |", "| `protobuf` |")
        self.assertEqual(self.found(),
                         ["docs/architecture.md: proto may use protobuf, which has no row"])

    def test_no_table(self):
        self.write("docs/architecture.md", "# Architecture\n")
        self.assertRaises(ValueError, self.found)

    def test_two_rows(self):
        self.change_page("| `daemon/` |", "| `daemon/base` |")
        self.assertRaises(ValueError, self.found)


if __name__ == "__main__":
    unittest.main()
