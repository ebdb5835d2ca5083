#!/usr/bin/env python3
"""What tbsctl --json prints is what docs/json says: every subcommand, on a TPM 2.0, on swtpm, on a TPM 1.2, without a
TPM and without a daemon. That each subcommand has a schema is the unit tests' to check ([docs]).

TBSD, TBSCTL and SCHEMAS (docs/json) in the environment name what is tested."""

import copy
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import event_logs
import later_logs
import nobody
import odd_logs
import software_tpms
import tbsctl_test
import wire
from administration_test import (DICTIONARY_ATTACK_PARAMETERS, INDEX, LOCKOUT, NEEDS_ROOT, NV_DEFINE_SPACE, NV_READ,
                                 OWNER, command, sized, words)
from tbsctl_test import DEADLINE, GET_RANDOM_16, OK, TBS, TBSCTL, TPM, UNREACHABLE

NEEDED = 77  # what Meson takes for a skipped test

try:
    import jsonschema
except ImportError:
    print("skipped: needs python3-jsonschema")
    sys.exit(NEEDED)

NOT_READY = 6
SCHEMAS = {}
for path in glob.glob(os.path.join(os.environ["SCHEMAS"], "*.schema.json")):
    with open(path, encoding="utf-8") as opened:
        SCHEMAS[os.path.basename(path).removesuffix(".schema.json")] = json.load(opened)
# A machine that is busy needs longer than a probe has; nothing here asserts how long.
HEALTH = ("health", "--timeout", "30000")


def validate(subcommand, document):
    jsonschema.Draft202012Validator(SCHEMAS[subcommand]).validate(document)


def valid(subcommand, text):
    """The documents in a text, of which there is at least one."""
    lines = text.splitlines() if subcommand in ("events", "capture", "top") else [text]
    documents = [json.loads(line) for line in lines]
    if not documents:
        raise AssertionError(f"{subcommand}: no document")
    for document in documents:
        validate(subcommand, document)
    return documents


def parts_of(schema):
    """The schema and all that are in it."""
    yield schema
    for value in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(value, (dict, list)):
            yield from parts_of(value)


