#!/usr/bin/env python3
"""tbsctl against the real tbsd on an embedded TPM: every subcommand, its output for people and as
JSON, its exit codes, and who may cancel what.

TBSD and TBSCTL in the environment name the programs."""

import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import nobody
import wire

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from listening import listens  # noqa: E402

TBSD = os.environ["TBSD"]
TBSCTL = os.environ["TBSCTL"]
DEADLINE = 60  # against hanging only
NOBODY = nobody.NOBODY
GET_RANDOM_16 = "80010000000c0000017b0010"

OK, FAILED, USAGE, UNREACHABLE, TBS, TPM = range(6)


class Daemon:
    """A tbsd of our own in a folder of its own, which other users can enter."""

    def __init__(self, device, wait=True, arguments=()):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-test-")
        os.chmod(self.folder, 0o755)
        self.socket = os.path.join(self.folder, "tbsd.sock")
        self.admin_socket = os.path.join(self.folder, "admin.sock")
        if not any(argument.startswith("--state-dir") for argument in arguments):
            arguments = (*arguments, "--state-dir", self.folder)
        self.log = open(os.path.join(self.folder, "log"), "w+b")
        self.command = [TBSD, "--config", "/dev/null", "--device", device, "--socket", self.socket,
                        *arguments]
        self.start()
        if wait:
            wire.Client(self.socket).close()  # answered when the TPM has been started

    def start(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        self._wait_for_socket()

    def _wait_for_socket(self):
        end = time.monotonic() + DEADLINE
        while not listens(self.socket):
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                raise RuntimeError("tbsd did not start: " + self.log.read().decode())
            time.sleep(0.02)

    def socket_for(self, options):
        """What tbsctl would take in the daemon's usual folder: root's, unless it runs as another."""
        return self.admin_socket if os.getuid() == 0 and not options.get("prefix") else self.socket

    def end(self, how=signal.SIGTERM):
        """Its folder stays, and start() begins anew."""
        if self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(DEADLINE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self, how=signal.SIGTERM):
        self.end(how)
        self.log.close()
        shutil.rmtree(self.folder)


class Ran:
    def __init__(self, completed):
        self.code = completed.returncode
        self.bytes = completed.stdout
        self.out = completed.stdout.decode("utf-8", "replace")
        self.err = completed.stderr.decode("utf-8", "replace")

    def __str__(self):
        return f"exit code {self.code}, output {self.out!r}, errors {self.err!r}"


def run(*arguments, socket=None, stdin=b"", program=TBSCTL, prefix=(), stdout=subprocess.PIPE):
    environment = {k: v for k, v in os.environ.items() if k != "TBS_SOCKET"}
    if socket:
        environment["TBS_SOCKET"] = socket
    completed = subprocess.run([*prefix, program, *arguments], input=stdin, stdout=stdout,
                               stderr=subprocess.PIPE, env=environment, timeout=DEADLINE,
                               check=False)
    if completed.stdout is None:
        completed.stdout = b""
    return Ran(completed)


class WithDaemon(unittest.TestCase):
    DEVICE = "embedded"

    @classmethod
    def setUpClass(cls):
        cls.daemon = Daemon(cls.DEVICE)
        cls.addClassCleanup(cls.daemon.stop)

    def tbsctl(self, *arguments, **options):
        return run(*arguments, socket=self.daemon.socket_for(options), **options)

    def client(self, **options):
        client = wire.Client(self.daemon.socket_for({}), **options)
        self.addCleanup(client.close)
        self.assertEqual(client.status, wire.SUCCESS)
        return client

    def ok(self, *arguments, **options):
        ran = self.tbsctl(*arguments, **options)
        self.assertEqual(ran.code, OK, ran)
        return ran

    def json(self, *arguments, **options):
        return json.loads(self.ok("--json", *arguments, **options).out)

    def refused(self, code, *arguments, **options):
        """The one line that says why it failed."""
        ran = self.tbsctl(*arguments, **options)
        self.assertEqual(ran.code, code, ran)
        self.assertTrue(ran.err.startswith("tbsctl: "), ran)
        self.assertEqual(ran.err.count("\n"), 1, ran)
        return ran.err

    def entry_of(self, client):
        entries = [e for e in self.json("contexts") if e["context"] == client.number]
        self.assertEqual(len(entries), 1)
        return entries[0]

    def wait_until(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            self.assertLess(time.monotonic(), end, "waited for in vain")
            time.sleep(0.01)


class Showing(WithDaemon):
    def test_info(self):
        self.assertRegex(self.ok("info").out, r"TPM version: +2\.0\n")
        info = self.json("info")
        self.assertEqual(info["tpm_version"], "2.0")
        self.assertEqual(info["interface"], "emulator")
        self.assertEqual(info["device"], "embedded")
        self.assertGreaterEqual(info["max_command"], 1024)
        self.assertRegex(info["firmware"], r"^\d+\.\d+\.\d+\.\d+$")
        self.assertEqual(info["vendor_string"], "SW   TPM")
        self.assertEqual(info["pcr_banks"]["sha256"], list(range(24)))
        self.assertRegex(self.ok("info").out, r"PCR banks: .*sha256 \(24 PCRs\)")

    def test_status(self):
        self.client()
        self.assertRegex(self.ok("status").out, r"Device: +embedded \(ready\)\n")
        before = self.json("status")
        self.assertEqual(before["device_state"], "ready")
        self.assertGreaterEqual(before["contexts"], 1)
        self.ok("random", "8")
        after = self.json("status")
        self.assertEqual(after["commands"], before["commands"] + 1)
        self.assertGreater(after["transmitted"], before["transmitted"])
        self.assertGreater(after["uptime_us"], before["uptime_us"])

    def test_contexts(self):
        client = self.client()
        client.begin(wire.get_random(8), priority=300)
        client.result()
        entry = self.entry_of(client)
        self.assertEqual(entry["uid"], os.getuid())
        self.assertEqual(entry["user"], pwd.getpwuid(os.getuid()).pw_name)
        self.assertEqual(entry["pid"], os.getpid())
        self.assertEqual(entry["priority"], 300)
        self.assertEqual(entry["submitted"], 1)
        self.assertEqual(entry["queued"], 0)
        self.assertEqual(entry["state"], "idle")
        self.assertIsNone(entry["command"])
        table = self.ok("contexts").out.splitlines()
        self.assertEqual(table[0].split()[:4], ["CONTEXT", "USER", "PID", "PROGRAM"])
        row = next(line for line in table if line.split()[0] == str(client.number))
        self.assertIn(" high ", row)

    def test_contexts_in_another_order(self):
        few, many = self.client(), self.client()
        for client, count in ((few, 1), (many, 3)):
            for _ in range(count):
                client.begin(wire.get_random(4))
                client.result()
        listed = [e["context"] for e in self.json("contexts", "--sort", "submitted")]
        self.assertLess(listed.index(many.number), listed.index(few.number))
        listed = [e["context"] for e in self.json("contexts", "--sort", "context")]
        self.assertEqual(listed, sorted(listed))
        self.assertIn("none of context, user, pid", self.refused(USAGE, "contexts", "--sort", "colour"))

    def test_what_one_context_holds(self):
        client = self.client()
        self.assertEqual(self.json("contexts", str(client.number))["holds"], [])
        client.begin(wire.hash_sequence_start())
        client.begin(wire.start_session())
        sequence = int.from_bytes(client.result()[2][10:14], "big")
        session = int.from_bytes(client.result()[2][10:14], "big")
        held = self.json("contexts", str(client.number))
        self.assertEqual((held["context"], held["pid"], held["more"]), (client.number, os.getpid(), False))
        self.assertEqual([(h["handle"], h["kind"], h["saved"]) for h in held["holds"]],
                         [(sequence, "sequence", False), (session, "session", False)])
        # The idle TPM is left to others: both are evicted.
        self.wait_until(lambda: not any(h["loaded"] for h in self.json("contexts", str(client.number))["holds"]))
        text = self.ok("contexts", str(client.number)).out
        self.assertRegex(text, r"(?m)^Holds: +2$")
        self.assertRegex(text, rf"(?m)^0x{sequence:08X}  sequence  evicted$")
        self.assertIn("there is none", self.refused(TBS, "contexts", "4000000000"))

    @unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
    def test_what_another_users_context_holds_is_not_told(self):
        client = self.client()
        self.assertIn("another user", self.refused(TBS, "contexts", str(client.number),
                                                   **nobody.options(self.daemon.folder)))

    def test_a_listing_of_several_pages(self):
        clients = [self.client() for _ in range(140)]
        listed = [e["context"] for e in self.json("contexts")]
        self.assertEqual(listed, sorted(listed))
        self.assertTrue({c.number for c in clients} <= set(listed))

    def test_a_program_name_does_not_steer_the_terminal(self):
        prctl = ctypes.CDLL(None).prctl
        with open("/proc/self/comm", "rb") as file:
            name = file.read().strip()
        self.addCleanup(prctl, 15, name, 0, 0, 0)  # PR_SET_NAME
        prctl(15, b"a\x1b[31m\xff\nb", 0, 0, 0)
        client = self.client()
        table = self.ok("contexts")
        self.assertNotIn(b"\x1b", table.bytes)
        self.assertNotIn(b"\xff", table.bytes)
        self.assertIsInstance(self.entry_of(client)["program"], str)


class Sending(WithDaemon):
    def test_random(self):
        for count in (1, 64, 65, 1000):
            ran = self.ok("random", str(count))
            self.assertRegex(ran.out, "^[0-9a-f]{%d}\n$" % (2 * count))
            self.assertEqual(ran.err, "")
        self.assertEqual(len(self.ok("random", "333", "--raw").bytes), 333)
        self.assertEqual(len(bytes.fromhex(self.json("random", "100")["random"])), 100)
        self.assertNotEqual(self.ok("random", "16").out, self.ok("random", "16").out)

    def test_submit_takes_the_command_from_everywhere(self):
        command = bytes.fromhex(GET_RANDOM_16)
        binary = os.path.join(self.daemon.folder, "command.bin")
        text = os.path.join(self.daemon.folder, "command.txt")
        with open(binary, "wb") as file:
            file.write(command)
        with open(text, "w", encoding="ascii") as file:
            file.write("80 01  00:00:00:0c\n0x0000017b, 0010\n")
        for ran in (self.ok("submit", GET_RANDOM_16), self.ok("submit", "-f", binary),
                    self.ok("submit", "--file", text), self.ok("submit", "-", stdin=command),
                    self.ok("submit", "-f", "-", stdin=GET_RANDOM_16.encode()),
                    self.ok("submit", "80:01", "0x0000000c", "0000017b 0010", "--priority", "low")):
            self.assertRegex(ran.out, "^80010000001c000000000010[0-9a-f]{32}\n$")
            self.assertIn("TPM_RC_SUCCESS", ran.err)
        raw = self.ok("submit", "--raw", GET_RANDOM_16).bytes
        self.assertEqual(len(raw), 28)
        self.assertEqual(raw[:2], b"\x80\x01")
        document = self.json("submit", GET_RANDOM_16)
        self.assertEqual(document["response_code"], 0)
        self.assertEqual(document["name"], "TPM_RC_SUCCESS")

    def test_an_error_of_the_tpm_is_told_in_words(self):
        ran = self.tbsctl("submit", "80010000000c000001fe0010")
        self.assertEqual(ran.code, TPM, ran)
        self.assertIn("TPM_RC_COMMAND_CODE (0x", ran.err)
        self.assertEqual(len(bytes.fromhex(ran.out)), 10)
        # TPM2_ReadPublic of a handle that is none.
        ran = self.tbsctl("--json", "submit", "80010000000e0000017380ffffff")
        self.assertEqual(ran.code, TPM, ran)
        self.assertNotEqual(json.loads(ran.out)["response_code"], 0)

    def test_a_refusal_of_tbsd_is_told_with_its_code(self):
        error = self.refused(TBS, "submit", GET_RANDOM_16, "--locality", "9")
        self.assertIn("TBS_E_BAD_PARAMETER, 0x80284002", error)
        too_large = "8001" + "00002000" + "0000017d" + "00" * (0x2000 - 10)
        path = os.path.join(self.daemon.folder, "large")
        with open(path, "w", encoding="ascii") as file:
            file.write(too_large)
        self.assertIn("TBS_E_BUFFER_TOO_LARGE", self.refused(TBS, "submit", "-f", path))

    def test_wrong_usage(self):
        for arguments in ((), ("bogus",), ("cancel",), ("cancel", "x"), ("random", "0"),
                          ("random", "-1"), ("submit",), ("submit", "8001"), ("submit", "80010g"),
                          ("submit", "80010000000c0000017b"), ("info", "--nonsense"),
                          ("submit", GET_RANDOM_16, "--priority", "urgent"),
                          ("random", "4", "--raw", "--json"), ("metrics", "--json")):
            with self.subTest(arguments=arguments):
                self.refused(USAGE, *arguments)

    def test_a_mistyped_subcommand_is_guessed(self):
        self.assertIn("did you mean `status`?", self.refused(USAGE, "statsu"))
        self.assertIn("did you mean `explain`?", self.refused(USAGE, "policy", "explian"))

    def test_a_file_that_cannot_be_read(self):
        self.assertIn("No such file", self.refused(FAILED, "submit", "-f", "/nonexistent/x"))

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "wb") as full:
            self.refused(FAILED, "random", "8", stdout=full)

    def test_an_absent_daemon(self):
        for command in (("status",), ("random", "1"), ("submit", GET_RANDOM_16)):
            error = self.refused(UNREACHABLE, "--socket", "/nonexistent/tbsd.sock", *command)
            self.assertIn("/nonexistent/tbsd.sock", error)
        ran = run("status", socket="/nonexistent/other.sock")
        self.assertEqual(ran.code, UNREACHABLE)
        self.assertIn("/nonexistent/other.sock", ran.err)

    def test_the_option_wins_over_the_environment(self):
        ran = run("status", "--socket", self.daemon.socket, socket="/nonexistent/other.sock")
        self.assertEqual(ran.code, OK, ran)

    def test_help_and_version(self):
        self.assertIn("Examples:", self.ok("--help").out)
        for command in (("info",), ("status",), ("contexts",), ("cancel",), ("submit",), ("random",),
                        ("policy", "check"), ("policy", "explain")):
            self.assertRegex(self.ok(*command, "--help").out, rf"(?m)^(Usage: )?tbsctl {' '.join(command)} ")
            self.assertIn(f"see `tbsctl {' '.join(command)} --help`",
                          self.refused(USAGE, *command, "--nonsense"))
        self.assertRegex(self.ok("--version").out, r"^tbsctl \d+\.\d+\.\d+\nfeatures:( [+-][a-z-]+)+\n$")


class Cancelling(WithDaemon):
    def keep_busy(self, client, count=24):
        for number in range(count):
            client.begin(wire.create_rsa_key(client.number * 1000 + number))
        self.wait_until(lambda: self.entry_of(client)["submitted"] == count)

    def test_what_waits_and_runs_is_cancelled(self):
        client = self.client()
        self.keep_busy(client)
        entry = self.entry_of(client)
        self.assertIn(entry["state"], ("running", "waiting"))
        self.assertGreater(entry["queued"], 0)
        self.assertGreater(entry["queued_bytes"], 0)
        if entry["state"] == "running":
            self.assertEqual(entry["command"]["name"], "CreatePrimary")
        self.assertIn(str(client.number), self.ok("cancel", str(client.number)).out)
        statuses = [client.result()[1] for _ in range(24)]
        self.assertLessEqual(set(statuses), {wire.SUCCESS, wire.COMMAND_CANCELED})
        self.assertGreater(statuses.count(wire.COMMAND_CANCELED), 0)
        # The context goes on.
        client.begin(wire.get_random(4))
        self.assertEqual(client.result()[1], wire.SUCCESS)

    def test_all_contexts_of_a_process_are_cancelled(self):
        client, other = self.client(), self.client()
        self.keep_busy(client)
        told = self.json("cancel", "--pid", str(os.getpid()))
        self.assertEqual((told["pid"], told["canceled"]), (os.getpid(), True))
        self.assertTrue({client.number, other.number} <= set(told["contexts"]))
        statuses = [client.result()[1] for _ in range(24)]
        self.assertGreater(statuses.count(wire.COMMAND_CANCELED), 0)
        self.assertIn("has no context", self.refused(FAILED, "cancel", "--pid", "4194304"))
        self.assertIn("either the ID", self.refused(USAGE, "cancel", "1", "--pid", "1"))

    def test_nothing_to_cancel_is_no_error(self):
        client = self.client()
        self.assertEqual(self.json("cancel", str(client.number)),
                         {"context": client.number, "canceled": True})

    def test_there_must_be_such_a_context(self):
        self.assertIn("there is none", self.refused(TBS, "cancel", "4000000000"))

    @unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
    def test_another_user_may_not_cancel(self):
        client = self.client()
        self.keep_busy(client)
        error = self.refused(TBS, "cancel", str(client.number), **self.as_nobody())
        self.assertIn("belongs to another user", error)
        self.ok("cancel", str(client.number))
        for _ in range(24):
            client.result()

    @unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
    def test_everybody_may_cancel_their_own_and_root_everything(self):
        holder = subprocess.Popen(
            [*self.as_nobody()["prefix"], "python3", "-c",
             "import sys; sys.path[:0] = ['.']; import wire; c = wire.Client(sys.argv[1]);"
             "print(c.number, flush=True); sys.stdin.read()", self.daemon.socket],
            cwd=self.copy_of_wire(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(holder.communicate)
        number = holder.stdout.readline().decode().strip()
        entry = next(e for e in self.json("contexts") if e["context"] == int(number))
        self.assertEqual(entry["uid"], NOBODY)
        self.ok("cancel", number, **self.as_nobody())
        self.ok("cancel", number)

    @unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
    def test_localities_are_for_administrators(self):
        error = self.refused(TBS, "submit", GET_RANDOM_16, "--locality", "1", **self.as_nobody())
        self.assertIn("TBS_E_ACCESS_DENIED", error)
        self.assertIn("administrators", error)
        self.ok("submit", GET_RANDOM_16, "--priority", "max", **self.as_nobody())

    def as_nobody(self):
        return nobody.options(self.daemon.folder)

    def copy_of_wire(self):
        shutil.copy(wire.__file__, self.daemon.folder)
        os.chmod(os.path.join(self.daemon.folder, "wire.py"), 0o644)
        return self.daemon.folder


class Tpm12(WithDaemon):
    DEVICE = "embedded12"

    def test_info(self):
        self.assertEqual(self.json("info")["tpm_version"], "1.2")

    def test_submit(self):
        ran = self.ok("submit", "00c10000000e0000004600000008")  # TPM_GetRandom(8)
        self.assertTrue(ran.out.startswith("00c4"), ran)
        self.assertIn("TPM_SUCCESS", ran.err)
        ran = self.tbsctl("submit", "00c10000000a0000fff0")
        self.assertEqual(ran.code, TPM, ran)
        self.assertIn("TPM_BAD_ORDINAL", ran.err)

    def test_top(self):
        page = self.json("top", "--count", "1", "--interval", "0.1")
        for what in ("objects", "sessions"):
            self.assertEqual((page[what]["held"], page[what]["loaded"]), (0, 0))
            self.assertGreaterEqual(page[what]["slots"], 2)

    def test_random_needs_a_tpm_20(self):
        self.assertIn("TBS_E_TPM_NOT_FOUND", self.refused(TBS, "random", "4"))


class Starting(unittest.TestCase):
    def test_whoever_comes_first_need_not_come_again(self):
        for command in (("info",), ("random", "4")):
            daemon = Daemon("embedded", wait=False)
            self.addCleanup(daemon.stop)
            ran = run(*command, socket=daemon.socket)
            self.assertEqual(ran.code, OK, ran)


class Losing(unittest.TestCase):
    def test_a_daemon_that_dies_is_told(self):
        daemon = Daemon("embedded")
        self.addCleanup(daemon.stop)
        client = wire.Client(daemon.socket)
        self.addCleanup(client.close)
        daemon.process.send_signal(signal.SIGSTOP)
        waiting = subprocess.Popen([TBSCTL, "--socket", daemon.socket, "submit", GET_RANDOM_16],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(waiting.kill)
        with self.assertRaises(subprocess.TimeoutExpired):
            waiting.wait(0.3)
        daemon.process.kill()
        _, error = waiting.communicate(timeout=DEADLINE)
        self.assertEqual(waiting.returncode, UNREACHABLE, error)
        self.assertEqual(error.count(b"\n"), 1, error)


if __name__ == "__main__":
    unittest.main(verbosity=2)
