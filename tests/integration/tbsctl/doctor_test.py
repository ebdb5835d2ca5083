#!/usr/bin/env python3
"""tbsctl doctor on this machine, against the real tbsd on an embedded TPM and on swtpm: in order, without a
daemon, with a TPM that hangs or is in failure mode, a lockout, a broken configuration, wrong rights of the
socket, clients that misbehave, and the TCTI settings that programs get.

What it finds about the machine itself (systemd, nodes, kernel) is the machine's: the tests look at the checks that
they have caused. TBSD and TBSCTL in the environment name the programs."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import event_logs
import nobody
import software_tpms
import tbsctl_test
import wire
from administration_test import (DICTIONARY_ATTACK_PARAMETERS, INDEX, LOCKOUT, NEEDS_ROOT, NV_DEFINE_SPACE, NV_READ,
                                 OWNER, command, sized, words)

SEVERITIES = ("fine", "unseen", "note", "warning", "error")
CHECKS = {"socket", "unit", "configuration", "nodes", "holders", "kernel", "tpm", "lockout", "pcrs", "clients",
          "leftovers", "tcti"}


def doctor(*arguments, socket=None, prefix=(), program=tbsctl_test.TBSCTL, **variables):
    """Its findings, by check: lists of (severity, what). They are the same for people and as JSON."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.endswith("_TCTI") and name not in ("TBS_SOCKET", "TSS2_FAPICONF")}
    environment["PATH"] = os.path.dirname(tbsctl_test.TBSD) + ":" + environment["PATH"]
    environment.update(variables)
    if socket:
        environment["TBS_SOCKET"] = socket
    ran = subprocess.run([*prefix, program, "--json", "doctor", *arguments], env=environment, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=4 * tbsctl_test.DEADLINE)
    document = json.loads(ran.stdout)
    found = {check: [] for check in CHECKS}
    for finding in document["findings"]:
        assert finding["severity"] in SEVERITIES, finding
        if finding["severity"] in ("warning", "error"):
            assert finding["why"] and finding["do"], finding
        found[finding["check"]].append((finding["severity"], finding["what"]))
    wrong = document["errors"] + document["warnings"]
    assert ran.returncode == (1 if wrong else 0), (ran.returncode, document)
    assert ran.stderr == b"", ran.stderr
    return found


class Case(unittest.TestCase):
    def start(self, device="embedded", arguments=()):
        daemon = tbsctl_test.Daemon(device, arguments=arguments)
        self.addCleanup(daemon.stop)
        return daemon

    def folder(self):
        folder = tempfile.mkdtemp(prefix="tbsctl-doctor-")
        os.chmod(folder, 0o755)
        self.addCleanup(shutil.rmtree, folder)
        return folder

    def assertFound(self, findings, severity, pattern):
        self.assertTrue(any(s == severity and re.search(pattern, what) for s, what in findings),
                        (severity, pattern, findings))

    def examine(self, daemon, *arguments, **options):
        return doctor(*arguments, socket=daemon.socket_for(options), **options)


class InOrder(Case):
    def test_a_daemon_in_order(self):
        daemon = self.start()
        found = self.examine(daemon, "--config", "/dev/null")
        for check in CHECKS:
            self.assertTrue(found[check], check)
        self.assertFound(found["socket"], "fine", f"answers at {re.escape(daemon.folder)}")
        self.assertFound(found["tpm"], "fine", "the TPM embedded is ready and answers")
        self.assertFound(found["lockout"], "fine", "")
        self.assertFound(found["clients"], "fine", "0 contexts are open")
        self.assertFound(found["leftovers"], "fine", "")
        self.assertFound(found["configuration"], "fine", "")

    def test_for_people(self):
        daemon = self.start()
        ran = tbsctl_test.run("doctor", socket=daemon.socket)
        self.assertIn(ran.code, (0, 1), ran)
        self.assertRegex(ran.out, r"(?m)^fine     tpm            the TPM embedded is ready and answers$")
        self.assertRegex(ran.out, r"\n\n\d+ errors, \d+ warnings, \d+ not seen\n$")

    @NEEDS_ROOT
    def test_a_user_sees_less_and_is_told(self):
        daemon = self.start()
        found = self.examine(daemon, **nobody.options(daemon.folder))
        self.assertFound(found["socket"], "fine", "")
        self.assertFound(found["tpm"], "fine", "")
        self.assertFound(found["holders"], "unseen", "in part")

    def test_the_pcrs_beside_a_log(self):
        path = os.path.join(self.folder(), "log")
        open(path, "wb").close()
        daemon = self.start(arguments=("--event-log", path))
        self.assertFound(self.examine(daemon)["pcrs"], "unseen", "TBS_E_NO_EVENT_LOG")
        read = tbsctl_test.run("--json", "pcr", socket=daemon.socket_for({}))
        log = event_logs.Log(banks=[bank for bank in event_logs.ALGORITHMS if bank in json.loads(read.out)])
        log.usual()
        def write():
            with open(path, "wb") as file:
                file.write(log.bytes)
        write()
        self.assertFound(self.examine(daemon)["pcrs"], "warning", r"^PCR 0 \(sha1\) of the TPM has not seen event 1")
        client = wire.Client(daemon.socket_for({}))
        self.addCleanup(client.close)
        for pcr, digests in log.measured:
            client.begin(event_logs.pcr_extend(pcr, digests))
            self.assertEqual(client.result()[2][6:10], bytes(4))
        self.assertFound(self.examine(daemon)["pcrs"], "fine", r"^\d+ PCRs hold what the \d+ events of the log")
        # One that systemd extends as well.
        log.measure(12, event_logs.EV_IPL, b"only in the log")
        write()
        self.assertFound(self.examine(daemon)["pcrs"], "note", "^PCR 12 ")


