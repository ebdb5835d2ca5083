#!/usr/bin/env python3
"""The manual pages say what the programs do: every option of --help is described and none that is
not there, every exported function of libtbs is named, the settings are those of --print-config, and
the example of tbs(3) compiles without a warning and runs.

TBSD, TBSCTL, LIBTBS (the library), CC and TOP (the source tree) come with the environment."""

import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from listening import listens  # noqa: E402

TOP = os.environ["TOP"]
TBSD = os.environ["TBSD"]
DEADLINE = 60  # against hanging only


def page(name):
    with open(os.path.join(TOP, "docs", "man", name + ".scd"), encoding="utf-8") as file:
        return file.read()


def output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=DEADLINE,
                          encoding="utf-8").stdout


def options_of_help(text):
    # "-h,--help   What", or, as later versions of CLI11 have it, "-h,     --help   What".
    lines = (re.sub(r",\s+-", ",-", line.strip()) for line in text.splitlines() if re.match(r"\s+-", line))
    return {option for line in lines
            for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line.split("   ")[0])}


def options_described(text):
    # At the beginning of an entry, not where the running text mentions one.
    entries = re.findall(r"^\t*(?:\*-\w\*, )?\*(--[a-z-]+)\*", text, re.MULTILINE)
    return set(entries)


class Options(unittest.TestCase):
    def test_tbsctl(self):
        tbsctl = os.environ["TBSCTL"]
        helped = options_of_help(output_of(tbsctl, "--help"))
        for command in ("info", "status", "contexts", "cancel", "submit", "random", "log",
                        "pcr", "ppi", "id", "bridge", "limits", "events", "lockout", "policy", "explain",
                        "health", "doctor", "capture", "metrics", "top", "restart", "maintenance"):
            helped |= options_of_help(output_of(tbsctl, command, "--help"))
            self.assertRegex(page("tbsctl.1"), rf"(?m)^\*{command}\*")
        for part in ("check", "explain"):
            helped |= options_of_help(output_of(tbsctl, "policy", part, "--help"))
        described = options_described(page("tbsctl.1"))
        for path in glob.glob(os.path.join(TOP, "docs", "man", "tbsctl-*.1.scd")):
            described |= options_described(page(os.path.basename(path).removesuffix(".scd")))
        self.assertEqual(described, helped)

    def test_tbsd(self):
        self.assertEqual(options_described(page("tbsd.8")),
                         options_of_help(output_of(TBSD, "--help")))

    @unittest.skipUnless(os.environ.get("TBS_NODE"), "tbs-node is not built")
    def test_tbs_node(self):
        self.assertEqual(options_described(page("tbs-node.8")),
                         options_of_help(output_of(os.environ["TBS_NODE"], "--help")))

    def test_settings(self):
        printed = output_of(TBSD, "--config", "/dev/null", "--print-config")
        settings = dict(re.findall(r"^([a-z-]+) = (\S+)", printed, re.MULTILINE))
        described = dict(re.findall(r'^\*([a-z-]+)\* = "?(\S*?)"?$', page("tbsd.conf.5"),
                                    re.MULTILINE))
        self.assertEqual(described, {name: value.strip('"') for name, value in settings.items()})


class Captures(unittest.TestCase):
    def test_what_the_captures_ran_is_there(self):
        with open(os.path.join(TOP, "docs/looking.md"), encoding="utf-8") as file:
            commands = re.findall(r"^\$ (?:sudo )?tbsctl (\w+)(.*)$", file.read(), re.MULTILINE)
        self.assertEqual({name for name, _ in commands}, {"top", "doctor", "log"})
        for name, rest in commands:
            helped = options_of_help(output_of(os.environ["TBSCTL"], name, "--help"))
            self.assertLessEqual(set(re.findall(r"--[a-z-]+", rest)), helped)


