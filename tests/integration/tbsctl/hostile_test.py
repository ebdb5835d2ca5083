#!/usr/bin/env python3
"""tbsctl and libtbs against a daemon that means harm (hostile_daemon.py): every subcommand comes to an
end, and none prints what steers a terminal.

TBSCTL and LIBTBS in the environment name the program and the library."""

import concurrent.futures
import ctypes
import json
import os
import subprocess
import tempfile
import unicodedata
import unittest

import hostile_daemon as hostile

TBSCTL = os.environ["TBSCTL"]
LIBTBS = os.environ["LIBTBS"]
DEADLINE = 200  # against hanging only: above the longest bound in tbsctl(1)

BUFFER_TOO_LARGE = 0x8028400E
# Those that ask the daemon about itself, and those that send TPM commands of tbsctl's own.
QUESTIONS = [["contexts"], ["info"], ["limits"], ["status"], ["log", "--no-compare"], ["log", "--raw"], ["ppi"],
             ["cancel", "3"], ["lockout", "--reset"], ["top", "--count", "1", "--interval", "0.1"]]
PRINTED = [["contexts"], ["top", "--count", "1", "--interval", "0.1"], ["info"], ["limits"], ["status"], ["lockout"]]
TPM_COMMANDS = [["random", "16"], ["pcr"], ["lockout"], ["log"]]
# Ends of lines are the only control characters that a terminal may get.
HARMFUL = {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}


def run(socket, *arguments, timeout=DEADLINE):
    return subprocess.run([TBSCTL, "--socket", socket, *arguments], stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=timeout)


