#!/usr/bin/env python3
"""tbsctl and tbsd in other locales and time zones: with a comma before decimals and another order of dates (de_DE.UTF-8),
numbers, JSON, messages and what is read from the command line are as in C, and dates are as documented.

The locale is compiled into a folder of the test's own. TBSD and TBSCTL in the environment name the programs."""

import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import event_logs
import odd_logs
import software_tpms
import tbsctl_test
import wire
from tbsctl_test import DEADLINE, GET_RANDOM_16, OK, TBSCTL, TBSD, USAGE

NEEDED = 77  # what Meson takes for a skipped test
SOURCES = "/usr/share/i18n/locales/de_DE"
HALF_PAST_FIVE = datetime.timedelta(hours=5, minutes=30)
UTC, EAST = "UTC0", "XYZ-5:30"
LOCAL_TIME = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})  ")
UTC_TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6})Z  ")

if not shutil.which("localedef") or not os.path.exists(SOURCES):
    print("skipped: needs localedef and the sources of locales (package locales)")
    sys.exit(NEEDED)


def kinds_of(document):
    """The fields of an object, and whether they are numbers."""
    return {name: isinstance(value, int) for name, value in document.items()}


class WithLocales(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-locale-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        german = os.path.join(cls.folder, "de_DE.UTF-8")
        # It ends with 1 when it has warnings.
        subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", german], stderr=subprocess.DEVNULL, check=False,
                       timeout=DEADLINE)
        # The C library never frees what it makes of LOCPATH.
        cls.german = {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LANGUAGE": "de", "LOCPATH": cls.folder,
                      "LSAN_OPTIONS": "detect_leaks=0"}
        cls.plain = {"LC_ALL": "C", "LANG": "C", "LANGUAGE": ""}

    @classmethod
    def start(cls, locale, *arguments):
        with mock.patch.dict(os.environ, locale):
            daemon = tbsctl_test.Daemon("embedded", arguments=arguments)
        cls.addClassCleanup(daemon.stop)
        return daemon

    def run_in(self, locale, *arguments, zone=UTC, **options):
        with mock.patch.dict(os.environ, {**locale, "TZ": zone}):
            return tbsctl_test.run(*arguments, **options)


class Locale(WithLocales):
    def test_it_has_an_effect_on_programs_that_ask_for_it(self):
        script = ("import locale; locale.setlocale(locale.LC_ALL, '');"
                  "print(locale.format_string('%.1f', 1234.5, grouping=True))")
        for locale, number in ((self.german, "1.234,5"), (self.plain, "1234.5")):
            said = subprocess.run([sys.executable, "-c", script], env={**os.environ, **locale}, check=True,
                                  capture_output=True, timeout=DEADLINE)
            self.assertEqual(said.stdout.decode().strip(), number)