class Library(unittest.TestCase):
    def test_every_function_is_named(self):
        with open(os.path.join(TOP, "client", "tbs.map"), encoding="ascii") as file:
            exported = set(re.findall(r"\b(?:Tbs|GetDevice)\w+", file.read()))
        self.assertGreater(len(exported), 5)
        self.assertEqual(exported, set(re.findall(r"\*((?:Tbs|GetDevice)\w+)\*", page("tbs.3"))))

    def test_every_function_has_a_page(self):
        headers = [os.path.join(TOP, "client/include/tbs", name) for name in ("tbs.h", "tbsx.h")]
        script = os.path.join(TOP, "docs/man/functions.py")
        listed = output_of(sys.executable, script, "--list", *headers).split()
        with open(os.path.join(TOP, "client", "tbs.map"), encoding="ascii") as file:
            exported = set(re.findall(r"^    (\w+);", file.read(), re.MULTILINE))
        self.assertEqual(set(listed), exported)
        for function in listed:
            header = headers[function.startswith("Tbsx")]
            with self.subTest(function):
                self.reads_well(function, output_of(sys.executable, script, header, function))

    def reads_well(self, function, text):
        sections = dict(re.findall(r"^# ([A-Z ]+)\n\n(.*?)\n(?=# |\Z)", text, re.M | re.S))
        self.assertIn(function + "(", sections["SYNOPSIS"])
        # One line, as apropos(1) shows it: a sentence without its full stop.
        self.assertRegex(sections["NAME"], r"^\S+ - \w+ (?!.*\.(?: |$)).{8,75}$")
        # Every term of the description is a parameter. Running text consists of whole sentences.
        description = re.sub(r"```.*?```", "", sections["DESCRIPTION"], flags=re.S)
        declared = set(re.findall(r"(\w+)[,)]", sections["SYNOPSIS"]))
        for terms in re.findall(r"^\*(.*)\*$", description, re.M):
            self.assertLessEqual(set(terms.replace("\\", "").split(", ")), declared)
        returned = sections["RETURN VALUE"]
        for line in (description + "\n" + returned).splitlines():
            if line and not line.startswith(("*", "\t")):
                self.assertRegex(line, r"[.:]\)?$")
        # Every code has its meaning, but for success.
        for code, meaning in re.findall(r"^\*(.*)\*\n(\t.*)?", returned, re.M):
            self.assertTrue(meaning or code == "TBS\\_SUCCESS", code)
        self.assertNotEqual(returned.strip(), "")

    def test_the_example_compiles_and_runs(self):
        folder = tempfile.mkdtemp(prefix="tbs-manual-")
        self.addCleanup(shutil.rmtree, folder)
        source = os.path.join(folder, "example.c")
        program = os.path.join(folder, "example")
        with open(source, "w", encoding="ascii") as file:
            file.write(self.example())
        library = os.environ["LIBTBS"]
        subprocess.run([*shlex.split(os.environ["CC"]), "-std=c11", "-Wall", "-Wextra", "-Werror",
                        "-I", os.path.join(TOP, "client", "include", "tbs"), source, library,
                        "-Wl,-rpath," + os.path.dirname(library), "-o", program],
                       check=True, timeout=DEADLINE)
        self.assertRegex(self.run_with_daemon(folder, program), "^[0-9a-f]{16}\n$")

    @staticmethod
    def example():
        section = page("tbs.3").split("# EXAMPLE", 1)[1]
        return section.split("```")[1].replace("\\\\", "\\")

    def run_with_daemon(self, folder, program):
        path = os.path.join(folder, "tbsd.sock")
        daemon = subprocess.Popen([TBSD, "--config", "/dev/null", "--device", "embedded",
                                   "--socket", path, "--state-dir", folder],
                                  stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + DEADLINE
            while not listens(path) and time.monotonic() < end:
                time.sleep(0.02)
            return subprocess.run([program], stdout=subprocess.PIPE, encoding="ascii", check=True,
                                  env={**os.environ, "TBS_SOCKET": path}, timeout=DEADLINE).stdout
        finally:
            daemon.terminate()
            daemon.wait(DEADLINE)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
