#!/usr/bin/env python3
"""The static probes of a running tbsd, as gdb and bpftrace see them: one of each kind that docs/probes.md lists.

TBSD and TBSCTL in the environment name the programs, TBS_DOCS the folder of the documents."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "tbsctl"))

import software_tpms  # noqa: E402
import tbsctl_test  # noqa: E402
import wire  # noqa: E402

DOCS = pathlib.Path(os.environ["TBS_DOCS"])
DEADLINE = software_tpms.DEADLINE
GET_RANDOM, CONTEXT_SAVE, FLUSH_CONTEXT = 0x17B, 0x162, 0x165
# As gdb prints them; the arguments are those of the document.
FORMATS = {"u64": "%lu", "u32": "%u", "u8": "%u", "text": "%s"}


def documented():
    """Probe -> the types of its arguments, from the table."""
    probes = {}
    for line in (DOCS / "probes.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and re.fullmatch(r"`[a-z_]+`", cells[0]):
            probes[cells[0].strip("`")] = re.findall(r"\((u64|u32|u8|text)", cells[2])
    return probes


def gdb_script(probes):
    lines = ["set pagination off", "set breakpoint pending off", "set confirm off"]
    for name, types in probes.items():
        values = ["(char*)$_probe_arg%d" % number if kind == "text" else "$_probe_arg%d" % number
                  for number, kind in enumerate(types)]
        text = " ".join(["tbs", name, *(FORMATS[kind] for kind in types)])
        lines += [f"break -probe-stap tbs:{name}", "commands", "silent",
                  f'printf "{text}\\n"' + "".join(f", {value}" for value in values), "continue", "end"]
    return "\n".join([*lines, "handle SIGTERM nostop noprint pass", 'printf "tbs attached\\n"', "continue"])


class Probes(unittest.TestCase):
    def setUp(self):
        # A program of our own: the kernel puts a tracer's probes into all processes that run the file, and gdb
        # and the kernel do not get on with each other's. It finds the TPM in software beside it.
        folder = tempfile.mkdtemp(prefix="tbs-probes-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        built = os.path.dirname(tbsctl_test.TBSD)
        for program in ("tbsd", "tbsd-embedded-tpm"):
            shutil.copy2(os.path.join(built, program), folder)
        self.program = os.path.join(folder, "tbsd")
        with unittest.mock.patch.object(tbsctl_test, "TBSD", self.program):
            self.daemon = tbsctl_test.Daemon("embedded")
        self.tracer = None
        self.addCleanup(self.stop)

    def stop(self):
        """The daemon first: a tracer that is killed leaves its marks in the program, one that has lost it ends."""
        self.daemon.stop()
        if self.tracer is not None:
            try:
                self.tracer.wait(DEADLINE)
            finally:
                self.tracer.kill()

    def trace(self, probes):
        script = os.path.join(self.daemon.folder, "gdb-script")
        with open(script, "w", encoding="ascii") as file:
            file.write(gdb_script(probes))
        self.output = os.path.join(self.daemon.folder, "gdb-output")
        with open(self.output, "wb") as file:
            self.tracer = subprocess.Popen(
                ["gdb", "-q", "-nx", "-batch", "-p", str(self.daemon.process.pid), "-x", script],
                stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        software_tpms.eventually(lambda: self.count("attached") or self.tracer.poll() is not None)
        if not self.count("attached"):
            # A container may not let anybody trace.
            output = pathlib.Path(self.output).read_text(encoding="utf-8", errors="replace")
            self.assertIn("Operation not permitted", output)
            self.skipTest("gdb may not trace here")

    def seen(self):
        with open(self.output, encoding="utf-8", errors="replace") as file:
            return [line.split()[1:] for line in file if line.startswith("tbs ")]

    def count(self, *words):
        words = [str(word) for word in words]
        return sum(line[:len(words)] == words for line in self.seen())

    def wait_for(self, *words):
        words = [str(word) for word in words]
        try:
            software_tpms.eventually(lambda: any(line[:len(words)] == words for line in self.seen()))
        except TimeoutError:
            with open(self.output, encoding="utf-8", errors="replace") as file:
                self.fail(f"gdb has not seen {words}: {file.read()}")
        return next(line for line in self.seen() if line[:len(words)] == words)

    def test_gdb_sees_what_the_document_lists(self):
        probes = documented()
        self.assertEqual(len(probes), 8)
        client = wire.Client(self.daemon.socket)
        self.addCleanup(client.close)
        self.trace(probes)
        embedded = software_tpms.children_of(self.daemon.process.pid)[0]

        request = client.begin(wire.get_random(8), priority=300)
        self.assertEqual(client.result()[:2], (request, wire.SUCCESS))
        self.wait_for("submit", client.number, request, GET_RANDOM, 12, 300)
        self.wait_for("start", GET_RANDOM, 12, 0)
        self.wait_for("response", 0, 20)
        self.wait_for("done", client.number, request, wire.SUCCESS, 20)

        # What lies on the TPM while nothing happens is saved.
        client.begin(wire.hash_sequence_start())
        self.assertEqual(client.result()[1], wire.SUCCESS)
        self.wait_for("swap", CONTEXT_SAVE)
        self.wait_for("start", FLUSH_CONTEXT)
        software_tpms.eventually(lambda: self.count("response") == self.count("start"))

        started = self.count("start", GET_RANDOM)
        with software_tpms.Frozen(embedded):
            running = client.begin(wire.get_random(16))
            software_tpms.eventually(lambda: self.count("start", GET_RANDOM) > started)
            tbsctl_test.run("cancel", str(client.number), socket=self.daemon.socket_for({}))
            self.wait_for("cancel", client.number)
            self.wait_for("cancel_running")
        self.assertEqual(client.result()[0], running)

        os.kill(embedded, signal.SIGKILL)
        self.assertGreater(len(self.wait_for("device_lost")), 2)

    def test_bpftrace_takes_the_example(self):
        bpftrace = shutil.which("bpftrace")
        if bpftrace is None or os.getuid() != 0:
            self.skipTest("needs bpftrace, and root")
        example = (DOCS / "examples/tpm-latency.bt").read_text(encoding="ascii")
        self.assertIn("usdt:/usr/sbin/tbsd:tbs:", example)
        script = os.path.join(self.daemon.folder, "example.bt")
        with open(script, "w", encoding="ascii") as file:
            # Its own figures come at the end only.
            example += 'usdt:/usr/sbin/tbsd:tbs:done { printf("seen\\n"); }\n'
            file.write(example.replace("/usr/sbin/tbsd", self.program))
        output = os.path.join(self.daemon.folder, "bpftrace-output")
        with open(output, "wb") as file:
            self.tracer = subprocess.Popen([bpftrace, "-p", str(self.daemon.process.pid), script],
                                           stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        client = wire.Client(self.daemon.socket)
        self.addCleanup(client.close)

        def printed(text):
            return text in pathlib.Path(output).read_text(encoding="utf-8", errors="replace")

        def is_at_work():
            client.begin(wire.get_random(8))
            client.result()
            return printed("seen\n") or self.tracer.poll() is not None

        software_tpms.eventually(is_at_work)
        if not printed("seen\n"):
            self.assertFalse(printed("syntax error"))
            self.skipTest("bpftrace may not trace here: " + pathlib.Path(output).read_text(encoding="utf-8"))
        for _ in range(20):
            is_at_work()
        self.tracer.send_signal(signal.SIGINT)
        self.tracer.wait(DEADLINE)
        self.assertTrue(printed("@answer_us: "))
        self.assertTrue(printed(f"@tpm_us_by_command_code[{GET_RANDOM}]: count"))


if __name__ == "__main__":
    unittest.main()
