#!/usr/bin/env python3
"""What has happened, over the socket (docs/events.md): who is told what, by a daemon that was started by hand
and over its restart.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

import nobody
import tbsctl_test
from tbsctl_test import DEADLINE, OK, TPM, USAGE

PASSWORD = 0x40000009
OWNER, LOCKOUT = 0x40000001, 0x4000000A
CLEAR, NV_DEFINE_SPACE, PCR_EXTEND, NV_WRITE = 0x126, 0x12A, 0x182, 0x137
FIRST_INDEX = 0x01500079
DEBUG_PCR = 16
NEEDS_ROOT = unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
EVENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/events.md")


def words(*values):
    return b"".join(value.to_bytes(4, "big") for value in values)


def sized(data):
    return len(data).to_bytes(2, "big") + data


def command(code, handles, parameters=b""):
    """A TPM command with the empty password, as hexadecimal digits."""
    body = words(*handles) + words(9, PASSWORD) + bytes(5) + parameters
    return (b"\x80\x02" + words(10 + len(body), code) + body).hex()


def documented_fields():
    with open(EVENTS, encoding="utf-8") as file:
        table = file.read().partition("`tbsctl --json events`")[2].split("\n\n")[1]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z]+)`", row.split("|")[1])}


class Events(tbsctl_test.WithDaemon):
    def events(self, *arguments, **options):
        ran = self.tbsctl("--json", "events", *arguments, **options)
        self.assertEqual(ran.code, OK, ran)
        return [json.loads(line) for line in ran.out.splitlines()]

    def cause_some(self, index):
        user = nobody.options(self.daemon.folder)
        self.assertEqual(self.tbsctl("submit", command(CLEAR, [LOCKOUT]), **user).code, TPM)  # blocked
        public = words(index) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
        self.ok("submit", command(NV_DEFINE_SPACE, [OWNER], sized(b"") + sized(public)))
        self.ok("submit", command(NV_WRITE, [index, index], sized(bytes(8)) + bytes(2)))
        digests = b"\0\0\0\x01\0\x0b" + bytes(32)
        self.ok("submit", command(PCR_EXTEND, [DEBUG_PCR], digests))

    @NEEDS_ROOT
    def test_an_administrator_sees_all_and_others_their_own(self):
        self.cause_some(FIRST_INDEX)
        seen = {event["event"]: event for event in self.events()}
        self.assertLessEqual({"device-ready", "blocked", "state-changed", "nv-written", "pcr-changed"}, seen.keys())
        for event in seen.values():
            self.assertEqual(set(event), documented_fields())
        self.assertEqual(seen["blocked"]["uid"], nobody.NOBODY)
        self.assertEqual(seen["blocked"]["command"], {"code": CLEAR, "name": "Clear"})
        self.assertEqual(seen["blocked"]["rule"], "profile linux")
        self.assertEqual(seen["blocked"]["severity"], "warning")
        self.assertIn(f"PCR {DEBUG_PCR}", seen["pcr-changed"]["text"])
        self.assertIn(f"{FIRST_INDEX:#x}", seen["nv-written"]["text"])
        self.assertIsNone(seen["device-ready"]["uid"])
        numbers = [event["number"] for event in self.events()]
        self.assertEqual(numbers, sorted(set(numbers)))
        self.assertRegex(seen["blocked"]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

        own = self.events(**nobody.options(self.daemon.folder))
        self.assertIn("blocked", [event["event"] for event in own])
        self.assertEqual({event["uid"] for event in own}, {nobody.NOBODY})

    @NEEDS_ROOT
    def test_some_by_name_and_for_people(self):
        self.cause_some(FIRST_INDEX + 1)
        ran = self.ok("events", "--event", "blocked", "--event", "state-changed", "--utc")
        self.assertGreaterEqual(len(ran.out.splitlines()), 2)
        for line in ran.out.splitlines():
            self.assertRegex(line, r"^[0-9T:.-]+Z  (blocked|state-changed): ")
        refused = self.tbsctl("events", "--event", "party")
        self.assertEqual(refused.code, USAGE)
        self.assertIn("device-lost", refused.err)

    def test_who_follows_is_told_at_once_and_over_a_restart(self):
        follower = subprocess.Popen(
            [tbsctl_test.TBSCTL, "--socket", self.daemon.socket_for({}), "--json", "events", "--follow"],
            stdout=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(follower.wait, DEADLINE)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.kill)

        def told(name):
            while True:
                line = follower.stdout.readline()
                self.assertNotEqual(line, "", "tbsctl ended")
                event = json.loads(line)
                if event["event"] == name:
                    return event

        told("device-ready")
        digests = b"\0\0\0\x01\0\x0b" + bytes(32)
        self.ok("submit", command(PCR_EXTEND, [DEBUG_PCR], digests))
        told("pcr-changed")
        self.daemon.process.send_signal(signal.SIGUSR2)
        self.assertIn("going on", told("went-on")["text"])
        self.ok("submit", command(PCR_EXTEND, [DEBUG_PCR], digests))
        told("pcr-changed")


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
