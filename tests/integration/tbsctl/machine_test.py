#!/usr/bin/env python3
"""tbsctl log, pcr, ppi and id against the real tbsd on an embedded TPM: logs of both layouts, decoded
the same way by tpm2_eventlog, replayed and compared with PCRs that really were extended.

TBSD and TBSCTL in the environment name the programs."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

import event_logs
import later_logs
import nobody
import tbsctl_test as base

OK, FAILED, USAGE, TBS = base.OK, base.FAILED, base.USAGE, base.TBS


def pcrs_by_tpm2_tools(path):
    """What tpm2_eventlog makes of the log: {(bank, pcr): hex}."""
    text = subprocess.run(["tpm2_eventlog", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True, timeout=base.DEADLINE, encoding="utf-8").stdout
    banks, bank = {}, None
    for line in text.split("\npcrs:\n")[1].splitlines():
        if match := re.match(r"  (\w+):$", line):
            bank = match[1]
        elif match := re.match(r"    (\d+) +: 0x([0-9a-f]+)$", line):
            banks[bank, int(match[1])] = match[2]
    return banks


class Files(unittest.TestCase):
    """Logs in files: no daemon, no TPM."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-log-")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, log):
        path = os.path.join(self.folder, "log")
        with open(path, "wb") as file:
            file.write(log)
        return path

    def decode(self, log, code=OK):
        ran = base.run("--json", "log", "--file", self.write(log))
        self.assertEqual(ran.code, code, ran)
        return json.loads(ran.out)

    def check_pcrs(self, log, tpm2_tools=True):
        decoded = self.decode(log.bytes)
        ours = {(p["bank"], p["pcr"]): p["log"] for p in decoded["pcrs"]}
        self.assertEqual(ours, {key: value.hex() for key, value in log.pcrs.items()})
        if tpm2_tools and shutil.which("tpm2_eventlog"):
            self.assertEqual(ours, pcrs_by_tpm2_tools(self.write(log.bytes)))
        return decoded

    def test_crypto_agile(self):
        log = event_logs.Log(banks=("sha1", "sha256", "sha384")).usual()
        decoded = self.check_pcrs(log)
        self.assertEqual(decoded["format"], "crypto-agile")
        self.assertEqual(decoded["banks"], ["sha1", "sha256", "sha384"])
        self.assertEqual(decoded["events"][0]["text"],
                         "Spec ID Event03, version 2.0 errata 0; sha1, sha256, sha384")
        for event, (pcr, kind, data) in zip(decoded["events"][1:], event_logs.USUAL, strict=True):
            self.assertEqual((event["pcr"], event["type"]), (pcr, kind))
            self.assertEqual(event["data"], data.hex())
        texts = " ".join(event["text"] for event in decoded["events"])
        self.assertIn("SecureBoot: on", texts)
        self.assertIn("\\EFI\\debian\\shimx64.efi (934680 bytes)", texts)
        self.assertIn("1.02.3", texts)

    def test_sha1(self):
        decoded = self.check_pcrs(event_logs.Log(banks=None).usual())
        self.assertEqual(decoded["format"], "sha1")
        self.assertIsNone(decoded["fault"])

    def test_the_locality_of_the_start_counts(self):
        # tpm2_eventlog of tpm2-tools 5.4 leaves it out.
        self.check_pcrs(event_logs.Log(banks=("sha256",), locality=3).usual(), tpm2_tools=False)

    def test_filling_at_the_end_is_no_fault(self):
        log = event_logs.Log().usual()
        for filling in (b"\0" * 1000, b"\xff" * 1000):
            self.assertIsNone(self.decode(log.bytes + filling)["fault"])

    def test_a_damaged_log_is_shown_as_far_as_it_goes(self):
        whole = event_logs.Log().usual()
        decoded = self.decode(whole.bytes[:-1], FAILED)
        self.assertEqual(len(decoded["events"]), len(event_logs.USUAL))
        self.assertIn("record 15 at byte", decoded["fault"])
        ran = base.run("log", "--file", self.write(whole.bytes[:-1]))
        self.assertEqual(ran.code, FAILED)
        self.assertIn("damaged: record 15", ran.err)
        self.assertIn("EV_S_CRTM_VERSION", ran.out)

    def test_text_in_a_log_does_not_steer_the_terminal(self):
        log = event_logs.Log().measure(8, event_logs.EV_IPL, b"\x1b[31mred")
        self.assertNotIn(b"\x1b", base.run("log", "--file", self.write(log.bytes)).bytes)

    def test_padding_in_the_events_of_the_start(self):
        for padding in (1, 3, 15):
            log = event_logs.Log(banks=("sha256",), locality=3, padding=padding)
            self.check_pcrs(log.usual(), tpm2_tools=False)

    def test_an_hcrtm(self):
        log = event_logs.Log(banks=("sha1", "sha256"), hcrtm=b"boot block").usual()
        decoded = self.check_pcrs(log, tpm2_tools=False)
        self.assertEqual(decoded["events"][1]["text"], "HCRTM")
        alone = event_logs.Log(banks=("sha256",), hcrtm=b"boot block")
        self.assertEqual(self.check_pcrs(alone, tpm2_tools=False)["pcrs"][0]["log"],
                         "cc93748144d49892336ad97b6f562a2974866c93ba7cb27fa49b040f81fbc52d")

    def test_files_that_cannot_be_read(self):
        empty, secret = self.write(b""), os.path.join(self.folder, "secret")
        with open(secret, "wb"):
            pass
        os.chmod(secret, 0)
        wrong = {"/nonexistent/log": "No such file or directory", self.folder: "it is a folder",
                 empty: "is empty", empty + "/log": "it is no folder"}
        if os.getuid() != 0:
            wrong[secret] = "Permission denied"
        for path, reason in wrong.items():
            for command in (("log", "-f", path), ("submit", "-f", path)):
                ran = base.run(*command)
                self.assertIn(ran.code, (FAILED, USAGE), ran)
                self.assertEqual((ran.out, ran.err.count("\n")), ("", 1), ran)
                self.assertIn(reason, ran.err)
                self.assertIn(path, ran.err)
                self.assertNotIn("internal error", ran.err)

    def test_a_log_from_standard_input(self):
        log = event_logs.Log().usual()
        ran = base.run("--json", "log", "-f", "-", stdin=log.bytes)
        self.assertEqual(ran.code, OK, ran)
        self.assertEqual(len(json.loads(ran.out)["events"]), len(event_logs.USUAL) + 1)

    def test_a_message_does_not_steer_the_terminal(self):
        ran = base.run("log", "-f", "/nonexistent/\x1b[31m\u202e\u00fc")
        self.assertEqual(ran.code, FAILED)
        self.assertIn("/nonexistent/?[31m?\u00fc", ran.err)


