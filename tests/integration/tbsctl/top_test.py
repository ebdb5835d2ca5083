#!/usr/bin/env python3
"""tbsctl top: in a real terminal, where keys sort, open, cancel and end it, and as lines without one.

TBSD and TBSCTL in the environment name the programs."""

import json
import os
import re
import subprocess
import threading
import unittest

import nobody
import tbsctl_test
import wire
from tbsctl_test import DEADLINE, TBSCTL, UNREACHABLE, USAGE
from terminal import NEEDS_TMUX, PROMPT, Terminal

NEEDS_ROOT = unittest.skipUnless(os.getuid() == 0, "needs root to become another user")
OFTEN = ("--interval", "0.2")


class Feeder:
    """A client that has always several commands outstanding, until one of them is cancelled or it is
    told to end. They take long, so one that waits is seen sooner or later."""

    OUTSTANDING = 4

    def __init__(self, path):
        self.client = wire.Client(path)
        self.number = self.client.number
        self.canceled = threading.Event()
        self.ending = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        try:
            for unique in range(self.OUTSTANDING):
                self.client.begin(wire.create_rsa_key(unique))
            while not self.ending.is_set():
                _, status, response = self.client.result()
                if status == wire.COMMAND_CANCELED:
                    self.canceled.set()
                    return
                if len(response) > wire.NOTHING:  # a key, and not the answer to its end
                    unique += 1
                    self.client.begin(wire.flush_context(response[10:14]))
                    self.client.begin(wire.create_rsa_key(unique))
        except (OSError, EOFError, AssertionError) as error:
            self.failure = error

    def close(self):
        self.ending.set()
        # Its commands are cancelled with it.
        self.client.socket.shutdown(2)
        self.thread.join(DEADLINE)
        self.client.close()


class WithTop(tbsctl_test.WithDaemon):
    def feeder(self):
        feeder = Feeder(self.daemon.socket_for({}))
        self.addCleanup(feeder.close)
        return feeder


