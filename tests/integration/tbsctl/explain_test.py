#!/usr/bin/env python3
"""tbsctl explain: real commands of the embedded TPM and its answers taken apart, every code of tpm2-tss and of the system's
device in words, and bytes that are not in order.

TBSD, TBSCTL and CC in the environment name the programs."""

import errno
import json
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import unittest

from tbsctl_test import FAILED, OK, TPM, USAGE, WithDaemon, run

CC = os.environ["CC"]
GET_RANDOM = "80010000000c0000017b0010"


def command(code, *parts, sessions=False):
    body = b"".join(parts)
    return (struct.pack(">HII", 0x8002 if sessions else 0x8001, 10 + len(body), code) + body).hex()


def sized(data):
    return struct.pack(">H", len(data)) + data


def password(value):
    session = struct.pack(">IHB", 0x40000009, 0, 0) + sized(value)
    return struct.pack(">I", len(session)) + session


# An HMAC key below the owner, with a password of its own.
PASSWORD = b"not for the log"
PRIMARY = command(
    0x131, struct.pack(">I", 0x40000001), password(b""), sized(sized(PASSWORD) + sized(b"sealed")),
    sized(struct.pack(">HHI", 0x08, 0x0B, 0x52) + sized(b"") + struct.pack(">H", 0x10) + sized(b"")),
    sized(b""), struct.pack(">I", 0), sessions=True)


def explain(*arguments, **options):
    return run("explain", *arguments, **options)


def readings(*arguments, **options):
    ran = run("--json", "explain", *arguments, **options)
    assert ran.code == OK, ran
    return json.loads(ran.out)["readings"]


def fields(reading):
    return {field["name"]: field for field in reading["fields"]}


class RealMessages(WithDaemon):
    def submitted(self, text, code=OK):
        ran = self.tbsctl("submit", text)
        self.assertEqual(ran.code, code, ran)
        return ran.out.strip()

    def apart(self, *arguments):
        """The only way to read it. Its bytes are all there, in their order."""
        reading, = readings(*arguments)
        self.assertEqual(reading["faults"], [])
        parts = [field for field in reading["fields"] if field["kind"] != "group"]
        message = "".join(re.sub(r"\s", "", arguments[0]).split("0x"))
        at = 0
        for part in parts:
            self.assertEqual(part["offset"], at)
            at += part["size"]
            if not part["secret"]:
                self.assertEqual(part["value"], message[2 * part["offset"]:2 * at].lower())
        self.assertEqual(2 * at, len(message))
        return reading

    def test_random_numbers(self):
        self.assertEqual(fields(self.apart(GET_RANDOM))["bytesRequested"]["text"], "16")
        answer = self.submitted(GET_RANDOM)
        reading = self.apart(answer, "--response-of", "GetRandom")
        self.assertEqual(reading["command"], "TPM2_GetRandom")
        self.assertTrue(fields(reading)["randomBytes"]["secret"])
        self.assertIsNone(fields(reading)["randomBytes"]["value"])
        open_one, = readings(answer, "--response-of", "GetRandom", "--secrets")
        self.assertEqual(fields(open_one)["randomBytes"]["value"], answer[24:])

    def test_a_key_and_its_password(self):
        for secret in ((), ("--secrets",)):
            ran = explain(PRIMARY, *secret)
            self.assertEqual(ran.code, OK, ran)
            self.assertIn("TPM_RH_OWNER", ran.out)
            self.assertIn("TPM_ALG_KEYEDHASH", ran.out)
            self.assertEqual(PASSWORD.hex() in ran.out, bool(secret))
        self.apart(PRIMARY)
        answer = self.submitted(PRIMARY)
        reading = self.apart(answer, "--response-of", PRIMARY)
        self.assertEqual(reading["command"], "TPM2_CreatePrimary")
        self.assertRegex(fields(reading)["objectHandle"]["text"], "transient object 0x80......")
        self.assertEqual(fields(reading)["creationTicket"]["type"], "TPMT_TK_CREATION")

    def test_a_refusal_says_which_parameter(self):
        # RSA of 17 bits.
        wrong = command(
            0x131, struct.pack(">I", 0x40000001), password(b""), sized(sized(b"") + sized(b"")),
            sized(struct.pack(">HHI", 0x01, 0x0B, 0x00030072) + sized(b"") +
                  struct.pack(">HHHHHI", 0x06, 128, 0x43, 0x10, 17, 0) + sized(b"")),
            sized(b""), struct.pack(">I", 0), sessions=True)
        self.apart(wrong)
        answer = self.submitted(wrong, TPM)
        error = self.apart(answer, "--response-of", "CreatePrimary")["error"]
        self.assertEqual(error["where"], "parameter 2 (inPublic)")
        self.assertEqual(error["name"], "TPM_RC_VALUE")
        ran = explain(answer, "--response-of", "CreatePrimary")
        self.assertIn("TPM_RC_VALUE", ran.out)

    def test_what_the_tpm_can_do(self):
        for capability, first, expected in ((0, 1, "TPM_ALG_SHA256"), (2, 0x11F, "TPM2_GetRandom, 0 handles"),
                                            (5, 0, "PCR 0, 1, 2, 3"), (6, 0x100, 'TPM_PT_FAMILY_INDICATOR: "2.0"'),
                                            (8, 0, "TPM_ECC_NIST_P256"), (1, 0x40000000, "TPM_RH_OWNER")):
            asked = command(0x17A, struct.pack(">III", capability, first, 256))
            answer = self.submitted(asked)
            reading = self.apart(answer, "--response-of", "GetCapability")
            texts = [field["text"] for field in reading["fields"]]
            self.assertTrue(any(expected in text for text in texts), (expected, texts))

    def test_a_command_of_the_other_family(self):
        answer = self.submitted("00c1 0000000e 00000015 00000000", TPM)
        reading, = readings(answer)
        self.assertEqual(reading["kind"], "response")