class OutOfOrder(Case):
    def test_no_daemon(self):
        found = doctor(socket="/nonexistent/tbsd.sock")
        self.assertFound(found["socket"], "error", "no socket /nonexistent/tbsd.sock, which TBS_SOCKET names")
        for check in ("tpm", "lockout", "pcrs", "clients", "leftovers"):
            self.assertEqual([severity for severity, _ in found[check]], ["unseen"], check)

    def test_a_socket_that_nobody_has(self):
        daemon = self.start()
        daemon.process.kill()
        daemon.process.wait()
        self.assertFound(self.examine(daemon)["socket"], "error", "nobody listens at")

    def test_a_file_that_is_no_socket(self):
        path = os.path.join(self.folder(), "tbsd.sock")
        os.mkdir(path)
        self.assertFound(doctor(socket=path)["socket"], "error", "is no socket")

    @NEEDS_ROOT
    def test_wrong_rights_of_the_sockets(self):
        daemon = self.start()
        as_nobody = nobody.options(daemon.folder)
        os.chmod(daemon.socket, 0o600)
        self.assertFound(self.examine(daemon, **as_nobody)["socket"], "error", "permissions do not let this user in")
        os.chmod(daemon.admin_socket, 0o666)
        self.assertFound(self.examine(daemon)["socket"], "error", r"admin.sock is 0666 root:root")

    def test_a_broken_configuration(self):
        path = os.path.join(self.folder(), "tbsd.conf")
        with open(path, "w", encoding="ascii") as file:
            file.write("no-such-option = 7\n")
        found = doctor("--config", path, socket="/nonexistent/tbsd.sock")
        self.assertFound(found["configuration"], "error", "no-such-option")

    def test_a_tpm_that_hangs(self):
        daemon = self.start()
        with software_tpms.Frozen(software_tpms.children_of(daemon.process.pid)[0]):
            found = self.examine(daemon)
            self.assertTrue(any(severity in ("warning", "error") for severity, _ in found["tpm"]), found)
            self.assertFound(found["socket"], "fine", "")
            self.assertFound(found["pcrs"], "unseen", "")
        software_tpms.eventually(
            lambda: tbsctl_test.run("health", socket=daemon.socket).code == 0)

    def test_a_lockout_and_for_how_long(self):
        daemon = self.start()
        admin = daemon.socket_for({})
        def submit(data, **options):
            return tbsctl_test.run("submit", data, socket=daemon.socket_for(options), **options)
        self.assertEqual(submit(command(DICTIONARY_ATTACK_PARAMETERS, [LOCKOUT], words(10, 86400, 1000))).code, 0)
        public = words(INDEX) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
        self.assertEqual(submit(command(NV_DEFINE_SPACE, [OWNER], sized(b"secret") + sized(public))).code, 0)
        for _ in range(4):
            submit(command(NV_READ, [INDEX, INDEX], b"\0\x08\0\0"))
        self.assertTrue(admin)
        found = self.examine(daemon)
        self.assertFound(found["lockout"], "note", "the TPM counts 4 of 10 failed authorizations")
        if os.getuid() == 0:
            # root is no administrator on everybody's socket, and so locked out there.
            found = doctor(socket=daemon.socket)
            self.assertFound(found["lockout"], "note", "counts 4 of 10")

    @NEEDS_ROOT
    def test_a_user_who_is_locked_out(self):
        daemon = self.start()
        as_nobody = nobody.options(daemon.folder)
        admin = daemon.socket_for({})
        public = words(INDEX) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
        define = command(NV_DEFINE_SPACE, [OWNER], sized(b"secret") + sized(public))
        self.assertEqual(tbsctl_test.run("submit", define, socket=admin).code, 0)
        for _ in range(4):
            tbsctl_test.run("submit", command(NV_READ, [INDEX, INDEX], b"\0\x08\0\0"), socket=daemon.socket,
                            **as_nobody)
        found = self.examine(daemon)
        self.assertFound(found["lockout"], "warning", "is locked out after 4 failed authorizations")

    def test_limits_and_clients(self):
        daemon = self.start(arguments=("--max-contexts", "4"))
        clients = [wire.Client(daemon.socket_for({})) for _ in range(4)]
        self.addCleanup(lambda: [client.close() for client in clients])
        found = self.examine(daemon)
        self.assertFound(found["clients"], "warning", r"max-contexts: 4 of 4 are used")
        self.assertFound(found["tpm"], "warning", r"max-contexts is used up, 4 of 4")


