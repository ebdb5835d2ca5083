#!/usr/bin/env python3
"""The units that are installed: systemd understands them, and its own measure of what a service could do
stays low. UNITS names their folder, TBSD the daemon."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

UNITS = os.environ["UNITS"]
TBSD = os.environ["TBSD"]
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 1.5  # of 10
SKIPPED = 77


def analyze(*arguments):
    return subprocess.run([ANALYZE, "--no-pager", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, check=False)


class Units(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbs-units-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.services = []
        for name in sorted(os.listdir(UNITS)):
            if not name.endswith((".service", ".socket")):
                continue
            with open(os.path.join(UNITS, name), encoding="utf-8") as file:
                text = file.read()
            # The daemon is not where it will be installed.
            text = re.sub(r"^ExecStart=\S+", "ExecStart=" + TBSD, text, flags=re.MULTILINE)
            # A template is looked at as one of its instances.
            path = os.path.join(self.folder, name.replace("@.", "@tpm1."))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            if name.endswith(".service"):
                self.services.append(path)
        self.assertEqual(len(self.services), 2)

    def test_systemd_understands_them(self):
        for path in self.services:
            said = analyze("--man=no", "verify", path, path.replace(".service", ".socket"))
            about = [line for line in said.stdout.splitlines() if "tbsd" in line]
            self.assertEqual((said.returncode, about), (0, []), said.stdout)

    def test_a_mistake_would_be_found(self):
        with open(self.services[0], "a", encoding="utf-8") as file:
            file.write("[Service]\nNoNewPrivilege=yes\n")
        self.assertIn("NoNewPrivilege", analyze("--man=no", "verify", self.services[0]).stdout)

    def test_exposure(self):
        for path in self.services:
            said = analyze("security", "--offline=yes", path)
            found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said.stdout)
            self.assertIsNotNone(found, said.stdout)
            print(found.group())
            weak = [line for line in said.stdout.splitlines() if line.startswith("✗")]
            self.assertLessEqual(float(found.group(1)), MOST_EXPOSURE, "\n".join(weak))


if __name__ == "__main__":
    if ANALYZE is None or "--offline" not in analyze("--help").stdout:
        print("skipped: no systemd-analyze that knows --offline")
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