class Codes(unittest.TestCase):
    def one(self, text):
        reading, = readings(text)
        for name in ("name", "layer", "text", "cause", "advice"):
            self.assertTrue(reading[name], (text, name))
        return reading

    def test_every_response_code_of_tpm2_tss(self):
        version = subprocess.run(["pkg-config", "--modversion", "tss2-mu"], capture_output=True, text=True,
                                 check=True).stdout
        if not version.startswith("3."):
            self.skipTest("a tpm2-tss that may know more than tbs")
        header = subprocess.run([*shlex.split(CC), "-E", "-dM", "-x", "c", "-include", "tss2/tss2_tpm2_types.h", "/dev/null"],
                                capture_output=True, text=True, check=True).stdout
        names = set(re.findall(r"^#define (TPM2_RC_[A-Z0-9_]+) \(\(TPM2_RC\)", header, re.MULTILINE))
        # Parts of codes, and what has a name for its place alone.
        parts = {"TPM2_RC_VER1", "TPM2_RC_FMT1", "TPM2_RC_WARN", "TPM2_RC_H", "TPM2_RC_P", "TPM2_RC_S",
                 "TPM2_RC_MAX_FM0", "TPM2_RC_N_MASK", "TPM2_RC_SUCCESS"}
        names -= parts | {name for name in names if re.fullmatch(r"TPM2_RC_[0-9A-F]", name)}
        self.assertGreater(len(names), 90)
        for name in sorted(names):
            with self.subTest(name):
                reading = self.one(name)
                if name == "TPM2_RC_BAD_TAG":  # a code of TPM 1.2
                    self.assertEqual(reading["name"], "TPM_BADTAG")
                    continue
                self.assertEqual(reading["name"], name.replace("TPM2_", "TPM_"))
                self.assertTrue(reading["tss2_rc"].startswith("tpm:"))

    def test_layers_tbs_and_tpm12(self):
        self.assertEqual(self.one("TSS2_FAPI_RC_NOT_PROVISIONED")["layer"], "the feature API layer")
        self.assertEqual(self.one("0xa000a")["name"], "TSS2_TCTI_RC_IO_ERROR")
        self.assertEqual(self.one("0xb0902")["layer"], "the resource manager layer")
        self.assertEqual(self.one("TBS_E_TOO_MANY_RESOURCES")["code"], 0x8028400A)
        self.assertEqual(self.one("0x80280400")["name"], "TPM_E_COMMAND_BLOCKED")
        self.assertEqual(self.one("TPM_WRONGPCRVAL")["family"], "TPM 1.2")

    def test_errors_of_the_device(self):
        for name in ("ETIME", "EBUSY", "ECANCELED", "ENODEV", "EPIPE", "EFAULT"):
            reading = self.one(name)
            self.assertEqual((reading["family"], reading["code"]), ("system", getattr(errno, name)))
            self.assertIn(name, [each["name"] for each in readings(str(getattr(errno, name)))])
            self.assertEqual(self.one(f"-{getattr(errno, name)}"), reading)

    def test_what_is_ambiguous_is_told_in_each_way(self):
        names = [reading["name"] for reading in readings("62")]
        self.assertEqual(names, ["TPM_BAD_SIGNATURE", "TPM_READ_ONLY", "ETIME"])
        text = explain("62").out
        self.assertLess(text.index("TPM_BAD_SIGNATURE (0x00000062)"), text.index("\nor\n"))
        self.assertIn("ETIME (62)", text)
        kinds = [reading["kind"] for reading in readings("80010000000a00000181")]
        self.assertEqual(kinds, ["command", "response"])

    def test_nothing_known(self):
        unknown = explain("0x9ff")
        self.assertEqual((unknown.code, unknown.out), (FAILED, ""))
        self.assertEqual(explain("TPM_RC_LOCKOU").code, USAGE)
        self.assertIn("did you mean TPM_RC_LOCKOUT?", explain("TPM_RC_LOCKOU").err)
        self.assertEqual(explain().code, USAGE)
        self.assertEqual(explain("0x922", "--response-of", "Nothing").code, USAGE)


