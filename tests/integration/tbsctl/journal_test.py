#!/usr/bin/env python3
"""What clients do, as it reaches the journal: entries with message ids and fields of their own
(docs/events.md), which `tbsctl events --journal` follows, and no secret in any of them.

A journal of our own stands where the system's would be, in a mount namespace that ends with the test;
that takes root. TBSD and TBSCTL in the environment name the programs."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

JOURNALD = "/lib/systemd/systemd-journald"
NEEDED = 77
SECRET = "correct-horse-battery-staple"
WRONG = "a-guess-that-is-wrong"
INDEX = 0x01500077
OWNER, LOCKOUT, PASSWORD = 0x40000001, 0x4000000A, 0x40000009
CLEAR, NV_DEFINE_SPACE, NV_READ = 0x126, 0x12A, 0x14E
PASSWORD_INDEX = 0x00040004  # TPMA_NV: AUTHREAD, AUTHWRITE

if "TBS_TEST_IN_NAMESPACE" not in os.environ:
    if os.getuid() != 0 or not os.path.exists(JOURNALD):
        print("skipped: needs root and systemd-journald")
        sys.exit(NEEDED)
    os.environ["TBS_TEST_IN_NAMESPACE"] = "1"
    try:
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              *sys.argv])
    except OSError as error:
        print("skipped: no unshare:", error)
        sys.exit(NEEDED)

import nobody  # noqa: E402
import tbsctl_test  # noqa: E402
from tbsctl_test import DEADLINE, OK, TPM  # noqa: E402


def sized(data):
    return len(data).to_bytes(2, "big") + data


def command(code, handles, password, parameters=b""):
    """A TPM command with one password, as hexadecimal digits."""
    session = PASSWORD.to_bytes(4, "big") + b"\0\0" + b"\0" + sized(password)
    body = b"".join(handle.to_bytes(4, "big") for handle in handles)
    body += len(session).to_bytes(4, "big") + session + parameters
    return (b"\x80\x02" + (10 + len(body)).to_bytes(4, "big") + code.to_bytes(4, "big") + body).hex()


def define_index(password):
    public = INDEX.to_bytes(4, "big") + b"\0\x0b" + PASSWORD_INDEX.to_bytes(4, "big") + b"\0\0\0\x08"
    return command(NV_DEFINE_SPACE, [OWNER], b"", sized(password) + sized(public))


def read_index(password):
    return command(NV_READ, [INDEX, INDEX], password, b"\0\x08\0\0")


def documented():
    """Message ids of the events by name, and the fields, as the page has them."""
    page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/events.md")
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return (dict(re.findall(r"^\| `([a-z-]+)` \| ([0-9a-f]{32}) \|", text, re.MULTILINE)),
            set(re.findall(r"`(TBS_[A-Z]+)`", text)))


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, timeout=DEADLINE)


class Journal:
    """systemd-journald, with the places it uses to itself."""

    def __init__(self):
        mount("-t", "tmpfs", "none", "/run")
        for folder in ("/run/systemd/journald.conf.d", "/run/log/journal"):
            os.makedirs(folder)
        if os.path.isdir("/var/log/journal"):
            mount("-t", "tmpfs", "none", "/var/log/journal")
        with open("/run/systemd/journald.conf.d/test.conf", "w", encoding="ascii") as file:
            file.write("[Journal]\nStorage=volatile\nReadKMsg=no\nAudit=no\n"
                       "ForwardToConsole=no\nForwardToWall=no\nRateLimitBurst=0\n")
        self.process = subprocess.Popen([JOURNALD], stderr=subprocess.DEVNULL)
        end = time.monotonic() + DEADLINE
        while not self._listens() and time.monotonic() < end:
            time.sleep(0.02)

    @staticmethod
    def _listens():
        probe = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            probe.connect("/run/systemd/journal/socket")
            return True
        except OSError:
            return False
        finally:
            probe.close()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)


class Events(tbsctl_test.WithDaemon):
    @classmethod
    def setUpClass(cls):
        cls.journal = Journal()
        cls.addClassCleanup(cls.journal.stop)
        # As the service manager says that standard error goes to the journal.
        os.environ["JOURNAL_STREAM"] = "1:1"
        super().setUpClass()

    def follow(self, *options):
        follower = subprocess.Popen([tbsctl_test.TBSCTL, *options, "events", "--journal"],
                                    stdout=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait, DEADLINE)
        self.addCleanup(follower.kill)
        return follower

    def test_events_reach_the_journal_with_their_fields(self):
        user = nobody.options(self.daemon.folder)
        follower = self.follow("--json")
        self.ok("submit", define_index(SECRET.encode()))
        self.assertEqual(self.tbsctl("submit", command(CLEAR, [LOCKOUT], b""), **user).code, TPM)
        guess = read_index(WRONG.encode())
        for _ in range(4):
            self.assertEqual(self.tbsctl("submit", guess, **user).code, TPM)
        self.assertEqual(self.tbsctl("submit", read_index(SECRET.encode())).code, TPM)  # not written
        broken = socket.socket(socket.AF_UNIX)
        broken.connect(self.daemon.socket)
        broken.sendall(b"\xff" * 64)
        broken.close()

        message_ids, fields = documented()
        seen = {}
        end = time.monotonic() + DEADLINE
        while {"blocked", "lockout", "state-changed", "refused"} - seen.keys():
            self.assertLess(time.monotonic(), end, seen.keys())
            entry = json.loads(follower.stdout.readline())
            seen.setdefault(entry["TBS_EVENT"], entry)
            self.assertEqual(entry["MESSAGE_ID"], message_ids[entry["TBS_EVENT"]])
            self.assertEqual(entry["SYSLOG_IDENTIFIER"], "tbsd")
            self.assertLessEqual({name for name in entry if name.startswith("TBS_")}, fields)
            self.assertEqual(int(entry["_PID"]), self.daemon.process.pid)
        for event in ("blocked", "lockout"):
            self.assertEqual(seen[event]["TBS_UID"], str(nobody.NOBODY))
            self.assertEqual(seen[event]["TBS_PROGRAM"], "tbsctl")
            self.assertGreater(int(seen[event]["TBS_PID"]), 0)
            self.assertGreater(int(seen[event]["TBS_CONTEXT"]), 0)
        self.assertEqual(seen["blocked"]["TBS_COMMAND"], "0x126")
        self.assertEqual(seen["blocked"]["TBS_RULE"], "profile linux")
        self.assertIn("Clear of tbsctl", seen["blocked"]["MESSAGE"])
        self.assertEqual(seen["lockout"]["TBS_COMMAND"], "0x14e")
        self.assertEqual(seen["state-changed"]["TBS_UID"], "0")
        self.assertEqual(seen["state-changed"]["TBS_COMMAND"], "0x12a")
        self.assertEqual(seen["blocked"]["PRIORITY"], "4")
        self.assertEqual(seen["state-changed"]["PRIORITY"], "6")

        for form in ("export", "json", "verbose"):
            everything = subprocess.run(["journalctl", "--no-pager", "--output=" + form],
                                        stdout=subprocess.PIPE, check=True, timeout=DEADLINE).stdout
            self.assertIn(b"profile linux", everything)
            for secret in (SECRET, WRONG):
                # Neither as it is, nor in digits. (Journald knows the command lines of clients only
                # where they log themselves.)
                self.assertNotIn(secret.encode(), everything)
                self.assertNotIn(secret.encode().hex().encode(), everything.lower())

    def test_events_for_people(self):
        follower = self.follow()
        self.tbsctl("submit", command(CLEAR, [LOCKOUT], b""),
                    **nobody.options(self.daemon.folder))
        end = time.monotonic() + DEADLINE
        while "was blocked by a rule" not in follower.stdout.readline():
            self.assertLess(time.monotonic(), end)


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