@unittest.skipUnless(shutil.which("swtpm"), "needs swtpm")
class OnSwtpm(Case):
    def test_in_order_and_in_failure_mode(self):
        folder = self.folder()
        swtpm = software_tpms.Swtpm(folder)
        self.addCleanup(swtpm.stop)
        tpm = software_tpms.FailingTpm(folder, swtpm)
        self.addCleanup(tpm.stop)
        daemon = self.start(tpm.device)
        self.assertFound(self.examine(daemon)["tpm"], "fine", "is ready and answers")
        tpm.fails = True
        software_tpms.eventually(lambda: tbsctl_test.run("random", "4", socket=daemon.socket).code != 0 and
                                 tbsctl_test.run("health", socket=daemon.socket).code == 2)
        self.assertFound(self.examine(daemon)["tpm"], "error", "failure mode")


class Tcti(Case):
    """The settings that programs get, from the environment and from files."""

    def found(self, **variables):
        return doctor(socket="/nonexistent/tbsd.sock", **variables)["tcti"]

    def test_settings_are_told_by_program(self):
        self.assertFound(self.found(TPM2TOOLS_TCTI="device:/dev/tpmrm0"), "warning",
                         r"^tpm2-tools uses /dev/tpmrm0 \(TPM2TOOLS_TCTI\)$")
        self.assertFound(self.found(TPM2_PKCS11_TCTI="device:/dev/tpm0"), "error", "^tpm2-pkcs11 uses /dev/tpm0")
        self.assertFound(self.found(TPM2OPENSSL_TCTI="no-such-thing:x"), "error",
                         "tpm2-openssl is to use \"no-such-thing:x\"")
        self.assertFound(self.found(SYSTEMD_TPM2_DEVICE="/dev/tpmrm0"), "warning", "^systemd uses /dev/tpmrm0")

    def test_a_module_that_is_there(self):
        """Where the loader of the system finds the module, as tpm2-tss does."""
        folder = self.folder()
        built = os.path.join(os.path.dirname(tbsctl_test.TBSCTL), "../tcti/libtss2-tcti-tbs.so.0")
        if not os.path.exists(built):
            self.skipTest("the TCTI module is not built")
        client = os.path.dirname(os.path.dirname(tbsctl_test.TBSCTL))
        path = f"{folder}:{os.path.dirname(os.path.realpath(built))}:{client}"
        self.assertFound(self.found(TPM2TOOLS_TCTI="tbs", LD_LIBRARY_PATH=path), "fine", "^tpm2-tools uses tbs ")
        os.symlink(os.path.realpath(built), os.path.join(folder, "libtss2-tcti-default.so"))
        self.assertFound(self.found(LD_LIBRARY_PATH=path), "fine", "programs use tbs, the default of tpm2-tss")

    def test_fapi(self):
        path = os.path.join(self.folder(), "fapi.json")
        with open(path, "w", encoding="ascii") as file:
            file.write('{"tcti": "device:/dev/tpmrm0"}')
        self.assertFound(self.found(TSS2_FAPICONF=path), "warning", "^FAPI uses /dev/tpmrm0")
        with open(path, "w", encoding="ascii") as file:
            file.write("{")
        self.assertFound(self.found(TSS2_FAPICONF=path), "error", "FAPI, .*, cannot be used: it is no JSON")
        self.assertFound(self.found(TSS2_FAPICONF="/nonexistent/x"), "error", "FAPI, /nonexistent/x, cannot be used")


if __name__ == "__main__":
    unittest.main(verbosity=2)