class Comparing(base.WithDaemon):
    """A TPM that was extended by the log, and what happens when one of them says otherwise."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-machine-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.path = os.path.join(cls.folder, "log")
        open(cls.path, "wb").close()
        cls.daemon = base.Daemon("embedded", arguments=["--event-log", cls.path])
        cls.addClassCleanup(cls.daemon.stop)

    def test_in_order(self):
        ran = self.tbsctl("log")
        self.assertEqual(ran.code, TBS)
        self.assertIn("TBS_E_NO_EVENT_LOG", ran.err)
        banks = [bank for bank in event_logs.ALGORITHMS if bank in self.json("pcr")]
        self.log = event_logs.Log(banks=banks)
        self.log.usual()
        self.write()
        self.before_anything()
        self.extend()
        self.agreement()
        self.log_goes_on()
        self.tpm_goes_on()

    def write(self):
        with open(self.path, "wb") as file:
            file.write(self.log.bytes)

    def extend(self):
        client = self.client()
        for pcr, digests in self.log.measured:
            client.begin(event_logs.pcr_extend(pcr, digests))
            self.assertEqual(client.result()[2][6:10], bytes(4))

    def before_anything(self):
        ran = self.tbsctl("log")
        self.assertEqual(ran.code, FAILED)
        self.assertIn("PCR 0 (sha1) of the TPM has not seen event 1 (EV_S_CRTM_VERSION)", ran.err)

    def agreement(self):
        decoded = self.json("log")
        self.assertIsNone(decoded["first_mismatch"])
        self.assertEqual({pcr["result"] for pcr in decoded["pcrs"]}, {"equal"})
        self.assertIn(" equal", self.ok("log").out)
        self.assertEqual(self.ok("log", "--raw").bytes, self.log.bytes)
        self.assertNotIn("tpm", self.json("log", "--no-compare")["pcrs"][0])
        read = self.json("pcr")
        for (bank, pcr), value in self.log.pcrs.items():
            self.assertEqual(read[bank][str(pcr)], value.hex())

    def log_goes_on(self):
        count = len(self.log.measured)
        self.log.measure(7, event_logs.EV_IPL, b"only in the log")
        self.write()
        ran = self.tbsctl("--json", "log")
        mismatch = json.loads(ran.out)["first_mismatch"]
        self.assertEqual(ran.code, FAILED)
        self.assertEqual((mismatch["bank"], mismatch["pcr"], mismatch["result"]),
                         ("sha1", 7, "earlier"))
        self.assertEqual(mismatch["first_unseen"], count + 1)

    def tpm_goes_on(self):
        client = self.client()
        digests = {"sha256": bytes(range(32))}
        client.begin(event_logs.pcr_extend(4, digests))
        client.result()
        ran = self.tbsctl("log")
        self.assertEqual(ran.code, FAILED)
        mismatches = [p for p in json.loads(self.tbsctl("--json", "log").out)["pcrs"]
                      if p["result"] == "differs"]
        self.assertEqual([(p["bank"], p["pcr"]) for p in mismatches], [("sha256", 4)])

    def test_a_log_of_more_parts_than_one(self):
        log = event_logs.Log()
        for number in range(3000):
            log.measure(14, event_logs.EV_IPL, b"%d" % number * 20)
        path = os.path.join(self.folder, "long")
        with open(path, "wb") as file:
            file.write(log.bytes)
        daemon = base.Daemon("embedded", arguments=["--event-log", path])
        self.addCleanup(daemon.stop)
        raw = base.run("log", "--raw", socket=daemon.socket_for({}))
        self.assertGreater(len(log.bytes), 3 * 65536)
        self.assertEqual(raw.bytes, log.bytes)


class LaterLogs(base.WithDaemon):
    """A TPM that firmware, systemd and IMA have extended, and their three logs."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbsctl-later-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.path = os.path.join(cls.folder, "log")
        cls.firmware = event_logs.Log(banks=("sha1", "sha256")).usual()
        cls.put("log", cls.firmware.bytes)
        cls.daemon = base.Daemon("embedded", arguments=["--event-log", cls.path])
        cls.addClassCleanup(cls.daemon.stop)

    @classmethod
    def put(cls, name, content):
        path = os.path.join(cls.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def log(self, systemd, ima):
        ran = self.tbsctl("--json", "log", "--userspace", systemd, "--ima", ima)
        return ran, json.loads(ran.out)

    def test_all_of_them_explain_the_pcrs(self):
        client = self.client()
        # The kernel extends all banks that the TPM has.
        ima = later_logs.ImaList(banks=[bank for bank in event_logs.ALGORITHMS if bank in self.json("pcr")]).usual()
        systemd = later_logs.MeasureLog().usual()
        in_pcrs = [each for each in systemd.measured if each[0] < 24]
        measured = self.firmware.measured + in_pcrs + ima.measured
        for pcr, digests in measured:
            client.begin(event_logs.pcr_extend(pcr, digests))
            self.assertEqual(client.result()[2][6:10], bytes(4))
        systemd_log = self.put("systemd", systemd.bytes)
        for content in (ima.bytes, ima.text):
            ran, decoded = self.log(systemd_log, self.put("ima", content))
            self.assertEqual(ran.code, OK, ran.err)
            equal = {(p["bank"], p["pcr"]) for p in decoded["pcrs"] if p["result"] == "equal"}
            self.assertLessEqual({("sha1", 10), ("sha256", 10), ("sha256", 11), ("sha256", 15), ("sha1", 4)}, equal)
        events = len(self.firmware.measured) + 1
        later = decoded["later_logs"]
        self.assertEqual([log["events"][0]["event"] for log in later], [events, events + 5])
        # One more file in the list than in the TPM.
        ima.ng(b"/usr/bin/later")
        ran, decoded = self.log(systemd_log, self.put("ima", ima.bytes))
        self.assertEqual(ran.code, FAILED)
        self.assertEqual(decoded["first_mismatch"]["last_seen"], events + 5 + 3)
        self.assertIn(f"has not seen event {events + 5 + 4} (ima-ng)", ran.err)
        # One more event in the TPM than in the log.
        client.begin(event_logs.pcr_extend(15, {"sha256": bytes(32)}))
        client.result()
        ran = self.tbsctl("log", "--userspace", systemd_log)
        self.assertIn("PCR 15 (sha256) is ", ran.err)
        self.assertIn("something that is not in the log was measured", ran.err)

    def test_the_firmwares_bytes_alone_are_raw(self):
        self.assertIn("--raw prints the firmware's log alone", self.refused(USAGE, "log", "--raw", "--ima", "auto"))

    def test_a_log_that_is_not_there(self):
        missing = os.path.join(self.folder, "missing")
        for option in ("--ima", "--userspace"):
            self.assertIn("cannot read " + missing, self.refused(FAILED, "log", option, missing))


def index_command(code, index, tail):
    """With an empty password; NV_DefineSpace names the index in `tail`."""
    handles = struct.pack(">I", 0x40000001) if index is None else struct.pack(">II", index, index)
    body = handles + struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0) + tail
    return struct.pack(">HII", 0x8002, 10 + len(body), code) + body