class Answers(WithLocales):
    """A daemon in each locale."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.log = os.path.join(cls.folder, "log")
        log = event_logs.Log().usual()
        log.measure(8, event_logs.EV_IPL, "Schlüssel\0".encode())
        with open(cls.log, "wb") as file:
            file.write(log.bytes)
        arguments = ("--event-log", cls.log)
        cls.daemons = [cls.start(locale, *arguments) for locale in (cls.plain, cls.german)]

    def same(self, *arguments, code=None, **options):
        """What is printed, standard output and standard error: the same in both locales, and in another time zone."""
        def said():
            ran = [self.run_in(locale, *arguments, zone=zone, **options)
                   for locale, zone in ((self.plain, UTC), (self.german, EAST))]
            return [(each.code, each.out, each.err) for each in ran]

        # Again where they differ: what a TPM that is slow does not tell in its time is unknown.
        for _ in range(10):
            first, second = said()
            if first == second:
                break
        self.assertEqual(first, second, arguments)
        if code is not None:
            self.assertEqual(first[0], code, first)
        return first[1:]

    def test_every_subcommand(self):
        socket = self.daemons[1].socket_for({})
        explained = ("0x922", "EBUSY", GET_RANDOM_16, "80010000000a00000922")
        for arguments in (
                ("info",), ("pcr",), ("pcr", "sha256:0-7"), ("id",), ("log",), ("log", "-f", self.log), ("lockout",),
                ("policy", "explain", "12345", "TPM2_Clear"), ("ppi",), ("health", "--timeout", "30000"),
                ("cancel", "123456789"), *(("explain", text) for text in explained)):
            for json_too in ((), ("--json",)):
                with self.subTest(arguments=arguments, json=json_too):
                    self.same(*json_too, *arguments, socket=socket)

    def test_the_daemons_answers(self):
        for arguments in (("--json", "log"), ("log",), ("--json", "pcr"), ("ppi",), ("cancel", "123456789")):
            said = [self.run_in(self.plain, *arguments, socket=daemon.socket_for({})) for daemon in self.daemons]
            self.assertEqual(*((ran.code, ran.out, ran.err) for ran in said), arguments)

    def test_what_changes_from_one_time_to_the_next(self):
        socket = self.daemons[1].socket_for({})
        for arguments in (("status",), ("submit", GET_RANDOM_16), ("random", "1234"), ("doctor",)):
            with self.subTest(arguments=arguments):
                documents = [json.loads(self.run_in(locale, "--json", *arguments, socket=socket).out)
                             for locale in (self.plain, self.german)]
                self.assertEqual(*(kinds_of(document) for document in documents))
        texts = [self.run_in(locale, "status", socket=socket).out for locale in (self.plain, self.german)]
        self.assertEqual(*(re.sub(r"[0-9.]+|\b(us|ms|s|min)\b", "", text).split() for text in texts))

    def test_limits(self):
        """How much is used changes with whoever has just gone."""
        socket = self.daemons[1].socket_for({})
        said = []
        for locale in (self.plain, self.german):
            entries = json.loads(self.run_in(locale, "--json", "limits", socket=socket).out)
            lines = self.run_in(locale, "limits", socket=socket).out.splitlines()
            said.append(([(entry["name"], entry["limit"], entry["unit"]) for entry in entries],
                         [re.match(r"[a-zA-Z-]+ +[a-zA-Z ]+ (\d+( \w+)?)?", line)[0] for line in lines]))
        self.assertEqual(*said)
        self.assertIn(("max-contexts", 1024, None), said[0][0])

    def test_help_and_messages(self):
        for arguments in (("--help",), ("events", "--help"), ("--version",)):
            self.same(*arguments, code=OK)
        for arguments in (("statsu",), ("submit", "-f", "/nonexistent/x"), ("log", "-f", self.folder)):
            _, error = self.same(*arguments)
            self.assertTrue(error.startswith("tbsctl: "))

    def test_numbers_on_the_command_line(self):
        socket = self.daemons[1].socket_for({})
        for locale in (self.plain, self.german):
            ran = self.run_in(locale, "--json", "random", "1000", socket=socket)
            self.assertEqual(json.loads(ran.out)["count"], 1000, ran)
            ran = self.run_in(locale, "submit", GET_RANDOM_16, "--priority", "300", "--locality", "0", socket=socket)
            self.assertEqual(ran.code, OK, ran)
        for number in ("1.000", "1,000", "1,5", "1.5", "1'000", "1 000"):
            self.same("random", number, socket=socket, code=USAGE)
            self.same("submit", GET_RANDOM_16, "--priority", number, socket=socket, code=USAGE)

    def test_logs_with_certificates(self):
        for name, shape in odd_logs.secure_boot():
            path = os.path.join(self.folder, "odd")
            with open(path, "wb") as file:
                file.write(shape.bytes)
            with self.subTest(log=name):
                self.same("log", "-f", path)
                self.same("--json", "log", "-f", path)

    def test_the_daemons_numbers(self):
        said = []
        for locale in (self.plain, self.german):
            with mock.patch.dict(os.environ, locale):
                said.append(subprocess.run(
                    [TBSD, "--config", "/dev/null", "--print-config", "--max-contexts", "1234"],
                    check=True, capture_output=True, timeout=DEADLINE).stdout)
        self.assertIn(b"1234", said[0])
        self.assertEqual(said[0], said[1])


class Metrics(WithLocales):
    def test_a_point_before_decimals(self):
        path = os.path.join(self.folder, "metrics.sock")
        daemon = self.start(self.german, "--metrics-socket", path)
        tbsctl_test.run("random", "100", socket=daemon.socket_for({}))
        page = self.run_in(self.german, "metrics", "--from", path).out
        samples = [line for line in page.splitlines() if line and not line.startswith("#")]
        self.assertGreater(len(samples), 50)
        for sample in samples:
            self.assertRegex(sample, r"^[a-z_]+(\{.*\})? -?(\d+(\.\d+)?(e[+-]?\d+)?|\+Inf)$")
        self.assertTrue([sample for sample in samples if re.search(r" \d+\.\d+", sample)], "none has decimals")


class Dates(WithLocales):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = cls.start(cls.german)
        cls.socket = cls.daemon.socket_for({})

    def moments(self, pattern, text):
        found = [datetime.datetime.fromisoformat(pattern.match(line)[1]) for line in text.splitlines()]
        self.assertTrue(found)
        return [moment.replace(microsecond=0) for moment in found]

    def test_events(self):
        arguments = ("events", "--event", "device-ready")
        for locale in (self.plain, self.german):
            def said(*more, zone, locale=locale):
                ran = self.run_in(locale, *arguments, *more, socket=self.socket, zone=zone)
                self.assertEqual(ran.code, OK, ran)
                return ran.out

            utc = self.moments(UTC_TIME, said("--utc", zone=EAST))
            self.assertEqual(self.moments(LOCAL_TIME, said(zone=UTC)), utc)
            self.assertEqual(self.moments(LOCAL_TIME, said(zone=EAST)), [moment + HALF_PAST_FIVE for moment in utc])
            self.assertEqual(said("--json", zone=UTC), said("--json", zone=EAST))
            [event] = [json.loads(line) for line in said("--json", zone=EAST).splitlines()]
            since = datetime.datetime.fromtimestamp(event["number"] / 1_000_000, datetime.timezone.utc)
            self.assertEqual(since.strftime("%Y-%m-%dT%H:%M:%S"), event["time"][:19])
            self.assertEqual(since.replace(microsecond=0, tzinfo=None), utc[0])

    def capture(self, *arguments):
        """The line of one command, captured in a time zone of the East."""
        client = wire.Client(self.socket)
        self.addCleanup(client.close)
        seen = self.run_in(self.plain, "events", "--event", "capture", socket=self.socket).out
        environment = {**os.environ, **self.german, "TZ": EAST}
        process = subprocess.Popen([TBSCTL, "--socket", self.socket, "capture", "--count", "1", *arguments],
                                   stdout=subprocess.PIPE, env=environment)
        try:
            software_tpms.eventually(
                lambda: self.run_in(self.plain, "events", "--event", "capture", socket=self.socket).out != seen)
            before = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
            client.begin(wire.get_random(4))
            client.result()
            line = process.communicate(timeout=DEADLINE)[0].decode()
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        return before, line

    @unittest.skipUnless(os.getuid() == 0, "needs root to be an administrator")
    def test_capture(self):
        hour = datetime.timedelta(hours=1)  # more than any machine takes, less than the zones are apart
        before, line = self.capture("--utc")
        [utc] = self.moments(UTC_TIME, line)
        self.assertLess(abs(utc - before), hour)
        before, line = self.capture()
        [local] = self.moments(LOCAL_TIME, line)
        self.assertLess(abs(local - HALF_PAST_FIVE - before), hour)
        refused = self.run_in(self.german, "capture", "--utc", "-w", "-", socket=self.socket)
        self.assertEqual(refused.code, USAGE, refused)


if __name__ == "__main__":
    unittest.main(verbosity=2)
