#!/usr/bin/env python3
"""Tests the list of packages, how a distribution is recognised, and what is said where packages are missing."""

import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

CI = pathlib.Path(__file__).resolve().parent
KINDS = {"build", "demo", "test", "guest", "clang", "style", "chroot", "package", "server"}
COLUMNS = ["for", "found", "debian12", "debian", "fedora", "arch", "opensuse"]

# What /etc/os-release says there, as far as it is read: the column, whether ./dev installs, the command.
APT = "apt-get install --no-install-recommends"
SYSTEMS = {
    "Debian 12": ('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm', "debian12", 1, APT),
    "Debian 13": ('ID=debian\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nDEBIAN_VERSION_FULL=13.2',
                  "debian", 1, APT),
    "Debian sid": ('PRETTY_NAME="Debian GNU/Linux forky/sid"\nVERSION_CODENAME=forky\nID=debian',
                   "debian", 1, APT),
    "Debian 11": ('ID=debian\nVERSION_ID="11"\nVERSION_CODENAME=bullseye', "debian", 0, APT),
    "Raspberry Pi OS 12": ('ID=raspbian\nID_LIKE=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm',
                           "debian12", 0, APT),
    "Ubuntu 24.04": ('ID=ubuntu\nID_LIKE=debian\nVERSION_ID="24.04"\nVERSION_CODENAME=noble', "debian", 0, APT),
    "Linux Mint": ('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_ID="22"\nVERSION_CODENAME=wilma',
                   "debian", 0, APT),
    "Fedora": ("ID=fedora\nVERSION_ID=43\nVERSION_CODENAME=\"\"", "fedora", 0, "dnf install"),
    "CentOS Stream": ('ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="10"', "fedora", 0, "dnf install"),
    "AlmaLinux": ('ID="almalinux"\nID_LIKE="rhel centos fedora"\nVERSION_ID="10.0"', "fedora", 0,
                  "dnf install"),
    "Arch": ("ID=arch\nBUILD_ID=rolling", "arch", 0, "pacman -S --needed"),
    "EndeavourOS": ('ID="endeavouros"\nID_LIKE="arch"', "arch", 0, "pacman -S --needed"),
    "Tumbleweed": ('ID="opensuse-tumbleweed"\nID_LIKE="opensuse suse"\nVERSION_ID="20251120"', "opensuse", 0,
                   "zypper install"),
    "Leap": ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\nVERSION_ID="16.0"', "opensuse", 0, "zypper install"),
    "SLES": ('ID="sles"\nID_LIKE="suse"\nVERSION_ID="16.0"', "opensuse", 0, "zypper install"),
    "Alpine": ("ID=alpine\nVERSION_ID=3.22.0", "", 0, ""),
    "without a name": ("", "", 0, ""),
}

SOURCED = f"""
set -uo pipefail
top={CI.parent.parent}
say() {{ printf '== %s\\n' "$*"; }}
die() {{ printf 'dev: %s\\n' "$*" >&2; exit 1; }}
. "$top/tests/ci/setup.sh"
"""


def bash(script, **more):
    return subprocess.run(["bash", "-c", SOURCED + script], text=True, capture_output=True, **more)


def on(system, script):
    """Runs it as if on that system."""
    with tempfile.NamedTemporaryFile("w", suffix="os-release") as file:
        file.write(SYSTEMS[system][0] + "\n")
        file.flush()
        return bash(f"read_distribution {file.name}\n{script}")


def table():
    lines = (CI / "packages").read_text().splitlines()
    head = [line for line in lines if line.startswith("# for ")]
    return head[0][1:].split(), [line.split() for line in lines if not line.startswith("#")]


class Table(unittest.TestCase):
    def test_every_line_is_whole(self):
        head, rows = table()
        self.assertEqual(head, COLUMNS)
        for row in rows:
            with self.subTest(row=row):
                self.assertEqual(len(row), len(COLUMNS))
                self.assertIn(row[0], KINDS)
                for name in row[2:]:
                    self.assertRegex(name, r"^(=|-|[a-zA-Z0-9][a-zA-Z0-9.+_-]+)$")
                self.assertNotIn("=", row[2:3] + row[4:])

    def test_the_demo_can_be_built_everywhere(self):
        for row in table()[1]:
            if row[0] in ("build", "demo"):
                self.assertNotIn("none", row)
                self.assertNotIn("-", row)

    def test_debian_installs_each_thing(self):
        for row in table()[1]:
            self.assertNotIn(row[2], ("-", "none"))


class Recognised(unittest.TestCase):
    def test_each_system(self):
        for system, (_, names, automatic, install) in SYSTEMS.items():
            with self.subTest(system=system):
                said = on(system, 'echo "$names|$automatic|$install"')
                self.assertEqual(said.stdout, f"{names}|{automatic}|{install}\n", said.stderr)

    def test_a_system_without_the_file(self):
        self.assertEqual(bash('read_distribution /nonexistent; echo "<$names$automatic>"').stdout, "<0>\n")

    def test_names_of_debian(self):
        wanted = "package_rows $names 'build' | cut -d ' ' -f 1 | grep boost"
        self.assertEqual(on("Debian 12", wanted).stdout, "libboost1.81-dev\n")
        self.assertEqual(on("Debian sid", wanted).stdout, "libboost-dev\n")