def define_extended(index):
    """TPM2_NV_DefineSpace of a SHA-256 index that is extended, with systemd's attributes."""
    public = struct.pack(">IHIHH", index, 0x0B, 0x0E060046, 0, 32)
    return index_command(0x12A, None, struct.pack(">HH", 0, len(public)) + public)


def nv_extend(index, digest):
    return index_command(0x136, index, struct.pack(">H", len(digest)) + digest)


class NvPcrs(base.WithDaemon):
    """NV indices that are extended as systemd does it, and its log. Each test has a TPM of its own."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        folder = tempfile.mkdtemp(prefix="tbsctl-nvpcrs-")
        self.addCleanup(shutil.rmtree, folder)
        self.systemd = os.path.join(folder, "systemd")
        firmware = event_logs.Log(banks=("sha1", "sha256")).usual()
        path = os.path.join(folder, "log")
        with open(path, "wb") as file:
            file.write(firmware.bytes)
        self.daemon = base.Daemon("embedded", arguments=["--event-log", path])
        self.addCleanup(self.daemon.stop)
        self.tpm = self.client()
        self.log = later_logs.MeasureLog()
        self.measure(firmware.measured)

    def run_on_tpm(self, *commands):
        for command in commands:
            self.tpm.begin(command)
            self.assertEqual(self.tpm.result()[2][6:10], bytes(4))

    def measure(self, measured):
        for register, digests in measured:
            self.run_on_tpm(event_logs.pcr_extend(register, digests) if register < 24
                            else nv_extend(register, digests["sha256"]))

    def compared(self):
        """The exit code, what is said on stderr, and {NvPCR: result}."""
        with open(self.systemd, "wb") as file:
            file.write(self.log.bytes)
        ran = self.tbsctl("--json", "log", "--userspace", self.systemd)
        return ran.code, ran.err, {p["nv_index"]: p["result"] for p in json.loads(ran.out)["pcrs"] if p["nv_index"]}

    def test_they_are_compared(self):
        hardware, cryptsetup = later_logs.NVPCRS["hardware"], later_logs.NVPCRS["cryptsetup"]
        secret = b"\x5a" * 32
        self.log.begins("cryptsetup", hashlib.sha256(bytes(32) + secret).digest()).begins_with_zeros("hardware")
        self.log.record("product-id", "product-id:missing", nv="hardware")
        for kind in ("tpm2:1", "fido2:2"):
            self.log.record("keyslot", "cryptsetup-keyslot:root:1e02:" + kind, nv="cryptsetup")
        self.assertEqual(self.compared()[2], {"hardware": "absent", "cryptsetup": "absent"})
        self.run_on_tpm(define_extended(hardware), define_extended(cryptsetup), nv_extend(cryptsetup, secret))
        self.measure(self.log.measured[:-1])
        code, said, results = self.compared()
        self.assertEqual((code, results), (FAILED, {"hardware": "equal", "cryptsetup": "earlier"}))
        self.assertRegex(said, r"NvPCR cryptsetup \(sha256\) of the TPM has not seen event \d+ \(keyslot\)")
        self.measure(self.log.measured[-1:])
        self.assertEqual(self.compared(), (OK, "", {"hardware": "equal", "cryptsetup": "equal"}))
        self.assertRegex(self.tbsctl("log", "--userspace", self.systemd).out, r"(?m)^sha256 +cryptsetup +[0-9a-f]{64} +equal$")
        self.run_on_tpm(nv_extend(hardware, secret))
        code, said, results = self.compared()
        self.assertEqual((code, results["hardware"]), (FAILED, "differs"))
        self.assertRegex(said, "NvPCR hardware .* the log may not say what systemd began it with")

    def test_one_that_was_never_written_to(self):
        self.log.record("product-id", "product-id:missing", nv="hardware")
        self.run_on_tpm(define_extended(later_logs.NVPCRS["hardware"]))
        self.assertEqual(self.compared()[2], {"hardware": "earlier"})

    def test_an_index_that_is_something_else(self):
        self.log.record("product-id", "product-id:missing", nv="hardware")
        public = struct.pack(">IHIHH", later_logs.NVPCRS["hardware"], 0x0B, 0x02060006, 0, 32)
        self.run_on_tpm(index_command(0x12A, None, struct.pack(">HH", 0, len(public)) + public))
        self.assertEqual(self.compared(), (OK, "", {"hardware": "absent"}))


class Registers(base.WithDaemon):
    def test_selections(self):
        everything = self.json("pcr")
        self.assertIn("sha256", everything)
        self.assertEqual(len(everything["sha256"]), 24)
        self.assertEqual(everything["sha256"]["17"], "ff" * 32)
        some = self.json("pcr", "sha256:0,7-9+sha1:3")
        self.assertEqual(list(some["sha256"]), ["0", "7", "8", "9"])
        self.assertEqual(list(some["sha1"]), ["3"])
        lines = self.ok("pcr", "sha256:16").out.splitlines()
        self.assertEqual(lines[1].split(), ["sha256", "16", "00" * 32])
        self.assertIn("TPM_RC_HASH", self.refused(base.TPM, "pcr", "0x0027"))
        for wrong in ("md5", "sha256:24", "sha256:", "sha256:3-1", "sha256:x"):
            self.refused(USAGE, "pcr", wrong)

    def test_id(self):
        text = self.ok("id").out
        self.assertRegex(text, "^[0-9a-f]{64}\n$")
        self.assertEqual(self.json("id"), {"id": text.strip(), "key": "P-256"})

    def test_what_is_not_there(self):
        self.assertIn("TBS_E_NO_EVENT_LOG", self.refused(TBS, "log", "--raw"))
        self.assertIn("TBS_E_PPI_NOT_SUPPORTED", self.refused(TBS, "ppi"))


class OldRegisters(base.WithDaemon):
    DEVICE = "embedded12"

    def test_pcr(self):
        read = self.json("pcr")
        self.assertEqual(list(read), ["sha1"])
        self.assertEqual(len(read["sha1"]), 24)
        self.assertEqual(list(self.json("pcr", "sha1:3,5")["sha1"]), ["3", "5"])

    def test_there_is_no_identifier(self):
        self.assertIn("TBS_E_TPM_NOT_FOUND", self.refused(TBS, "id"))


class Presence(unittest.TestCase):
    FILES = {"version": "1.3\n", "request": "0\n", "transition_action": "2: Reboot\n",
             "response": "5 0xFFFFFFF0: User Abort\n",
             "tcg_operations": "5 3: Allowed and physically present user required\n"}

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tbsctl-ppi-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name, text in self.FILES.items():
            self.write(name, text)
        self.daemon = base.Daemon("embedded", arguments=["--ppi", self.folder])
        self.addCleanup(self.daemon.stop)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="ascii") as file:
            file.write(text)

    def request(self):
        with open(os.path.join(self.folder, "request"), encoding="ascii") as file:
            return file.read()

    def ppi(self, *arguments):
        return base.run(*arguments, socket=self.daemon.socket_for({}))

    def test_show(self):
        shown = self.ppi("ppi").out
        self.assertRegex(shown, r"Version: +1\.3\n")
        self.assertRegex(shown, r"Pending operation: +none \(0\)\n")
        self.assertRegex(shown, r"Last operation: +clear \(5\)\n")
        self.assertRegex(shown, r"Result: +the user said no")
        self.assertEqual(json.loads(self.ppi("--json", "ppi").out),
                         {"version": "1.3", "pending": 0, "transition": 2, "last_operation": 5,
                          "last_response": 0xFFFFFFF0})

    def test_submit_warns(self):
        ran = self.ppi("ppi", "--submit", "clear")
        self.assertEqual(ran.code, USAGE)
        self.assertIn("destroys every key", ran.err)
        self.assertEqual(self.request(), "0\n")
        ran = self.ppi("ppi", "--submit", "clear", "--yes")
        self.assertEqual(ran.code, OK, ran)
        self.assertIn("warning", ran.err)
        self.assertIn("allowed when a user confirms; required to apply: restart", ran.out)
        self.assertTrue(self.request().startswith("5"))
        ran = self.ppi("--json", "ppi", "--submit", "23", "--parameter", "0x10", "--yes")
        self.assertEqual(json.loads(ran.out)["operation"], 23)
        self.assertTrue(self.request().startswith("23 16"))
        self.assertEqual(self.ppi("ppi", "--submit", "none").code, OK)
        self.assertEqual(self.ppi("ppi", "--submit", "soon").code, USAGE)

    def test_submitting_is_for_administrators(self):
        if os.getuid() != 0:
            self.skipTest("only root can take another user's place")
        ran = base.run("ppi", "--submit", "5", "--yes", socket=self.daemon.socket,
                       **nobody.options(self.daemon.folder))
        self.assertEqual(ran.code, TBS, ran)
        self.assertIn("TBS_E_ACCESS_DENIED", ran.err)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
