#!/usr/bin/env python3
"""The list of platforms can be used, and what happens on them is counted and shown."""

import pathlib
import subprocess
import tempfile
import unittest

CI = pathlib.Path(__file__).resolve().parent
ROWS = [line.split(None, 5) for line in (CI / "platforms").read_text().splitlines()
        if line and not line.startswith("#")]

# The chroots and what runs in them are left out: a command of the test's own takes the place of each.
SOURCED = f"""
set -uo pipefail
top={CI.parent.parent}
state=$1
say() {{ printf '== %s\\n' "$*"; }}
die() {{ printf 'dev: %s\\n' "$*" >&2; exit 1; }}
. "$top/tests/ci/setup.sh"
. "$top/tests/ci/build.sh"
. "$top/tests/ci/platforms.sh"
"""


def bash(script):
    with tempfile.TemporaryDirectory() as state:
        return subprocess.run(["bash", "-c", SOURCED + script, "test", state], text=True,
                              capture_output=True, check=False)


class List(unittest.TestCase):
    def test_rows(self):
        names = [row[0] for row in ROWS]
        self.assertEqual(len(names), len(set(names)))
        for name, suite, packages, compiler, run, *_ in ROWS:
            self.assertIn(suite, ("bookworm", "trixie", "sid"), name)
            self.assertRegex(packages, r"^(-|[+-][a-z0-9.+-]+(,[+-][a-z0-9.+-]+)*)$", name)
            self.assertRegex(compiler, r"^((gcc|clang)(-\d+)?|cross-[a-z0-9]+)$", name)
            self.assertIn(run, ("tests", "unit", "build", "short", "cross"), name)
            if compiler.startswith("cross-"):
                self.assertTrue((CI / f"cross/{compiler[6:]}.ini").exists(), name)

    def test_which_are_meant(self):
        def names(words):
            return [line.split()[0] for line in bash(f"platform_rows {words}").stdout.splitlines()]

        self.assertEqual(names(""), [row[0] for row in ROWS if row[4] != "short"])
        self.assertEqual(names("--short"), ["debian13-short"])
        self.assertEqual(names("sid debian12"), ["debian12", "sid"])

    def test_a_name_that_is_not_there(self):
        done = bash("check_platforms debian1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("no platform debian1", done.stderr)

    def test_packages_of_a_row(self):
        def packages(suite, change):
            return bash(f"suite={suite} packages={change} compiler=gcc; platform_packages").stdout.split()

        usual = packages("trixie", "-")
        self.assertIn("libboost-dev", usual)
        self.assertIn("swtpm", usual)
        self.assertIn("libboost1.81-dev", packages("bookworm", "-"))
        self.assertEqual(packages("trixie", "+clang-19,-swtpm"),
                         [name for name in usual if name != "swtpm"] + ["clang-19"])

    def test_packages_for_another_processor(self):
        done = bash("suite=bookworm packages=- compiler=cross-s390x; platform_packages; cross_emulator s390x;"
                    "cross_emulator i386")
        *packages, emulator = done.stdout.split()
        for name in ("crossbuild-essential-s390x", "libtpms-dev:s390x", "libboost1.81-dev:s390x", "libcli11-dev",
                     "meson", "qemu-user-static"):
            self.assertIn(name, packages)
        self.assertNotIn("g++", packages)
        self.assertEqual(emulator, "qemu-s390x-static")


class Counting(unittest.TestCase):
    def test_what_cannot_be_made_is_skipped_and_says_why(self):
        done = bash('need() { die "only root can make a chroot"; }; check_platforms sid')
        self.assertEqual(done.returncode, 0)
        self.assertIn("== SKIPPED: sid: dev: only root can make a chroot", done.stdout)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 0 failed, 1 skipped")

    def test_a_failure(self):
        done = bash("""
            make_platform_root() { mkdir -p "$chroots"; touch "$chroots/$root.made"; }
            in_platform() { return 1; }
            check_platforms sid debian12""")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "0 passed, 2 failed")

    def test_the_table(self):
        done = bash("""
            make_platform_root() { mkdir -p "$chroots"; touch "$chroots/$root.made"; }
            in_platform() { true; }
            platform_build() { true; }
            platform_tests() { echo "7 0 2 $name: unit" >>"$platform_results"; }
            check_platforms debian13-short""")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        lines = [line.split() for line in done.stdout.splitlines()]
        self.assertIn(["debian13-short", "trixie", "gcc", "8", "0", "2"], [line[:6] for line in lines])
        self.assertEqual(done.stdout.splitlines()[-1], "8 passed, 0 failed, 2 skipped")


if __name__ == "__main__":
    unittest.main()