class Schemas(unittest.TestCase):
    def test_they_are_schemas(self):
        self.assertGreater(len(SCHEMAS), 15)
        for name, schema in SCHEMAS.items():
            with self.subTest(schema=name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_they_are_strict_and_every_field_is_described(self):
        for name, schema in SCHEMAS.items():
            for part in parts_of(schema):
                if not isinstance(part, dict) or not isinstance(part.get("properties"), dict):
                    continue
                self.assertIs(part["additionalProperties"], False, name)
                for field, about in part["properties"].items():
                    with self.subTest(schema=name, field=field):
                        self.assertIn("description", about)
                        for end, unit in (("_us", "microseconds"), ("_seconds", "seconds"), ("_bytes", "ytes")):
                            if field.endswith(end):
                                self.assertIn(unit, about["description"])

    def spoilt(self, document):
        """The document with one mistake, in each way that there is: a field more, each one missing, each one of
        another type."""
        yield {**document, "surprise": 1}
        for field in document:
            less = copy.deepcopy(document)
            del less[field]
            yield less
            yield {**document, field: 1.5}

    def test_what_is_wrong_is_refused(self):
        daemon = tbsctl_test.Daemon("embedded")
        self.addCleanup(daemon.stop)
        for subcommand in ("info", "status", "health", "lockout", "id"):
            ran = tbsctl_test.run("--json", subcommand, socket=daemon.socket_for({}))
            [good] = valid(subcommand, ran.out)
            for bad in self.spoilt(good):
                with self.subTest(subcommand=subcommand, document=bad), self.assertRaises(jsonschema.ValidationError):
                    validate(subcommand, bad)


class OnDaemon:
    """Every subcommand on a TPM of one kind."""

    HASH_SEQUENCE = wire.hash_sequence_start()
    REFUSED = {}  # by its schema: the exit code of a subcommand that this TPM has nothing for

    def start(self, device):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-json-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.presence = os.path.join(self.folder, "ppi")
        os.mkdir(self.presence)
        for name, text in (("version", "1.3\n"), ("request", "0\n"), ("transition_action", "2: Reboot\n"),
                           ("response", "5 0x0: Success\n"), ("tcg_operations", "5 4: User not required\n")):
            self.write(os.path.join("ppi", name), text.encode())
        log = event_logs.Log().usual()
        self.daemon = tbsctl_test.Daemon(device, arguments=(
            "--ppi", self.presence, "--event-log", self.write("log", log.bytes)))
        self.addCleanup(self.daemon.stop)
        self.client = wire.Client(self.daemon.socket_for({}))
        self.addCleanup(self.client.close)

    def write(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def ways(self):
        """How each subcommand is run, by its schema; each is a list of arguments."""
        rules = os.path.join(self.folder, "policy.d")
        if not os.path.exists(rules):
            os.mkdir(rules)
        number = str(self.client.number)
        return {
            "info": [["info"]],
            "status": [["status"]],
            "health": [HEALTH, (*HEALTH, "--passive")],
            "doctor": [["doctor"]],
            "contexts": [["contexts"], ["contexts", number], ["contexts", "--sort", "user"]],
            "top": [["top", "--interval", "0.1", "--count", "2"]],
            "limits": [["limits"]],
            "events": [["events"]],
            "lockout": [["lockout"], ["lockout", "--reset"], ["lockout", "--reset", "--uid", "12345"]],
            "policy-check": [["policy", "check", "--dir", rules]],
            "policy-explain": [["policy", "explain", "12345", "TPM2_GetRandom", "--dir", rules],
                               ["policy", "explain", "12345", "TPM2_Clear", "--dir", rules]],
            "cancel": [["cancel", number], ["cancel", "--pid", str(os.getpid())]],
            "submit": [["submit", GET_RANDOM_16], ["submit", "80010000000e0000017380ffffff"]],
            "random": [["random", "100"]],
            "explain": [["explain", text] for text in (
                "0x922", "TPM_AUTHFAIL", "TBS_E_BAD_PARAMETER", "EBUSY", "retry", GET_RANDOM_16, "80010000000c000001",
                "80010000000a00000922", "00c10000000a00000099", "8002000000110000017e00000000400000090001")],
            "log": [["log"], ["log", "--no-compare"]],
            "pcr": [["pcr"], ["pcr", "sha1:0-3"]],
            "ppi": [["ppi"], ["ppi", "--submit", "none"], ["ppi", "--submit", "clear", "--yes"]],
            "id": [["id"]],
            "restart": [["restart"]],
        }

    def tbsctl(self, *arguments):
        return tbsctl_test.run("--json", *arguments, socket=self.daemon.socket_for({}))

    def test_every_subcommand(self):
        # One that runs, and one that holds something.
        self.client.begin(self.HASH_SEQUENCE)
        self.client.result()
        ways = {**self.ways(), **self.started()}
        self.assertEqual(set(ways), set(SCHEMAS), "each schema is tried")
        for subcommand, list_of_arguments in ways.items():
            for arguments in list_of_arguments:
                with self.subTest(arguments=arguments):
                    ran = arguments() if callable(arguments) else self.tbsctl(*arguments)
                    if ran.code == self.REFUSED.get(subcommand, -1):
                        self.assertEqual(ran.out, "", ran)
                    else:
                        valid(subcommand, ran.out)

    def started(self):
        """Those that go on until they are ended."""
        return {"capture": [self.capture], "bridge": [
            lambda: self.bridge("raw"), lambda: self.bridge("mssim")]}

    def capture(self):
        events = ("events", "--event", "capture")
        before = self.tbsctl(*events).out
        process = subprocess.Popen(
            [TBSCTL, "--json", "--socket", self.daemon.socket_for({}), "capture", "--count", "3"], stdout=subprocess.PIPE)
        try:
            software_tpms.eventually(lambda: self.tbsctl(*events).out != before)
            for _ in range(3):
                self.client.begin(self.HASH_SEQUENCE)
                self.client.result()
            out, _ = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        return tbsctl_test.Ran(subprocess.CompletedProcess([], process.returncode, out, b""))

    def bridge(self, protocol):
        path = os.path.join(self.folder, "bridge-" + protocol)
        process = subprocess.Popen([TBSCTL, "--json", "bridge", "--protocol", protocol, path], stdout=subprocess.PIPE)
        text = b""
        try:
            while not text.endswith(b"}\n"):
                line = process.stdout.readline()
                self.assertTrue(line, "the bridge has ended")
                text += line
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        return tbsctl_test.Ran(subprocess.CompletedProcess([], OK, text, b""))


@NEEDS_ROOT
class Embedded(OnDaemon, unittest.TestCase):
    def setUp(self):
        self.start("embedded")

    def test_a_user_who_failed_and_a_lockout(self):
        public = words(INDEX) + b"\0\x0b" + words(0x00040004) + b"\0\0\0\x08"
        define = command(NV_DEFINE_SPACE, [OWNER], sized(b"secret") + sized(public))
        self.assertEqual(self.tbsctl("submit", define).code, OK)
        guess = tbsctl_test.run("submit", command(NV_READ, [INDEX, INDEX], b"\0\x08\0\0"), socket=self.daemon.socket,
                                **nobody.options(self.daemon.folder))
        self.assertEqual(guess.code, TPM, guess)
        [lockout] = valid("lockout", self.tbsctl("lockout").out)
        self.assertEqual([user["uid"] for user in lockout["users"]], [nobody.NOBODY])
        self.assertEqual(self.tbsctl("submit", command(DICTIONARY_ATTACK_PARAMETERS, [LOCKOUT],
                                                       words(0, 86400, 1000))).code, OK)
        [health] = valid("health", self.tbsctl(*HEALTH).out)
        self.assertEqual(health["health"], "degraded")
        valid("doctor", self.tbsctl("doctor").out)

    def test_a_tenant(self):
        tenants = os.path.join(self.folder, "tenants")
        os.mkdir(tenants)
        web = os.path.join(tenants, "web.sock")
        self.write("tenants/web.conf", f"socket = {web}\n".encode())
        daemon = tbsctl_test.Daemon("embedded", arguments=("--tenants-dir", tenants))
        self.addCleanup(daemon.stop)
        client = wire.Client(web)
        self.addCleanup(client.close)
        [contexts] = valid("contexts", tbsctl_test.run("--json", "contexts", socket=daemon.socket).out)
        self.assertIn("web", [entry["tenant"] for entry in contexts])
        for subcommand in ("limits", "lockout", "events"):
            valid(subcommand, tbsctl_test.run("--json", subcommand, socket=daemon.socket).out)

    def running_command(self):
        """One whose time limit, ten minutes, is longer than this takes."""
        return software_tpms.with_a_running_command(
            software_tpms.children_of(self.daemon.process.pid)[0],
            lambda: self.client.begin(wire.create_rsa_key(1)),
            lambda: valid("contexts", self.tbsctl("contexts", str(self.client.number)).out)[0]["state"],
            self.client.result)

    def test_a_command_on_the_tpm(self):
        with self.running_command():
            [contexts] = valid("contexts", self.tbsctl("contexts").out)
            self.assertIn("running", [entry["state"] for entry in contexts])
            for arguments in (("contexts", str(self.client.number)), ("status",), ("health",)):
                valid(arguments[0], self.tbsctl(*arguments).out)


@NEEDS_ROOT
@unittest.skipUnless(shutil.which("swtpm"), "needs swtpm")
class OnSwtpm(OnDaemon, unittest.TestCase):
    def setUp(self):
        folder = tempfile.mkdtemp(prefix="tbsctl-json-")
        self.addCleanup(shutil.rmtree, folder)
        swtpm = software_tpms.Swtpm(folder)
        self.addCleanup(swtpm.stop)
        self.start(swtpm.device)


@NEEDS_ROOT
class Tpm12(OnDaemon, unittest.TestCase):
    HASH_SEQUENCE = bytes.fromhex("00c10000000e0000004600000008")  # TPM_GetRandom
    REFUSED = {"random": TBS, "id": TBS}

    def setUp(self):
        self.start("embedded12")

    def ways(self):
        return {**super().ways(), "submit": [["submit", "00c10000000e0000004600000008"],
                                             ["submit", "00c10000000a0000fff0"]]}


class WithoutTpm(unittest.TestCase):
    def test_what_is_answered(self):
        daemon = tbsctl_test.Daemon("/nonexistent/tpm0", wait=False)
        self.addCleanup(daemon.stop)

        def ask(*arguments):
            return tbsctl_test.run("--json", *arguments, socket=daemon.socket_for({}))

        software_tpms.eventually(lambda: json.loads(ask("status").out)["device_state"] == "down")
        ran = ask("status")
        self.assertEqual(ran.code, NOT_READY, ran)
        valid("status", ran.out)
        [health] = valid("health", ask(*HEALTH).out)
        self.assertEqual((health["health"], health["device_state"]), ("down", "down"))
        for subcommand in ("doctor", "contexts", "limits", "events"):
            valid(subcommand, ask(subcommand).out)

    def test_without_a_daemon(self):
        nowhere = "/nonexistent/tbsd.sock"
        [health] = valid("health", tbsctl_test.run("--json", *HEALTH, socket=nowhere).out)
        self.assertEqual((health["health"], health["version"]), ("down", None))
        valid("doctor", tbsctl_test.run("--json", "doctor", socket=nowhere).out)
        valid("explain", tbsctl_test.run("--json", "explain", "0x922", socket=nowhere).out)
        ran = tbsctl_test.run("--json", "status", socket=nowhere)
        self.assertEqual((ran.code, ran.out), (UNREACHABLE, ""), ran)


class Logs(unittest.TestCase):
    """Logs of every shape."""

    def decode(self, data, *arguments):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            return valid("log", tbsctl_test.run("--json", "log", "--file", file.name, *arguments).out)[0]

    def test_odd_logs(self):
        shapes = set()
        for name, shape in odd_logs.shapes().items():
            with self.subTest(log=name):
                for event in self.decode(shape.bytes)["events"]:
                    shapes.add(tuple(sorted(event["details"] or {})))
        self.assertGreater(len(shapes), 15)

    def test_ima_and_systemd(self):
        ima, systemd = later_logs.ImaList().usual(), later_logs.MeasureLog().usual()
        for log in (ima.bytes, ima.text, systemd.bytes):
            self.assertTrue(self.decode(log)["later_logs"][0]["events"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
