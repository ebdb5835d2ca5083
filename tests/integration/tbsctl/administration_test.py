#!/usr/bin/env python3
"""tbsctl for administrators: limits, the lockout guard, rules; their output for people and as JSON,
their exit codes, and who may see and do what.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import re
import select
import shutil
import socket
import tempfile
import threading
import unittest

import nobody
import tbsctl_test
import wire
from tbsctl_test import FAILED, OK, TBS, TPM, UNREACHABLE, USAGE

OWNER, LOCKOUT, PASSWORD = 0x40000001, 0x4000000A, 0x40000009
NV_DEFINE_SPACE, NV_READ, DICTIONARY_ATTACK_PARAMETERS = 0x12A, 0x14E, 0x13A
INDEX = 0x01500078
NEEDS_ROOT = unittest.skipUnless(os.getuid() == 0, "needs root to become another user")


def sized(data):
    return len(data).to_bytes(2, "big") + data


def words(*values):
    return b"".join(value.to_bytes(4, "big") for value in values)


def command(code, handles, parameters):
    """A TPM command with the empty password, as hexadecimal digits."""
    body = words(*handles) + words(9, PASSWORD) + bytes(5) + parameters
    return (b"\x80\x02" + words(10 + len(body), code) + body).hex()


class Limits(tbsctl_test.WithDaemon):
    def test_limits(self):
        client = self.client()
        limits = {entry["name"]: entry for entry in self.json("limits")}
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/limits.md")
        with open(page, encoding="utf-8") as file:
            documented = re.findall(r"^\| `([a-z-]+)` \| (\d+) \| (\w+) \|", file.read(),
                                    re.MULTILINE)
        self.assertEqual({name for name, _, _ in documented}, set(limits))
        for name, value, scope in documented:
            self.assertEqual(limits[name]["limit"], int(value), name)
            self.assertEqual(limits[name]["scope"], scope, name)
        self.assertEqual(limits["max-contexts"]["used"], 1)
        self.assertIsNone(limits["max-contexts"]["uid"])
        self.assertEqual(limits["max-contexts-per-user"]["used"], 1)
        self.assertEqual(limits["max-contexts-per-user"]["uid"], os.getuid())
        client.close()
        units = {name: entry["unit"] for name, entry in limits.items() if entry["unit"]}
        self.assertEqual(units, {"orphan-lifetime": "s", "max-backlog": "KiB",
                                 "max-backlog-per-user": "KiB"})
        self.assertRegex(self.ok("limits").out, r"max-backlog +all +16384 KiB +\d+ KiB")
        table = self.ok("limits").out.splitlines()
        self.assertEqual(table[0].split(), ["LIMIT", "FOR", "EACH", "AT", "MOST", "USED", "BY"])
        self.assertEqual(len(table), 1 + len(documented))

    def test_without_a_daemon(self):
        for arguments in (("limits",), ("lockout",), ("lockout", "--reset")):
            self.refused(UNREACHABLE, *arguments, "--socket", "/nonexistent/socket")
        self.refused(USAGE, "limits", "x")
        self.refused(USAGE, "lockout", "--uid", "1")
        self.refused(USAGE, "lockout", "--reset", "--uid", "x")


class Sockets(unittest.TestCase):
    """Who is an administrator depends on the socket, and a tenant is known by its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-tenants-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.web = os.path.join(self.folder, "web.sock")
        with open(os.path.join(self.folder, "web.conf"), "w", encoding="ascii") as file:
            file.write(f"socket = {self.web}\nmax-contexts-per-user = 2\n")
        self.daemon = tbsctl_test.Daemon("embedded", arguments=("--tenants-dir", self.folder))
        self.addCleanup(self.daemon.stop)

    def test_contexts_name_the_tenant(self):
        client = wire.Client(self.web)
        self.addCleanup(client.close)
        listed = tbsctl_test.run("contexts", socket=self.daemon.socket)
        self.assertRegex(listed.out, r"(?m)^ +\d+ +tenant web +\d+ +python3")
        entries = json.loads(tbsctl_test.run("--json", "contexts", socket=self.web).out)
        entry, = [entry for entry in entries if entry["context"] == client.number]
        self.assertEqual((entry["tenant"], entry["user"]), ("web", "tenant web"))
        limits = tbsctl_test.run("limits", socket=self.daemon.socket).out
        self.assertRegex(limits, r"(?m)^max-contexts-per-user .* tenant web$")
        other = wire.Client(self.daemon.socket)
        self.addCleanup(other.close)
        entries = json.loads(tbsctl_test.run("--json", "contexts", socket=self.daemon.socket).out)
        self.assertEqual([entry["tenant"] for entry in entries], ["web", None])

    def test_what_everybody_may_see_is_there_on_every_socket(self):
        for socket in (self.daemon.socket, self.web, self.daemon.socket_for({})):
            for command in (("status",), ("contexts",), ("limits",), ("lockout",), ("info",)):
                ran = tbsctl_test.run(*command, socket=socket)
                self.assertEqual(ran.code, OK, ran)

    def test_a_refusal_names_the_other_socket(self):
        for socket in (self.daemon.socket, self.web):
            for command in (("lockout", "--reset"), ("submit", "80010000000c0000017b0010",
                                                     "--locality", "2")):
                ran = tbsctl_test.run(*command, socket=socket)
                self.assertEqual(ran.code, TBS, ran)
                self.assertIn("/run/tbs/admin.sock", ran.err)
        if os.getuid() == 0:
            ran = tbsctl_test.run("lockout", "--reset", socket=self.daemon.admin_socket)
            self.assertEqual(ran.code, OK, ran)