class Told(unittest.TestCase):
    """Nothing is there, and no package manager of that kind either."""

    NOTHING = "is_there() { false; }\n"

    def told(self, system, kinds):
        said = on(system, self.NOTHING + f"need {kinds}; echo went on")
        return said.stdout, said.stderr.replace("  sudo ", "  ")

    def test_the_command_of_each_system(self):
        for system, some in {
            "Ubuntu 24.04": {"ninja-build", "g++", "libboost-dev", "libtss2-dev", "tpm2-tools"},
            "Fedora": {"ninja-build", "gcc-c++", "boost-devel", "tpm2-tss-devel", "tpm2-tools"},
            "Arch": {"ninja", "gcc", "boost", "tpm2-tss", "tpm2-tools"},
            "Tumbleweed": {"ninja", "gcc-c++", "libboost_headers-devel", "tpm2-0-tss-devel", "tpm2.0-tools"},
        }.items():
            with self.subTest(system=system):
                out, err = self.told(system, "build demo")
                self.assertEqual(out, "")
                first, second = err.splitlines()
                self.assertIn("Install them and try again", first)
                start = f"  {SYSTEMS[system][3]} "
                self.assertTrue(second.startswith(start), second)
                packages = second.removeprefix(start).split()
                self.assertLessEqual(some, set(packages))
                self.assertEqual(len(packages), len(set(packages)))

    def test_an_unknown_system_gets_names(self):
        out, err = self.told("Alpine", "demo")
        self.assertEqual(out, "")
        self.assertIn("those of Debian", err)
        self.assertIn("tpm2-tools", err)

    def test_what_is_not_packaged_does_not_stop(self):
        out, err = self.told("Arch", "style")
        self.assertEqual(err, "")
        self.assertIn("no package for these", out)
        self.assertIn("clang-format-19", out)
        self.assertTrue(out.endswith("went on\n"))

    def test_what_is_there_is_not_asked_for(self):
        said = on("Fedora", "is_there() { [[ $1 != ninja-build ]]; }\nneed build")
        self.assertRegex(said.stderr, r"\n  (sudo )?dnf install ninja-build\n$")


@unittest.skipUnless(shutil.which("apt-get") and os.geteuid() == 0, "needs root on a Debian system")
class Waits(unittest.TestCase):
    """The real apt, in a folder of its own whose locks this test holds."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.top = pathlib.Path(self.folder.name)
        for part in ("lists/partial", "cache/archives/partial", "dpkg/info", "dpkg/updates", "etc"):
            (self.top / part).mkdir(parents=True)
        shutil.copy("/var/lib/dpkg/status", self.top / "dpkg/status")
        (self.top / "apt.conf").write_text(f"""
Dir::State "{self.top}"; Dir::State::lists "{self.top}/lists"; Dir::State::status "{self.top}/dpkg/status";
Dir::Cache "{self.top}/cache"; Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "-";
Dir::Etc::parts "-"; Dir::Log "{self.top}"; Dpkg::Options {{ "--admindir={self.top}/dpkg"; }};
""")

    def test_for_nothing_where_a_script_prints(self):
        """A package whose script prints, set up in a folder of its own."""
        control = self.top / "package/DEBIAN"
        control.mkdir(parents=True)
        (self.top / "root").mkdir()
        (control / "control").write_text("Package: prints\nVersion: 1\nArchitecture: all\n"
                                         "Maintainer: tests <tests@localhost>\nDescription: prints\n")
        script = control / "postinst"
        script.write_text("#!/bin/sh\nset -e\necho this was printed\n")
        script.chmod(0o755)
        subprocess.run(["dpkg-deb", "-b", control.parent, self.top / "prints.deb"], check=True,
                       stdout=subprocess.DEVNULL)
        with open(self.top / "apt.conf", "a") as file:
            file.write(f'Dpkg::Options {{ "--instdir={self.top}/root"; "--force-script-chrootless"; }};')
        said = bash(f"state={self.top}/state as_root=()\ninstall_packages {self.top}/prints.deb && echo installed",
                    env={**os.environ, "APT_CONFIG": str(self.top / "apt.conf")})
        self.assertTrue(said.stdout.endswith("installed\n"), said.stdout + said.stderr)
        self.assertIn("this was printed", (self.top / "state/apt.log").read_text())

    def install(self, lock):
        """Installs what is there already while this process holds the lock, until it was told of that."""
        with open(self.top / lock, "w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            running = subprocess.Popen(
                ["bash", "-c", SOURCED + f"state={self.top}/state as_root=()\n"
                 "install_packages dpkg && echo installed"],
                text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                env={**os.environ, "APT_CONFIG": str(self.top / "apt.conf")})
            said = ""
            with running.stdout as output:
                for line in output:
                    said += line
                    if "waiting" in line:
                        fcntl.lockf(file, fcntl.LOCK_UN)
            return running.wait(), said

    def check(self, lock):
        code, said = self.install(lock)
        self.assertIn(f"waiting for another installation to end: process {os.getpid()} (", said)
        self.assertTrue(said.endswith("installed\n"), said)
        self.assertEqual(code, 0)

    def test_for_the_lock_of_dpkg(self):
        self.check("dpkg/lock-frontend")

    def test_for_the_lock_of_the_lists(self):
        self.check("lists/lock")


if __name__ == "__main__":
    unittest.main()
