#!/usr/bin/env python3
"""What clients and the TPM say to each other, recorded by `tbsctl capture`: Wireshark takes every frame
apart, secrets are not in it unless asked for, and only administrators may.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import shutil
import struct
import subprocess
import threading
import unittest

import nobody
import tbsctl_test
import wire
from tbsctl_test import DEADLINE, OK, TBS

PASSWORD, OWNER = 0x40000009, 0x40000001
NV_DEFINE_SPACE, NV_UNDEFINE_SPACE, NV_READ_PUBLIC = 0x12A, 0x122, 0x169
INDEX = 0x0150007A
SECRET = b"correct-horse-battery-staple"
CLIENTS, ROUNDS = 8, 25
NEEDS_ROOT = unittest.skipUnless(os.getuid() == 0, "needs root to be an administrator")
NEEDS_TSHARK = unittest.skipUnless(shutil.which("tshark"), "needs tshark")


def words(*values):
    return b"".join(value.to_bytes(4, "big") for value in values)


def sized(data):
    return len(data).to_bytes(2, "big") + data


def command(code, handles, parameters=b"", password=b""):
    session = words(PASSWORD) + b"\0\0\0" + sized(password)
    body = words(*handles) + words(len(session)) + session + parameters
    return b"\x80\x02" + words(10 + len(body), code) + body


def define_index(password):
    public = words(INDEX) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
    return command(NV_DEFINE_SPACE, [OWNER], sized(password) + sized(public))


def plain(code, *rest):
    body = b"".join(rest)
    return b"\x80\x01" + words(10 + len(body), code) + body


class Capture(tbsctl_test.WithDaemon):
    def capture(self, *options):
        """Runs it in the background, and returns when it has begun."""
        before = self.captures()
        process = subprocess.Popen(
            [tbsctl_test.TBSCTL, "--socket", self.daemon.socket_for({}), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.kill)
        self.wait_until(lambda: self.captures() > before)
        return process

    def captures(self):
        return len(self.ok("events", "--event", "capture").out.splitlines())

    def run_commands(self, commands):
        client = self.client()
        for each in commands:
            client.begin(each)
            self.assertEqual(client.result()[1], wire.SUCCESS)

    @NEEDS_ROOT
    @NEEDS_TSHARK
    def test_wireshark_takes_every_frame_apart(self):
        path = os.path.join(self.daemon.folder, "eight.pcapng")
        commands = [plain(0x17B, struct.pack(">H", 16)), plain(0x17A, words(6, 0x100, 8)),
                    plain(0x17E, words(1), b"\0\x0b\x03\x01\0\0")]
        commands = [commands[i % 3] for i in range(ROUNDS)]
        process = self.capture("capture", "-w", path, "--count", str(CLIENTS * ROUNDS))
        threads = [threading.Thread(target=self.run_commands, args=(commands,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        _, said = process.communicate(timeout=DEADLINE)
        self.assertEqual((process.returncode, said), (OK, b""))
        self.assertEqual(os.stat(path).st_mode & 0o077, 0)

        frames = self.tshark(path)
        self.assertEqual(len(frames), 2 * CLIENTS * ROUNDS)
        streams = set()
        for request, response in zip(frames[::2], frames[1::2]):
            self.assertEqual(request["tcp.dstport"], "2321")
            self.assertEqual(response["tcp.dstport"], request["tcp.srcport"])
            self.assertIn("TPM", request["protocols"])
            self.assertEqual(response["code"], "0x00000000")
            streams.add(request["tcp.stream"])
            for frame in (request, response):
                self.assertEqual(frame["malformed"], "", frame)
        self.assertEqual(len(streams), CLIENTS)
        for stream in streams:
            asked = [frame["command"] for frame in frames[::2] if frame["tcp.stream"] == stream]
            self.assertEqual([int(code, 16) for code in asked],
                             [int.from_bytes(each[6:10], "big") for each in commands])

    def tshark(self, path):
        names = {"tcp.dstport": "tcp.dstport", "tcp.srcport": "tcp.srcport", "tcp.stream": "tcp.stream",
                 "protocols": "_ws.col.Protocol", "malformed": "_ws.malformed", "command": "tpm.req.cc",
                 "code": "tpm.resp.rc"}
        ran = subprocess.run(["tshark", "-r", path, "-T", "fields", "-E", "separator=|",
                              *(word for field in names.values() for word in ("-e", field))],
                             capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True,
                             env={**os.environ, "HOME": self.daemon.folder})
        return [dict(zip(names, line.split("|"), strict=True)) for line in ran.stdout.splitlines()]

    @NEEDS_ROOT
    def test_secrets_are_masked_unless_asked_for(self):
        for options, there in ((), False), (("--secrets",), True):
            path = os.path.join(self.daemon.folder, "secrets.pcapng")
            process = self.capture("capture", "-w", path, "--count", "3", *options)
            self.run_commands([define_index(SECRET), plain(NV_READ_PUBLIC, words(INDEX)),
                               command(NV_UNDEFINE_SPACE, [OWNER, INDEX])])
            process.communicate(timeout=DEADLINE)
            self.assertEqual(process.returncode, OK)
            with open(path, "rb") as file:
                captured = file.read()
            self.assertEqual(SECRET in captured, there)
            # What is none stays.
            self.assertIn(words(INDEX) + b"\0\x0b" + words(0x00040004), captured)

    @NEEDS_ROOT
    def test_one_context_as_json(self):
        one, other = self.client(), self.client()
        process = self.capture("--json", "capture", "--context", str(one.number), "--count", "2")
        for client in (other, one, other, one, other):
            client.begin(wire.get_random(8))
            self.assertEqual(client.result()[1], wire.SUCCESS)
        out, _ = process.communicate(timeout=DEADLINE)
        exchanges = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([exchange["context"] for exchange in exchanges], [one.number] * 2)
        for exchange in exchanges:
            self.assertEqual(exchange["command"]["name"], "GetRandom")
            self.assertEqual(exchange["command"]["hex"], wire.get_random(8).hex())
            self.assertEqual(exchange["outcome"], "TPM_RC_SUCCESS")
            self.assertEqual(exchange["pid"], os.getpid())
            # The random numbers are not for a log.
            self.assertTrue(exchange["response"]["hex"].endswith("0008" + "00" * 8))

    @NEEDS_ROOT
    def test_others_may_not(self):
        said = self.refused(TBS, "capture", "--count", "1", **nobody.options(self.daemon.folder))
        self.assertIn("administrators", said)
        self.assertIn("a capture", self.ok("events", "--event", "denied").out)


if __name__ == "__main__":
    unittest.main(verbosity=2)