class Restart(tbsctl_test.WithDaemon):
    def test_clients_stay(self):
        client = self.client()
        client.begin(bytes.fromhex(tbsctl_test.GET_RANDOM_16))
        said = self.ok("restart").out
        self.assertRegex(said, r"^tbsd \S+ goes on, with 1 contexts\.\n$")
        self.assertEqual(client.result()[1], wire.SUCCESS)
        self.assertEqual(self.json("restart"), {"version": said.split()[1], "contexts": 1})
        client.begin(bytes.fromhex(tbsctl_test.GET_RANDOM_16))
        self.assertEqual(client.result()[1], wire.SUCCESS)
        # The same process.
        self.assertIsNone(self.daemon.process.poll())
        self.assertLess(self.json("status")["uptime_us"], 60_000_000)

    @NEEDS_ROOT
    def test_not_for_other_users(self):
        said = self.refused(FAILED, "restart", **nobody.options(self.daemon.folder))
        self.assertIn("only root and the daemon's own user may", said)

    def test_who_listens_for_a_daemon_is_not_signalled(self):
        path = os.path.join(self.daemon.folder, "held.sock")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            ended = threading.Thread(target=self.relay, args=(listener,), daemon=True)
            ended.start()
            ran = tbsctl_test.run("restart", socket=path)
            ended.join()
        self.assertEqual(ran.code, FAILED, ran)
        self.assertIn(f"process {os.getpid()}", ran.err)
        self.assertIn("systemctl restart", ran.err)

    def relay(self, listener):
        """The first connection is the daemon's, as it is where a service manager has made the socket."""
        with listener.accept()[0] as client, socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(self.daemon.socket_for({}))
            with listener.accept()[0] if self.pump(client, daemon, listener) else client:
                pass

    @staticmethod
    def pump(client, daemon, listener):
        """Until another one connects."""
        while True:
            for ready in select.select([client, daemon, listener], [], [])[0]:
                if ready is listener:
                    return True
                (daemon if ready is client else client).sendall(ready.recv(65536))


