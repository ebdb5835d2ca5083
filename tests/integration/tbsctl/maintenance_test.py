#!/usr/bin/env python3
"""tbsctl maintenance: a program has the TPM alone, and everybody has it back whatever becomes of the program. The TPM is
a swtpm, which serves one connection at a time, behind a relay that writes down what reaches it.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../metrics")]
import support  # noqa: E402
import wire  # noqa: E402

TBSCTL = os.environ["TBSCTL"]
USAGE, TBS = 2, 4
TIME_OVER = 124
SERVICE_START_PENDING = 0x8028400B
OTHERS, ALONE = 16, 7  # bytes of random numbers that are asked for

# Talks to the TPM itself: writes a file when it has begun, and takes its time.
PROGRAM = """
import socket, struct, sys, time
tpm = socket.socket(socket.AF_UNIX)
tpm.connect(sys.argv[1])
for i in range(int(sys.argv[2])):
    tpm.sendall(struct.pack(">HIIH", 0x8001, 12, 0x17B, %d))
    assert tpm.recv(4096)[6:10] == bytes(4)
    time.sleep(0.005)
sys.exit(3)
""" % ALONE


class Maintenance(unittest.TestCase):
    def setUp(self):
        self.folder = support.folder_of(self)
        self.seen = []
        relay = support.Relay(self, self.folder, support.Swtpm(self, self.folder), self.saw)
        self.tpm = relay.path
        self.daemon = support.Daemon(self, "swtpm:path=" + self.tpm, folder=self.folder, metrics=False)
        self.socket = self.daemon.admin_socket if os.getuid() == 0 else self.daemon.socket

    def saw(self, command, response):
        if struct.unpack(">I", command[6:10])[0] == 0x17B:
            self.seen.append(struct.unpack(">H", command[10:12])[0])
        else:
            self.seen.append(0)

    def tbsctl(self, *arguments, **options):
        return subprocess.Popen([TBSCTL, "--socket", self.socket, *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", **options)

    def run_tbsctl(self, *arguments):
        process = self.tbsctl(*arguments)
        out, err = process.communicate(timeout=support.DEADLINE)
        return process.returncode, out, err

    def status(self):
        return json.loads(self.run_tbsctl("--json", "status")[1])

    def is_ready(self):
        return self.status()["device_state"] == "ready"

    def test_a_program_has_the_tpm_alone_and_clients_wait(self):
        stop = threading.Event()
        done = []

        def work():
            client = self.daemon.client()
            while not stop.is_set():
                client.begin(wire.get_random(OTHERS))
                done.append(client.result()[1])
            client.close()

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        self.assertTrue(support.eventually(lambda: len(done) > 100))
        code, _, err = self.run_tbsctl("maintenance", "--for", "2m", "--clients-wait", "2m", "--", sys.executable, "-c",
                                       PROGRAM, self.tpm, "100")
        before = len(done)
        self.assertTrue(support.eventually(lambda: len(done) > before + 100))
        stop.set()
        for worker in workers:
            worker.join()
        self.assertEqual((code, err), (3, ""))
        self.assertEqual(set(done), {wire.SUCCESS})
        first = self.seen.index(ALONE)
        self.assertEqual(self.seen[first:first + 100], [ALONE] * 100, "somebody else was on the TPM")
        self.assertNotIn(ALONE, self.seen[first + 100:])

    def test_what_clients_have_is_there_afterwards(self):
        client = self.daemon.client()
        client.begin(wire.hash_sequence_start())
        _, status, response = client.result()
        self.assertEqual((status, response[6:10]), (wire.SUCCESS, bytes(4)))
        self.assertEqual(self.run_tbsctl("maintenance", "--for", "60", "true")[0], 0)
        client.begin(struct.pack(">HII", 0x8002, 33, 0x13E) + response[10:14] +
                     struct.pack(">IIHBHHI", 9, 0x40000009, 0, 0, 0, 0, 0x40000007))
        _, status, response = client.result()
        self.assertEqual((status, response[6:10].hex()), (wire.SUCCESS, "00000000"))
        client.close()

    def test_a_program_that_never_ends_is_ended(self):
        begun = time.monotonic()
        code, _, err = self.run_tbsctl("maintenance", "--for", "1s", "--", "sleep", "1000")
        self.assertEqual(code, TIME_OVER, err)
        self.assertIn("sleep was ended after 1 s", err)
        self.assertLess(time.monotonic() - begun, support.DEADLINE)
        self.assertTrue(support.eventually(self.is_ready))

    def test_the_tpm_is_back_when_tbsctl_is_killed(self):
        started = os.path.join(self.folder, "started")
        process = self.tbsctl("maintenance", "--for", "1h", "--", "sh", "-c", f"echo $$ >{started}; exec sleep 1000")
        self.assertTrue(support.eventually(lambda: os.path.exists(started) and os.path.getsize(started) > 0))
        self.assertFalse(self.is_ready())
        process.kill()
        self.assertTrue(support.eventually(self.is_ready))
        with open(started, encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGKILL)
        process.communicate()

    def test_a_signal_reaches_the_program(self):
        started = os.path.join(self.folder, "started")
        process = self.tbsctl("maintenance", "--for", "1h", "--", "sh", "-c", f"trap 'exit 9' TERM; echo >{started}; "
                              "while :; do sleep 0.1; done")
        self.assertTrue(support.eventually(lambda: os.path.exists(started)))
        process.terminate()
        process.communicate(timeout=support.DEADLINE)
        self.assertEqual(process.returncode, 9)
        self.assertTrue(support.eventually(self.is_ready))

    def test_on_and_off(self):
        client = self.daemon.client()
        code, _, err = self.run_tbsctl("maintenance", "on", "--for", "1h", "--clients-wait", "0")
        self.assertEqual((code, err), (0, "the TPM is free for 3600 s; `tbsctl maintenance off` gives it back\n"))
        status = self.status()
        self.assertEqual(status["device_state"], "down")
        code, _, err = self.run_tbsctl("health")
        self.assertEqual(code, 2)
        client.begin(wire.get_random(OTHERS))
        self.assertEqual(client.result()[1], SERVICE_START_PENDING)
        code, _, err = self.run_tbsctl("maintenance", "--for", "10", "true")
        self.assertEqual(code, TBS)
        self.assertIn("another program has it", err)
        with support.connect(self.tpm) as tpm:
            tpm.sendall(wire.get_random(ALONE))
            self.assertEqual(tpm.recv(4096)[6:10], bytes(4))
        self.assertEqual(self.run_tbsctl("maintenance", "off")[0], 0)
        self.assertTrue(support.eventually(self.is_ready))
        client.begin(wire.get_random(OTHERS))
        self.assertEqual(client.result()[1], wire.SUCCESS)
        client.close()
        self.assertIn("is to have the TPM alone", self.daemon.text_of_log())

    def restart(self):
        before = self.daemon.text_of_log().count("going on where")
        self.assertEqual(self.run_tbsctl("restart")[0], 0)
        self.assertTrue(support.eventually(lambda: self.daemon.text_of_log().count("going on where") > before))

    def test_a_program_keeps_the_tpm_over_a_restart_of_tbsd(self):
        go_on = os.path.join(self.folder, "go")
        process = self.tbsctl("maintenance", "--for", "1h", "--clients-wait", "1h", "--", "sh", "-c",
                              f"echo >{go_on}.begun; while [ ! -e {go_on} ]; do sleep 0.05; done; exit 7")
        self.assertTrue(support.eventually(lambda: os.path.exists(go_on + ".begun")))
        client = self.daemon.client()
        client.begin(wire.get_random(OTHERS))
        before = len(self.seen)
        for _ in range(3):
            self.restart()
            status = self.status()
            self.assertEqual(status["device_state"], "down")
            self.assertIn("has the TPM alone", json.dumps(status))
        with support.connect(self.tpm) as tpm:
            tpm.sendall(wire.get_random(ALONE))
            self.assertEqual(tpm.recv(4096)[6:10], bytes(4))
        self.assertEqual(self.seen[before:], [ALONE], "somebody else was on the TPM")
        with open(go_on, "x", encoding="ascii"):
            pass
        process.communicate(timeout=support.DEADLINE)
        self.assertEqual(process.returncode, 7)
        self.assertEqual(client.result()[1], wire.SUCCESS)
        client.close()
        self.assertTrue(support.eventually(self.is_ready))

    def test_on_holds_over_a_restart_until_off_or_its_time(self):
        for end in ("off", "time"):
            self.assertEqual(self.run_tbsctl("maintenance", "on", "--for", "1h" if end == "off" else "2")[0], 0)
            self.restart()
            if end == "off":
                self.assertFalse(self.is_ready())
                self.assertEqual(self.run_tbsctl("maintenance", "off")[0], 0)
            self.assertTrue(support.eventually(self.is_ready))
            client = self.daemon.client()
            client.begin(wire.get_random(OTHERS))
            self.assertEqual(client.result()[1], wire.SUCCESS)
            client.close()

    def test_the_log_says_that_tbsd_stops(self):
        self.assertEqual(self.run_tbsctl("maintenance", "on", "--for", "1h")[0], 0)
        self.daemon.stop()
        self.assertIn("the TPM is the daemon's again: tbsd stops", self.daemon.text_of_log())
        self.assertEqual(self.daemon.process.returncode, 0)

    def test_on_ends_by_itself(self):
        self.assertEqual(self.run_tbsctl("maintenance", "on", "--for", "1")[0], 0)
        self.assertTrue(support.eventually(self.is_ready))

    def test_a_program_that_is_not_there(self):
        code, _, err = self.run_tbsctl("maintenance", "--for", "10", "--", os.path.join(self.folder, "no"))
        self.assertEqual(code, 127)
        self.assertIn("No such file", err)
        self.assertTrue(support.eventually(self.is_ready))

    def test_wrong_usage(self):
        for arguments in (("true",), ("--for", "0", "true"), ("--for", "2d", "true"), ("--for", "24h", "true"),
                          ("--for", "10", "off"), ("--for", "10")):
            self.assertEqual(self.run_tbsctl("maintenance", *arguments)[0], USAGE, arguments)
        self.assertEqual(self.run_tbsctl("--json", "maintenance", "--for", "10", "true")[0], USAGE)
        self.assertEqual(self.seen.count(ALONE), 0)

    @unittest.skipUnless(os.getuid() == 0, "it takes another user")
    def test_not_for_users(self):
        process = subprocess.run([TBSCTL, "--socket", self.daemon.socket, "maintenance", "--for", "10", "true"],
                                 capture_output=True, encoding="utf-8", check=False, timeout=support.DEADLINE)
        self.assertEqual(process.returncode, TBS)
        self.assertIn("TBS_E_ACCESS_DENIED", process.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