class Bytes(unittest.TestCase):
    def test_however_they_are_written(self):
        expected = explain(GET_RANDOM).out
        spaced = re.sub("(..)", r"\1 ", GET_RANDOM)
        for text in (spaced, "0x" + GET_RANDOM, spaced.replace(" ", "\n"), spaced.strip().replace(" ", ", 0x")):
            with self.subTest(text):
                self.assertEqual(explain("0x" + text if ", 0x" in text else text).out, expected)
        self.assertEqual(explain(*spaced.split()).out, expected)
        self.assertEqual(explain("-", stdin=spaced.encode()).out, expected)
        self.assertEqual(explain("-", stdin=bytes.fromhex(GET_RANDOM)).out, expected)
        self.assertEqual(explain("-", stdin=b"0x922\n").out, explain("0x922").out)

    def test_faults_are_told_with_their_byte(self):
        cut = explain(GET_RANDOM[:-2])
        self.assertEqual(cut.code, FAILED)
        self.assertIn("TPM2_GetRandom", cut.out)
        self.assertIn("byte 10: bytesRequested takes 2 bytes", cut.err)
        self.assertEqual(cut.err.count("\n"), 1)
        as_json = run("--json", "explain", GET_RANDOM[:-2])
        self.assertEqual(as_json.code, FAILED)
        self.assertEqual(json.loads(as_json.out)["readings"][0]["faults"][1]["offset"], 10)
        odd = explain("80 01 0")
        self.assertEqual(odd.code, USAGE)
        self.assertIn("character 7", odd.err)

    def test_no_bytes_crash_it(self):
        whole = bytes.fromhex(PRIMARY)
        for size in range(0, len(whole), 3):
            ran = explain("-", stdin=whole[:size])
            self.assertIn(ran.code, (FAILED, USAGE), ran)
            self.assertNotIn(PASSWORD.hex()[:8], ran.out)


class Offline(unittest.TestCase):
    def test_without_a_daemon(self):
        self.assertEqual(run("--socket", "/nowhere", "explain", "EBUSY").code, OK)

    def test_beside_tpm2_rc_decode(self):
        decode = shutil.which("tpm2_rc_decode")
        if decode is None:
            self.skipTest("no tpm2-tools here")
        for code in ("0x922", "0x9a2", "0x2c4", "0xa000a", "0x70007"):
            theirs = subprocess.run([decode, code], capture_output=True, text=True, check=True).stdout.strip()
            self.assertEqual(readings(code)[0]["tss2_rc"], theirs)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