class Hostile(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def serve(self, behaviour, pause=0):
        daemon = hostile.HostileDaemon(self.folder.name, behaviour, pause)
        self.addCleanup(daemon.stop)
        return daemon.path

    def all_end(self, socket, commands):
        """Runs them side by side; what each gave. A hanging one fails the test."""
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            return list(pool.map(lambda words: run(socket, *words), commands))

    def harmless(self, printed, words):
        shown = printed.decode("utf-8")  # fails when it is no UTF-8
        bad = [character for character in shown if character != "\n" and unicodedata.category(character) in HARMFUL]
        self.assertEqual(bad, [], (words, printed))

    def test_nothing_that_steers_a_terminal_is_printed(self):
        for behaviour in (hostile.obedient, hostile.refusing):
            socket = self.serve(behaviour)
            for words in [*QUESTIONS, ["lockout"], ["log"]]:
                if words == ["log", "--raw"]:
                    continue  # bytes, as they are
                for arguments in (words, ["--json", *words]):
                    ran = run(socket, *arguments)
                    self.harmless(ran.stdout, arguments)
                    self.harmless(ran.stderr, arguments)
                    if behaviour is hostile.refusing:
                        self.assertNotEqual(ran.returncode, 0, arguments)
                    elif words in PRINTED:
                        self.assertEqual(ran.returncode, 0, (arguments, ran.stderr))
                        self.assertNotEqual(ran.stdout, b"", arguments)
                    if arguments[0] == "--json" and ran.stdout:
                        json.loads(ran.stdout)

    def test_an_older_daemon(self):
        """It is said which question it does not know and what to do; what it does know is shown."""
        socket = self.serve(hostile.older_by(hostile.LIST_HOLDINGS, hostile.LIST_ACTIVITY, hostile.READ_EVENTS,
                                             hostile.READ_CAPTURE, hostile.MAINTENANCE, hostile.LIST_TENANTS))
        for words, question in ((["top", "--count", "1", "--interval", "0.1"], "list-activity"),
                                (["--json", "top", "--count", "1"], "list-activity"), (["contexts", "1"], "list-holdings"),
                                (["events"], "read-events"), (["events", "--follow"], "read-events"),
                                (["capture", "-w", "-"], "read-capture"),
                                (["maintenance", "--for", "1m", "--", "true"], "maintenance")):
            ran = run(socket, *words)
            self.assertEqual(ran.returncode, 1, (words, ran.stderr))
            self.assertEqual(ran.stderr.decode().splitlines()[0],
                             f'tbsctl: this tbsd is older than tbsctl and does not know the question "{question}"; if it '
                             "was upgraded, restart it, else use the tbsctl of its version", words)
        for words in (["contexts"], ["info"], ["limits"], ["status"], ["lockout"]):
            self.assertEqual(run(socket, *words).returncode, 0, words)

    def test_the_evil_text_is_there_for_who_prints_bytes(self):
        ran = run(self.serve(hostile.obedient), "log", "--raw")
        self.assertIn(hostile.STEERING, ran.stdout)

    def test_json_keeps_what_it_escapes(self):
        ran = run(self.serve(hostile.obedient), "--json", "contexts")
        self.assertIn("\u009b31m", json.loads(ran.stdout)[0]["program"])

    def test_what_never_ends_is_given_up(self):
        for behaviour in (hostile.endless, hostile.by_the_byte):
            socket = self.serve(behaviour)
            commands = [["log", "--no-compare"], ["log", "--raw"], ["--json", "log", "--no-compare"]]
            if behaviour is hostile.endless:
                commands += [["contexts"], ["top", "--count", "1", "--interval", "0.1"]]
            for words, ran in zip(commands, self.all_end(socket, commands)):
                self.assertIn(ran.returncode, (1, 3), (words, ran.stderr))

    def test_sizes_that_are_lies_are_not_waited_for(self):
        for difference in (1, 0xFFFFFFFF):
            socket = self.serve(hostile.lying(difference))
            commands = [*QUESTIONS, *TPM_COMMANDS, ["submit", "80010000000c0000017b0010"]]
            for words, ran in zip(commands, self.all_end(socket, commands)):
                self.assertNotEqual(ran.returncode, 0, words)
                self.assertGreater(ran.returncode, 0, words)

    def test_silence_and_trickling_are_given_up(self):
        for behaviour, pause in ((hostile.silent, 0), (hostile.obedient, 1)):
            socket = self.serve(behaviour, pause)
            # An info waits for a TPM that may be starting, for 90 s.
            commands = [words for words in QUESTIONS if words != ["info"] or pause]
            for words, ran in zip(commands, self.all_end(socket, commands)):
                self.assertEqual(ran.returncode, 3, (words, ran.stderr))
        # Here an answer has begun, so that of a TPM command has to come to an end as well.
        commands = [*TPM_COMMANDS, ["submit", "80010000000c0000017b0010"]]
        for words, ran in zip(commands, self.all_end(socket, commands)):
            self.assertEqual(ran.returncode, 3, (words, ran.stderr))

    def test_a_log_without_end_ends_in_the_library(self):
        os.environ["TBS_SOCKET"] = self.serve(hostile.endless)
        try:
            library = ctypes.CDLL(LIBTBS)
        except OSError as error:
            if "asan" in str(error) or "ubsan" in str(error):
                self.skipTest("a program that is not sanitized cannot load a library that is")
            raise
        size = ctypes.c_uint32(0)
        result = library.Tbsi_Get_TCG_Log_Ex(0, None, ctypes.byref(size))
        self.assertEqual(result & 0xFFFFFFFF, BUFFER_TOO_LARGE)
        # Through a context.
        handle = ctypes.c_void_p()
        parameters = (ctypes.c_uint32 * 2)(2, 4)  # TBS_CONTEXT_PARAMS2, TPM 2.0
        self.assertEqual(library.Tbsi_Context_Create(parameters, ctypes.byref(handle)), 0)
        result = library.Tbsi_Get_TCG_Log(handle, None, ctypes.byref(size))
        self.assertEqual(result & 0xFFFFFFFF, BUFFER_TOO_LARGE)
        self.assertEqual(library.Tbsip_Context_Close(handle), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