@NEEDS_ROOT
class Lockout(tbsctl_test.WithDaemon):
    def as_nobody(self):
        return nobody.options(self.daemon.folder)

    def guess(self):
        ran = self.tbsctl("submit", command(NV_READ, [INDEX, INDEX], b"\0\x08\0\0"),
                          **self.as_nobody())
        self.assertEqual(ran.code, TPM, ran)
        return re.search(r"TPM_RC_\w+", ran.err).group()

    def test_lockout(self):
        # Ten failures, one of them forgotten in a day.
        self.ok("submit", command(DICTIONARY_ATTACK_PARAMETERS, [LOCKOUT], words(10, 86400, 1000)))
        public = words(INDEX) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
        self.ok("submit", command(NV_DEFINE_SPACE, [OWNER], sized(b"secret") + sized(public)))
        before = self.json("lockout")
        self.assertEqual(before["users"], [])
        self.assertEqual((before["per_user"], before["total"]), (4, 9))
        self.assertEqual(before["window_seconds"], 480 * 60)
        self.assertEqual(before["tpm"], {"in_lockout": False, "counter": 0, "limit": 10, "interval_seconds": 86400,
                                         "recovery_seconds": 1000, "users_limit": 9,
                                         "users_held_back": False})
        for _ in range(4):
            self.assertEqual(self.guess(), "TPM_RC_AUTH_FAIL")
        self.assertEqual(self.guess(), "TPM_RC_LOCKOUT")

        after = self.json("lockout")
        self.assertEqual(after["tpm"]["counter"], 4)
        (entry,) = after["users"]
        self.assertEqual((entry["uid"], entry["failures"], entry["locked"]),
                         (nobody.NOBODY, 4, True))
        self.assertGreater(entry["forgotten_in_seconds"], 0)
        text = self.ok("lockout").out
        self.assertRegex(text, r"TPM's counter: +4 of 10\n")
        self.assertRegex(text, r"Lockout after: +4 failures of a user, or 9 of all users, ")
        self.assertRegex(text, r"\n\S+ +4 +locked out ")

        # The user sees itself, and may not forgive itself.
        seen = self.json("lockout", **self.as_nobody())
        self.assertEqual([user["uid"] for user in seen["users"]], [nobody.NOBODY])
        self.assertIn("TBS_E_ACCESS_DENIED", self.refused(TBS, "lockout", "--reset",
                                                          **self.as_nobody()))
        self.ok("lockout", "--reset", "--uid", "1")
        self.assertEqual(self.guess(), "TPM_RC_LOCKOUT")
        self.ok("lockout", "--reset", "--uid", str(nobody.NOBODY))
        self.assertEqual(self.json("lockout")["users"], [])
        self.assertEqual(self.guess(), "TPM_RC_AUTH_FAIL")
        self.ok("lockout", "--reset")
        self.assertEqual(self.json("lockout")["users"], [])


