#!/usr/bin/env python3
"""The units that are installed: systemd understands them, its own measure of what a service could do
stays low, and a configuration that cannot be used is noticed in time. UNITS names their folder, DROP_INS that of the
bridges' drop-ins, TBSD the daemon, TBSCTL the command-line tool."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

UNITS = os.environ["UNITS"]
DROP_INS = os.environ["DROP_INS"]
TBSD = os.environ["TBSD"]
TBSCTL = os.environ["TBSCTL"]
BRIDGES = ("raw", "mssim", "swtpm")
ANALYZE = shutil.which("systemd-analyze")
MOST_EXPOSURE = 1.5  # of 10
SKIPPED = 77


def analyze(*arguments):
    return subprocess.run([ANALYZE, "--no-pager", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, encoding="utf-8", timeout=60, check=False)


def settings(path, name):
    with open(path, encoding="utf-8") as file:
        return [line.partition("=")[2].strip() for line in file if line.startswith(name + "=")]


class Units(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbs-units-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.services = []  # of tbsd
        self.others = []
        for name in sorted(os.listdir(UNITS)):
            # Those of the bridges are below.
            if not name.endswith((".service", ".socket")) or name.startswith("tbs-bridge@"):
                continue
            # A template is looked at as one of its instances.
            path = self.copy(name, name.replace("@.", "@tpm1."))
            if name == "tbs-node.service":
                self.others.append(path)
            elif name.endswith(".service"):
                self.services.append(path)
        self.assertEqual(len(self.services), 2)
        self.sockets = sorted(os.path.join(self.folder, name) for name in os.listdir(self.folder)
                              if name.endswith(".socket"))
        self.assertEqual([os.path.basename(path) for path in self.sockets],
                         ["tbsd-admin.socket", "tbsd-admin@tpm1.socket", "tbsd-metrics.socket",
                          "tbsd-metrics@tpm1.socket", "tbsd-node.socket", "tbsd-node@tpm1.socket",
                          "tbsd-tenant@tpm1.socket", "tbsd.socket",
                          "tbsd@tpm1.socket"])

    def copy(self, name, to, appended=""):
        """A unit, with the programs where they are now."""
        with open(os.path.join(UNITS, name), encoding="utf-8") as file:
            text = file.read() + appended
        # Only of the daemon more is asked than that the file is there.
        for name, program in (("tbsd", TBSD), ("tbs-node", TBSD), ("tbsctl", TBSCTL)):
            text = re.sub(rf"^(Exec\w+)=\S+/{name}(?= |$)", rf"\1={program}", text, flags=re.MULTILINE)
        path = os.path.join(self.folder, to)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def test_systemd_understands_them(self):
        for path in self.services + self.others + self.sockets:
            said = analyze("--man=no", "verify", path)
            about = [line for line in said.stdout.splitlines() if "tbsd" in line or "tbs-node" in line]
            self.assertEqual((said.returncode, about), (0, []), said.stdout)

    def test_each_socket_says_what_it_gives(self):
        expected = {"tbsd-admin.socket": ("admin", "0600", "tbsd.service"),
                    "tbsd-admin@tpm1.socket": ("admin", "0600", "tbsd@%i.service"),
                    "tbsd-metrics.socket": ("metrics", "0600", "tbsd.service"),
                    "tbsd-metrics@tpm1.socket": ("metrics", "0600", "tbsd@%i.service"),
                    "tbsd-node.socket": ("node", "0600", "tbsd.service"),
                    "tbsd-node@tpm1.socket": ("node", "0600", "tbsd@%i.service"),
                    "tbsd-tenant@tpm1.socket": ("tenant-%i", "0600", "tbsd.service"),
                    "tbsd.socket": ("everybody", "0666", None),
                    "tbsd@tpm1.socket": ("everybody", "0666", None)}
        for path in self.sockets:
            name, mode, service = expected[os.path.basename(path)]
            self.assertEqual(settings(path, "FileDescriptorName"), [name])
            self.assertEqual(settings(path, "SocketMode"), [mode])
            self.assertEqual(settings(path, "Service"), [service] if service else [])
            # As the service has no limit of starts.
            self.assertEqual(settings(path, "TriggerLimitIntervalSec"), ["0"])
            # As whom the service runs, so that starting it changes no owner.
            self.assertIn("-o tbs -g tbs", *settings(path, "ExecStartPre"))
        for path in self.services:
            needed, = settings(path, "Requires")
            self.assertEqual(settings(path, "After"), [needed])
            self.assertEqual(settings(path, "Also"), [needed])
            self.assertEqual(len(needed.split()), 2)

    def test_a_mistake_would_be_found(self):
        with open(self.services[0], "a", encoding="utf-8") as file:
            file.write("[Service]\nNoNewPrivilege=yes\n")
        self.assertIn("NoNewPrivilege", analyze("--man=no", "verify", self.services[0]).stdout)

    def test_a_reload_checks_the_configuration_first(self):
        for path in self.services:
            check, signal = settings(path, "ExecReload")
            self.assertEqual(signal, "/bin/kill -HUP $MAINPID")
            # The same daemon, with the same options, as the one that runs.
            start, = settings(path, "ExecStart")
            self.assertEqual(check.replace(" --check", ""), start.strip())
            self.assertEqual(self.run_check(check, "max-contexts = 7\n").returncode, 0)
            said = self.run_check(check, "\nmax-contxts = 7\n")
            self.assertEqual(said.returncode, 2)
            self.assertIn("tbsd.conf:2:", said.stdout)
            said = self.run_check(check, "", "block everybody\n")
            self.assertEqual(said.returncode, 2)
            self.assertIn("rules.conf:1:", said.stdout)

    def test_what_is_started_again_and_when(self):
        for path in self.services:
            self.assertEqual(settings(path, "Restart"), ["on-failure"])
            # Soon, however often, but for a configuration that cannot be used. That is for the main
            # process to say: the status of a command before it would not count.
            self.assertEqual(settings(path, "RestartSec"), ["100ms"])
            self.assertEqual(settings(path, "StartLimitIntervalSec"), ["0"])
            self.assertEqual(settings(path, "RestartPreventExitStatus"), ["2"])
            self.assertEqual(settings(path, "ExecStartPre"), [])
            self.assertEqual(settings(path, "RestartSteps"), [])

    def test_only_the_daemon_speaks_to_the_manager(self):
        for path in self.services:
            self.assertEqual(settings(path, "Type"), ["notify"])
            self.assertEqual(settings(path, "NotifyAccess"), ["main"])
            self.assertGreater(int(*settings(path, "FileDescriptorStoreMax")), 1000)

    def run_check(self, check, configuration, rules=""):
        """What the unit's check says of a configuration."""
        paths = {"tbsd.conf": configuration, "policy.d/rules.conf": rules}
        for name, text in paths.items():
            os.makedirs(os.path.dirname(os.path.join(self.folder, name)), exist_ok=True)
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        command = shlex.split(check.replace("%i", "tpm1").replace("%S", "/var/lib"))
        return subprocess.run([*command, "--config", os.path.join(self.folder, "tbsd.conf"),
                               "--policy-dir", os.path.join(self.folder, "policy.d")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              encoding="utf-8", check=False)

    def bridge(self, instance):
        """The units of a bridge, each with its drop-in behind it: systemd would look for that in other folders."""
        paths = []
        for kind in ("socket", "service"):
            drop_in = os.path.join(DROP_INS, f"{instance}.{kind}.conf")
            text = ""
            if os.path.exists(drop_in):
                with open(drop_in, encoding="utf-8") as file:
                    text = file.read()
            paths.append(self.copy(f"tbs-bridge@.{kind}", f"tbs-bridge@{instance}.{kind}", text))
        return paths

    def test_bridges(self):
        listens = {}
        for instance in BRIDGES:
            socket, service = self.bridge(instance)
            for path in (socket, service):
                said = analyze("--man=no", "verify", path)
                about = [line for line in said.stdout.splitlines() if "tbs-bridge" in line]
                self.assertEqual((said.returncode, about), (0, []), said.stdout)
            found = settings(socket, "ListenStream")
            if "" in found:
                found = found[found.index("") + 1:]
            listens[instance] = [each.replace("%i", instance) for each in found]
            self.assertEqual(settings(socket, "SocketMode"), ["0600"])
            # As whom it runs has an entry of its own, in the package of the unit.
            self.assertEqual(settings(service, "User"), ["tbs-bridge"])
        # One for each channel (the test of the bridge says what else is refused).
        self.assertEqual(listens, {"raw": ["/run/tbs-bridge/raw.sock"], "mssim": ["127.0.0.1:2321", "127.0.0.1:2322"],
                                   "swtpm": ["/run/tbs-bridge/swtpm.sock", "/run/tbs-bridge/swtpm.sock.ctrl"]})
        with open(os.path.join(DROP_INS, "..", "tbs-bridge.sysusers"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("u tbs-bridge "))

    def test_exposure(self):
        for path in [*self.services, *self.others, self.bridge("mssim")[1]]:
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
