#!/usr/bin/env python3
"""tbsctl health against the real tbsd on an embedded TPM and on swtpm: fine, a TPM that hangs, one in failure
mode, a lockout, a daemon that hangs or is gone, a socket that may not be opened.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import shutil
import tempfile
import unittest

import nobody
import software_tpms
import tbsctl_test
import wire
from administration_test import DICTIONARY_ATTACK_PARAMETERS, LOCKOUT, NEEDS_ROOT, command, words

FINE, DEGRADED, DOWN = 0, 1, 2
# A machine that is busy needs longer than a probe has; nothing here asserts how long.
PATIENT = ("--timeout", "30000")


class WithHealth:
    """What the tests of both devices have: self.daemon, and self.tpm_process()."""

    def health(self, *arguments, code=None, **options):
        """Its exit code and line; that it ends at all, run() sees to."""
        ran = tbsctl_test.run("health", *arguments, socket=self.daemon.socket_for(options), **options)
        self.assertIn(ran.code, (FINE, DEGRADED, DOWN), ran)
        self.assertEqual(ran.err, "", ran)
        self.assertEqual(ran.out.count("\n"), 1, ran)
        self.assertEqual(ran.out.split(":")[0], ("fine", "degraded", "down")[ran.code], ran)
        if code is not None:
            self.assertEqual(ran.code, code, ran)
        return ran.code, ran.out

    def json_health(self, *arguments, code):
        ran = tbsctl_test.run("--json", "health", *PATIENT, *arguments,
                              socket=self.daemon.socket_for({}))
        self.assertEqual(ran.code, code, ran)
        return json.loads(ran.out)

    def test_fine(self):
        _, line = self.health(*PATIENT, code=FINE)
        self.assertRegex(line, r"^fine: the TPM \S+ is ready and answers\n$")
        _, line = self.health(*PATIENT, "--passive", code=FINE)
        self.assertRegex(line, r"^fine: the TPM \S+ is ready\n$")
        found = self.json_health(code=FINE)
        self.assertEqual(set(found), {"health", "reasons", "version", "device", "device_state", "tpm"})
        self.assertEqual((found["health"], found["reasons"], found["tpm"]), ("fine", [], "answered"))
        self.assertEqual(found["device_state"], "ready")

    def test_one_command_and_no_context_is_left(self):
        before = self.status()
        self.health(*PATIENT, "--passive", code=FINE)
        self.assertEqual(self.status()["commands"], before["commands"])
        self.health(*PATIENT, code=FINE)
        after = self.status()
        self.assertEqual(after["commands"], before["commands"] + 1)
        software_tpms.eventually(lambda: self.status()["contexts"] == before["contexts"])

    def test_a_tpm_that_hangs(self):
        self.health(*PATIENT, code=FINE)
        with software_tpms.Frozen(self.tpm_process()):
            # Nothing was on it: the command of the first probe is the first to get no answer.
            code, line = self.health("--timeout", "2000")
            self.assertNotEqual(code, FINE, line)
            # By now tbsd knows that it hangs: also without asking it, and within the time of a probe.
            def known():
                code, line = self.health("--passive")
                return code != FINE and "TPM" in line
            software_tpms.eventually(known)
            self.assertNotEqual(self.health()[0], FINE)
        software_tpms.eventually(lambda: self.health(*PATIENT)[0] == FINE)

    def test_a_daemon_that_hangs(self):
        with software_tpms.Frozen(self.daemon.process.pid):
            _, line = self.health(code=DOWN)
            self.assertIn(self.daemon.folder, line)
        software_tpms.eventually(lambda: self.health(*PATIENT)[0] == FINE)

    @NEEDS_ROOT
    def test_a_socket_that_may_not_be_opened(self):
        as_nobody = nobody.options(self.daemon.folder)
        self.health(*PATIENT, code=FINE, **as_nobody)
        os.chmod(self.daemon.socket, 0o600)
        self.addCleanup(os.chmod, self.daemon.socket, 0o666)
        _, line = self.health(*PATIENT, code=DOWN, **as_nobody)
        self.assertIn("an administrator decides who may use the socket", line)

    def test_no_room_for_contexts_is_degraded(self):
        clients = []
        self.addCleanup(lambda: [client.close() for client in clients])
        limit = next(entry["limit"] for entry in self.json("limits")
                     if entry["name"] == "max-contexts")
        while len(clients) < limit:
            clients.append(wire.Client(self.daemon.socket_for({})))
        _, line = self.health(*PATIENT, code=DEGRADED)
        self.assertIn(f"max-contexts is used up, {limit} of {limit}", line)

    def json(self, subcommand):
        ran = tbsctl_test.run("--json", subcommand, socket=self.daemon.socket_for({}))
        self.assertEqual(ran.code, FINE, ran)
        return json.loads(ran.out)

    def status(self):
        return self.json("status")


class Embedded(WithHealth, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = tbsctl_test.Daemon("embedded", arguments=("--max-contexts", "6"))
        cls.addClassCleanup(cls.daemon.stop)

    def tpm_process(self):
        return software_tpms.children_of(self.daemon.process.pid)[0]


@unittest.skipUnless(shutil.which("swtpm"), "needs swtpm")
class OnSwtpm(WithHealth, unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-health-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.swtpm = software_tpms.Swtpm(cls.folder)
        cls.addClassCleanup(cls.swtpm.stop)
        cls.daemon = tbsctl_test.Daemon(cls.swtpm.device, arguments=("--max-contexts", "6"))
        cls.addClassCleanup(cls.daemon.stop)

    def tpm_process(self):
        return self.swtpm.process.pid


class Tpm12(unittest.TestCase):
    def test_fine(self):
        daemon = tbsctl_test.Daemon("embedded12")
        self.addCleanup(daemon.stop)
        ran = tbsctl_test.run("health", *PATIENT, socket=daemon.socket)
        self.assertEqual((ran.code, ran.out), (FINE, "fine: the TPM embedded12 is ready and answers\n"))


class Trouble(unittest.TestCase):
    """Daemons that are spoilt by the test."""

    def health(self, daemon):
        return tbsctl_test.run("health", *PATIENT, socket=daemon.socket_for({}))

    def test_a_daemon_that_is_gone(self):
        daemon = tbsctl_test.Daemon("embedded")
        self.addCleanup(daemon.stop)
        daemon.process.kill()
        daemon.process.wait()
        ran = self.health(daemon)
        self.assertEqual(ran.code, DOWN, ran)
        self.assertIn("start it", ran.out)

    def test_there_was_never_one(self):
        ran = tbsctl_test.run("health", socket="/nonexistent/tbsd.sock")
        self.assertEqual(ran.code, DOWN, ran)
        self.assertTrue(ran.out.startswith("down: cannot reach tbsd at /nonexistent/tbsd.sock: "), ran)

    def test_no_tpm(self):
        daemon = tbsctl_test.Daemon("/nonexistent/tpm0", wait=False)
        self.addCleanup(daemon.stop)
        software_tpms.eventually(lambda: self.health(daemon).code == DOWN)
        self.assertIn("/nonexistent/tpm0", self.health(daemon).out)

    def test_a_lockout(self):
        daemon = tbsctl_test.Daemon("embedded")
        self.addCleanup(daemon.stop)
        # It locks out with the first failure: one of the lockout hierarchy, which takes no more for long.
        limit = command(DICTIONARY_ATTACK_PARAMETERS, [LOCKOUT], words(0, 86400, 1000))
        ran = tbsctl_test.run("submit", limit, socket=daemon.socket_for({}))
        self.assertEqual(ran.code, FINE, ran)
        ran = self.health(daemon)
        self.assertEqual(ran.code, DEGRADED, ran)
        self.assertRegex(ran.out, "^degraded: the TPM is in lockout: .* tpm2_dictionarylockout")

    @unittest.skipUnless(shutil.which("swtpm"), "needs swtpm")
    def test_failure_mode(self):
        folder = tempfile.mkdtemp(prefix="tbsctl-health-")
        self.addCleanup(shutil.rmtree, folder)
        swtpm = software_tpms.Swtpm(folder)
        self.addCleanup(swtpm.stop)
        tpm = software_tpms.FailingTpm(folder, swtpm)
        self.addCleanup(tpm.stop)
        daemon = tbsctl_test.Daemon(tpm.device)
        self.addCleanup(daemon.stop)
        self.assertEqual(self.health(daemon).code, FINE)
        tpm.fails = True
        # tbsd learns of it by a command.
        software_tpms.eventually(lambda: tbsctl_test.run(
            "random", "4", socket=daemon.socket).code != FINE and self.health(daemon).code == DOWN)
        self.assertIn("failure mode", self.health(daemon).out)
        tpm.fails = False
        software_tpms.eventually(lambda: self.health(daemon).code == FINE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