class Policy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-policy-")
        self.addCleanup(shutil.rmtree, self.folder)

    def rules(self, text):
        with open(os.path.join(self.folder, "10-test.conf"), "w", encoding="ascii") as file:
            file.write(text)

    def policy(self, *arguments):
        return tbsctl_test.run("policy", *arguments, "--dir", self.folder)

    def json(self, *arguments, code=OK):
        ran = self.policy(*arguments, "--json")
        self.assertEqual(ran.code, code, ran)
        return tbsctl_test.json.loads(ran.out)

    def test_check(self):
        builtin = self.json("check")
        self.assertEqual((builtin["profile"], builtin["dry_run"]), ("linux", False))
        self.rules("profile none\ndry-run yes\nblock user command GetRandom\n")
        self.assertEqual(self.json("check"), {"folder": self.folder, "rules": 1, "profile": "none",
                                              "dry_run": True})
        ran = self.policy("check")
        self.assertEqual(ran.out, f"{self.folder}: 1 rules with those of profile none, dry-run\n")
        self.rules("profile none\nblock user command NoSuchCommand\n")
        ran = self.policy("check")
        self.assertEqual((ran.code, ran.out), (FAILED, ""))
        self.assertIn("10-test.conf:2: ", ran.err)
        self.assertEqual(ran.err.count("\n"), 1)

    def test_explain(self):
        blocked = self.json("explain", "1000", "Clear", code=FAILED)
        self.assertTrue(blocked.pop("statement").startswith("block user command Clear,"), blocked)
        self.assertEqual(blocked, {"allowed": False, "ignored": False, "rule": "profile linux",
                                   "conditions": ["command Clear"], "otherwise": [],
                                   "command": "Clear", "roles": ["everybody", "user"],
                                   "dry_run": False})
        for who in (("0",), ("1000", "--admin")):
            allowed = self.json("explain", *who, "Clear")
            self.assertTrue(allowed["allowed"])
            self.assertIn("administrator", allowed["roles"])
        ran = self.policy("explain", "1000", "0x126")
        self.assertEqual(ran.code, FAILED)
        self.assertTrue(ran.out.startswith("Clear: blocked (profile linux)\nroles: "), ran)
        ran = self.policy("explain", "1000", "GetRandom")
        self.assertEqual(ran.code, OK)
        self.assertTrue(ran.out.startswith("GetRandom: allowed (no rule is about it)\n"), ran)

    def test_explain_what_is_ignored(self):
        ignored = self.json("explain", "1000", "Startup")
        self.assertFalse(ignored["allowed"])
        self.assertTrue(ignored["ignored"])
        self.assertFalse(self.json("explain", "0", "Startup")["ignored"])
        ran = self.policy("explain", "1000", "Shutdown")
        self.assertEqual(ran.code, OK)
        self.assertTrue(
            ran.out.startswith("Shutdown: ignored, tbsd answers it (profile linux)\n"), ran)

    def test_a_folder_that_was_named_must_be_there(self):
        missing = os.path.join(self.folder, "missing")
        for words in (("check",), ("explain", "1000", "Clear")):
            ran = tbsctl_test.run("policy", *words, "--dir", missing)
            self.assertEqual((ran.code, ran.out), (FAILED, ""), ran)
            self.assertIn(missing + ": No such file or directory", ran.err)

    def test_explain_by_name(self):
        for name in ("TPM2_Clear", "tpm2_cc_clear", "CLEAR"):
            self.assertEqual(self.json("explain", "root", name)["command"], "Clear")
        self.assertEqual(self.json("explain", "nobody", "TPM2_Clear", code=FAILED)["roles"],
                         ["everybody", "user"])
        self.rules("role staff = gid 0\nallow staff command Clear\n")
        self.assertIn("staff", self.json("explain", "root", "Clear")["roles"])
        self.assertTrue(self.json("explain", "nobody", "Clear", "--gid", "root")["allowed"])

    def test_explain_with_roles_and_handles(self):
        self.rules("role backup = unit backup.service\nrole staff = gid 50\n"
                   "allow backup command NV_Read nv 0x1500000-0x15000ff\n"
                   "block user command NV_Read nv 0x1500000-0x15000ff\n")
        read = ("explain", "1000", "NV_Read", "--handle", "0x1500010")
        blocked = self.json(*read, code=FAILED)
        self.assertTrue(blocked["rule"].endswith("10-test.conf:4"), blocked)
        allowed = self.json(*read, "--unit", "backup.service")
        self.assertTrue(allowed["rule"].endswith("10-test.conf:3"), allowed)
        self.assertIn("backup", allowed["roles"])
        self.assertIn("staff", self.json("explain", "1000", "NV_Read", "--gid", "50")["roles"])
        self.assertTrue(self.json("explain", "1000", "NV_Read", "--handle", "0x1500100")["allowed"])

    def test_explain_conditions(self):
        extend = ("explain", "1000", "PCR_Extend", "--handle")
        self.assertEqual(self.json(*extend, "7", code=FAILED)["conditions"],
                         ["command PCR_Extend", "pcr 7"])
        self.assertTrue(self.json(*extend, "23")["otherwise"][0].endswith("(profile linux)"))
        ran = self.policy("explain", "1000", "PolicySecret", "--hierarchy", "lockout")
        self.assertEqual(ran.code, FAILED)
        self.assertIn("\ndecided by: hierarchy lockout\n", ran.out)
        undefine = ("explain", "1000", "NV_UndefineSpace", "--owner")
        self.assertTrue(self.json(*undefine, "self")["allowed"])
        self.assertFalse(self.json(*undefine, "other", code=FAILED)["allowed"])

    def test_wrong_usage(self):
        for arguments in (("explain", "1000"), ("explain", "x", "Clear"),
                          ("explain", "1000", "NoSuchCommand"), ("check", "x"), ()):
            ran = self.policy(*arguments)
            self.assertEqual(ran.code, USAGE, (arguments, ran))


if __name__ == "__main__":
    unittest.main(verbosity=2)