class Plain(WithTop):
    def test_pages(self):
        client = self.client()
        for kind, pattern in (((), rf"(?m)^ +{client.number}  .*python3"),
                              (("--by", "user"), r"(?m)^USER +TPM"), (("--by", "unit"), r"(?m)^UNIT +TPM")):
            out = self.ok("top", "--interval", "0.1", "--count", "2", *kind).out
            self.assertEqual(len(re.findall(r"(?m)^TPM embedded \(ready\), ", out)), 2, out)
            self.assertEqual(len(re.findall(r"(?m)^TPM time: \d+\.\d % for these contexts, ", out)), 2, out)
            self.assertEqual(len(re.findall(r"(?m)^Objects: \d+, on the TPM \d+ of \d+\.  Sessions: ", out)), 2)
            self.assertRegex(out, pattern)
            self.assertNotIn("\x1b", out)

    def test_as_in_the_documents(self):
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../docs/looking.md")
        with open(page, encoding="utf-8") as file:
            captures = dict(re.findall(r"^\$ tbsctl (top[^\n]*)\n(.*?)^```", file.read(), re.MULTILINE | re.DOTALL))
        plain = captures["top --by user --count 1"]
        shown = self.ok("top", "--by", "user", "--count", "1", "--interval", "0.1").out
        for text in (shown, plain, captures["top"]):
            for start in ("TPM embedded (ready), ", "Runs: ", "TPM time: ", "Objects: "):
                self.assertRegex(text, "(?m)^" + re.escape(start))
        by_user = re.compile("(?m)^USER .*NOW$")
        self.assertEqual(by_user.search(plain)[0].split(), by_user.search(shown)[0].split())
        by_context = re.compile("(?m)^CONTEXT .*NOW$")
        columns = by_context.search(self.ok("top", "--count", "1", "--interval", "0.1").out)[0].split()
        self.assertLessEqual(set(by_context.search(captures["top"])[0].split()), set(columns))

    def test_json(self):
        client = self.client()
        client.begin(wire.create_rsa_key(1))
        self.assertEqual(client.result()[1], wire.SUCCESS)
        client.begin(wire.start_session())
        client.result()
        ran = self.ok("--json", "top", "--interval", "0.1", "--count", "2")
        pages = [json.loads(line) for line in ran.out.splitlines()]
        self.assertEqual(len(pages), 2)
        for page in pages:
            self.assertGreater(page["interval_us"], 90_000)
            self.assertGreaterEqual(page["objects"]["held"], 1)
            self.assertGreaterEqual(page["objects"]["slots"], 3)
            self.assertGreaterEqual(page["sessions"]["held"], 1)
            entry, = [each for each in page["contexts"] if each["context"] == client.number]
            self.assertGreater(entry["tpm_us"], 0)
            self.assertEqual((entry["submitted"], entry["state"]), (2, "idle"))
            self.assertEqual((entry["waiting_us"], entry["waits_for"]), (0, "none"))
            self.assertEqual(entry["commands_per_second"], 0)

    def test_what_waits_and_why(self):
        first, second = self.feeder(), self.feeder()
        numbers = {first.number, second.number}
        process = subprocess.Popen([TBSCTL, "--socket", self.daemon.socket_for({}), "--json", "top", *OFTEN],
                                   stdout=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.kill)
        seen = set()
        for line in process.stdout:
            page = json.loads(line)
            entries = {e["context"]: e for e in page["contexts"] if e["context"] in numbers}
            work = page["work"]
            if work["kind"] == "command" and work["context"] in numbers:
                self.assertEqual(work["command"]["name"], "CreatePrimary")
                seen.add("runs")
            for entry in entries.values():
                if entry["waits_for"] == "turn" and entry["waiting_us"] > 0:
                    seen.add("waits")
                if (entry["tpm_share"] or 0) > 0:
                    self.assertLessEqual(entry["tpm_share"], 1)
                    seen.add("share")
            if seen == {"runs", "waits", "share"}:
                break
        self.assertEqual(seen, {"runs", "waits", "share"})

    def test_reader_that_ends(self):
        process = subprocess.Popen([TBSCTL, "--socket", self.daemon.socket_for({}), "top", "--interval", "0.1"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.kill)
        self.assertTrue(process.stdout.readline().startswith("TPM embedded"))
        process.stdout.close()
        process.wait(DEADLINE)
        process.stderr.close()

    @NEEDS_ROOT
    def test_everybody_sees_what_contexts_shows(self):
        client = self.client()
        out = self.ok("--json", "top", *OFTEN, "--count", "1", **nobody.options(self.daemon.folder)).out
        self.assertIn(client.number, [each["context"] for each in json.loads(out)["contexts"]])

    def test_usage(self):
        for words in (("--interval", "0"), ("--interval", "x"), ("--interval", "1e3"), ("--interval", "nan"),
                      ("--interval", "9999"), ("--count", "0"), ("--sort", "colour"), ("--by", "colour"), ("7",)):
            self.refused(USAGE, "top", *words)
        self.assertIn("--by", self.refused(USAGE, "--json", "top", "--by", "user", "--count", "1"))

    def test_without_a_daemon(self):
        ran = tbsctl_test.run("top", "--socket", os.path.join(self.daemon.folder, "none.sock"))
        self.assertEqual((ran.code, ran.out), (UNREACHABLE, ""))
        self.assertIn("cannot reach tbsd", ran.err)


class Restarts(unittest.TestCase):
    """Daemons of their own, which go and come back."""

    def setUp(self):
        self.daemon = tbsctl_test.Daemon("embedded")
        self.addCleanup(self.daemon.stop)

    def test_lines_go_on(self):
        process = subprocess.Popen([TBSCTL, "--socket", self.daemon.socket, "--json", "top", *OFTEN],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
        self.addCleanup(process.wait, DEADLINE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.kill)
        self.assertEqual(json.loads(process.stdout.readline())["device_state"], "ready")
        self.daemon.end()
        self.assertRegex(process.stderr.readline(), r"^tbsctl: .*; trying again$")
        self.daemon.start()
        # Pages of before may still be in the pipe; those of the new one have a context of its own.
        client = wire.Client(self.daemon.socket)
        self.addCleanup(client.close)
        for line in process.stdout:
            if any(each["context"] == client.number for each in json.loads(line)["contexts"]):
                return
        self.fail("no page of the new daemon")

    @NEEDS_TMUX
    def test_a_terminal_goes_on(self):
        terminal = Terminal(self.daemon.folder, {"TBS_SOCKET": self.daemon.socket})
        self.addCleanup(terminal.close)
        terminal.command(f"{TBSCTL} top --interval 0.2")
        terminal.wait_for(r"^TPM embedded \(ready\), 0 contexts")
        self.daemon.end()
        terminal.wait_for(r"^tbsd does not answer; trying again")
        self.daemon.start()
        client = wire.Client(self.daemon.socket)
        self.addCleanup(client.close)
        terminal.wait_for(r"^TPM embedded \(ready\), 1 context")
        terminal.wait_for(rf"^ +{client.number}  .*python3")
        terminal.type("q")
        terminal.wait_until(lambda lines: terminal.of_pane("alternate_on") == "0")


@NEEDS_TMUX
class InATerminal(WithTop):
    def terminal(self, **size):
        terminal = Terminal(self.daemon.folder, {"TBS_SOCKET": self.daemon.socket_for({})}, **size)
        self.addCleanup(terminal.close)
        return terminal

    def top(self, terminal, *options):
        terminal.command(" ".join((TBSCTL, "top", *OFTEN, *options)))
        terminal.wait_for("^h help  q quit")

    def ended(self, terminal):
        """The shell is there again, with what it had before, and the cursor."""
        terminal.wait_until(lambda lines: terminal.of_pane("alternate_on") == "0")
        terminal.wait_until(lambda lines: lines and any(line.startswith(PROMPT) for line in lines))
        self.assertEqual(terminal.of_pane("cursor_flag"), "1")

    def choose(self, terminal, number):
        """Opens the rows one after the other, which are in the order of numbers, up to that of the context."""
        terminal.type("n")
        terminal.wait_for("s sort: name")
        while True:
            terminal.type("Enter")
            opened = int(terminal.wait_for(r"^Context \d+$").split()[1])
            if opened == number:
                return
            terminal.type("Escape")
            terminal.wait_for("^CONTEXT ")
            terminal.type("Down" if opened < number else "Up")

    def test_shown_sorted_and_opened(self):
        idle, busy = self.client(), self.client()
        busy.begin(wire.create_rsa_key(7))
        self.assertEqual(busy.result()[1], wire.SUCCESS)
        busy.begin(wire.start_session())
        busy.result()
        terminal = self.terminal()
        self.top(terminal)
        self.assertEqual(terminal.of_pane("alternate_on"), "1")
        self.assertEqual(terminal.of_pane("cursor_flag"), "0")
        for client in (idle, busy):
            terminal.wait_for(rf"^ +{client.number}  \S+ +python3 ")

        def numbers(lines):
            found = [re.match(r" +(\d+)  ", line) for line in lines]
            order = [int(each[1]) for each in found if each]
            return order if {idle.number, busy.number} <= set(order) else None

        # Both do nothing now: the one that has had more of the TPM goes first, by name the older one.
        terminal.wait_until(lambda lines: (numbers(lines) or [0])[0] == busy.number)
        terminal.type("n")
        terminal.wait_for("s sort: name")
        terminal.wait_until(lambda lines: numbers(lines) and numbers(lines) == sorted(numbers(lines)))
        terminal.type("s")
        terminal.wait_for("s sort: time")
        terminal.type("g")
        terminal.wait_for("^USER +TPM")
        terminal.type("Enter")
        terminal.wait_for("Esc back from ")
        terminal.type("Escape")
        terminal.wait_for("^USER +TPM")
        terminal.type("g", "g")
        terminal.wait_for("^CONTEXT ")
        terminal.type("h")
        terminal.wait_for("^any key goes back")
        terminal.type("x")
        terminal.wait_for("^CONTEXT ")

        self.choose(terminal, busy.number)
        terminal.wait_for(r"^Holds: +2")
        terminal.wait_for(r"^0x80000000  object ")
        terminal.wait_for(r"^0x02\w+  session ")
        terminal.type("Escape")
        terminal.wait_for("^CONTEXT ")
        terminal.type("q")
        self.ended(terminal)

    def test_cancelled_by_keys(self):
        feeder, other = self.feeder(), self.feeder()
        terminal = self.terminal()
        self.top(terminal)
        terminal.wait_for("^Runs: CreatePrimary for .*, context")
        terminal.wait_for("waits .*: context \\d+ has the TPM")
        self.choose(terminal, feeder.number)
        terminal.type("Escape")
        terminal.wait_for("^CONTEXT ")
        terminal.type("c")
        terminal.wait_for(rf"^Cancel what context {feeder.number} has outstanding\? y/n")
        terminal.type("n")
        terminal.wait_for("^nothing was cancelled")
        self.assertFalse(feeder.canceled.is_set(), feeder.failure)
        terminal.type("c")
        terminal.wait_for(rf"^Cancel what context {feeder.number} has outstanding\? y/n")
        terminal.type("y")
        self.assertTrue(feeder.canceled.wait(DEADLINE), feeder.failure)
        self.assertFalse(other.canceled.is_set(), other.failure)
        terminal.type("q")
        self.ended(terminal)

    def test_resized(self):
        client = self.client()
        terminal = self.terminal()
        self.top(terminal)
        terminal.wait_for(rf"^ +{client.number}  .*python3")
        terminal.resize(40, 10)
        terminal.wait_until(lambda lines: any(re.match(r"CONTEXT .*TPM  NOW", line) for line in lines)
                            and not any("BYTES" in line for line in lines))
        terminal.wait_for(rf"^ +{client.number}  ")
        terminal.wait_until(lambda lines: len(lines) <= 10 and max(map(len, lines)) <= 40)
        terminal.resize(160, 30)
        terminal.wait_for("BYTES  NOW")
        terminal.type("q")
        self.ended(terminal)

    def test_the_terminal_is_as_it_was(self):
        terminal = self.terminal()
        terminal.command("stty -g >before; echo kept-$?")
        terminal.wait_for("kept-0")
        for number, keys in enumerate((("q",), ("C-c",), ("C-\\",), ("h", "q"))):
            self.top(terminal)
            terminal.type(*keys)
            self.ended(terminal)
            terminal.wait_for("kept-0")
            terminal.command(f"stty -g | cmp - before; echo same-{number}-$?")
            terminal.wait_for(f"same-{number}-0")
        self.assertEqual(terminal.of_pane("pane_dead"), "0")

    def test_stopped_for_a_while(self):
        client = self.client()
        terminal = self.terminal()
        terminal.command("set -m; stty -g >before")
        self.top(terminal)
        terminal.type("C-z")
        self.ended(terminal)
        terminal.command("stty -g | cmp - before; echo same-$?")
        terminal.wait_for("same-0")
        terminal.command("fg")
        terminal.wait_for(rf"^ +{client.number}  .*python3")
        self.assertEqual(terminal.of_pane("alternate_on"), "1")
        terminal.type("q")
        self.ended(terminal)

    def test_lines_where_only_one_end_is_a_terminal(self):
        terminal = self.terminal()
        terminal.command(f"{TBSCTL} top --interval 0.1 | head -n 1; {TBSCTL} top --interval 0.1 --count 1;"
                         " echo ended-$?")
        terminal.wait_for("ended-0")
        self.assertEqual(sum(line.startswith("TPM embedded (ready)") for line in terminal.lines()), 2)
        terminal.command(f"TERM=dumb {TBSCTL} top --interval 0.1")
        terminal.wait_until(lambda lines: sum(line.startswith("TPM time: ") for line in lines) > 3)
        terminal.type("C-c")


if __name__ == "__main__":
    unittest.main(verbosity=2)
