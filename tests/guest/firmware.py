#!/usr/bin/env python3
"""What firmware tells a kernel, seen through tbsd, tbsctl and libtbs: the event log of this very
boot, and the physical presence interface that ACPI has. firmware.py seabios, or firmware.py ovmf.

SeaBIOS measures little and takes no operation; UEFI does both. TBSD, TBSCTL and LIBTBS in the
environment name the programs and the library."""

import ctypes
import json
import os
import pathlib
import shutil
import struct
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration/tbsctl"))
import event_logs  # noqa: E402
import machine_test  # noqa: E402
import nobody  # noqa: E402
import tbsctl_test as base  # noqa: E402

FIRMWARE = sys.argv.pop(1)
CHIP = next(pathlib.Path("/sys/class/tpm").iterdir())
LOG = pathlib.Path("/sys/kernel/security") / CHIP.name / "binary_bios_measurements"
OLD = (CHIP / "tpm_version_major").read_text(encoding="ascii").strip() == "1"
PRESENCE = pathlib.Path(os.path.realpath(CHIP / "ppi"))
NO_OPERATIONS = "SeaBIOS takes no operation, and keeps no account of them"
ACCESS_DENIED = "TBS_E_ACCESS_DENIED"
# Operations of the physical presence interface, and what it says of them.
CLEAR, SET_BANKS, SHA256_ALONE, UNKNOWN = 5, 23, 2, 7
NOT_IMPLEMENTED, WITH_A_USER = 0, 3


class OnThisMachine(base.WithDaemon):
    """tbsd on the kernel's TPM, with the machine's own log and interface: the defaults."""

    @classmethod
    def setUpClass(cls):
        state = tempfile.mkdtemp(prefix="tbsd-state-")
        cls.addClassCleanup(shutil.rmtree, state)
        cls.daemon = base.Daemon("auto", arguments=["--state-dir", state])
        cls.addClassCleanup(cls.daemon.stop)
        cls.library = ctypes.CDLL(os.environ["LIBTBS"])
        cls.library.Tbsx_Set_Socket(cls.daemon.admin_socket.encode())
        cls.context = ctypes.c_void_p()
        both_families = struct.pack("<II", 2, 2 | 4)
        result = cls.library.Tbsi_Context_Create(both_families, ctypes.byref(cls.context))
        assert result == 0, hex(result)

    @classmethod
    def tearDownClass(cls):
        cls.library.Tbsip_Context_Close(cls.context)


class EventLog(OnThisMachine):
    def test_it_is_the_kernels(self):
        self.assertEqual(self.ok("log", "--raw").bytes, LOG.read_bytes())

    def test_it_comes_through_the_library(self):
        size = ctypes.c_uint32()
        call = self.library.Tbsi_Get_TCG_Log
        self.assertEqual(call(self.context, None, ctypes.byref(size)), 0)
        buffer = ctypes.create_string_buffer(size.value)
        self.assertEqual(call(self.context, buffer, ctypes.byref(size)), 0)
        self.assertEqual(buffer.raw[:size.value], LOG.read_bytes())

    def test_replaying_it_gives_the_registers(self):
        decoded = self.json("log")
        self.assertIsNone(decoded["fault"])
        self.assertEqual(decoded["format"], "sha1" if OLD else "crypto-agile")
        self.assertEqual({pcr["result"] for pcr in decoded["pcrs"]}, {"equal"})
        kinds = {event["type"] for event in decoded["events"]}
        self.assertIn(event_logs.EV_SEPARATOR, kinds)
        if FIRMWARE == "ovmf":
            self.assertIn(event_logs.EV_BOOT_SERVICES_APPLICATION, kinds)
            self.assertTrue(any("SecureBoot" in event["text"] for event in decoded["events"]))
        registers = self.json("pcr")
        for pcr in decoded["pcrs"]:
            self.assertEqual(registers[pcr["bank"]][str(pcr["pcr"])], pcr["log"])
        if not OLD and shutil.which("tpm2_eventlog"):
            self.assertEqual(machine_test.pcrs_by_tpm2_tools(LOG),
                             {(pcr["bank"], pcr["pcr"]): pcr["log"] for pcr in decoded["pcrs"]})

    @unittest.skipIf(OLD, "the other test says it for both families")
    def test_what_the_log_does_not_know_is_noticed(self):
        """Last of the class, by its name."""
        client = self.client()
        client.begin(event_logs.pcr_extend(5, {"sha256": bytes(range(32))}))
        self.assertEqual(client.result()[2][6:10], bytes(4))
        ran = self.tbsctl("--json", "log")
        self.assertEqual(ran.code, base.FAILED)
        wrong = [pcr for pcr in json.loads(ran.out)["pcrs"] if pcr["result"] != "equal"]
        self.assertEqual([(pcr["bank"], pcr["pcr"]) for pcr in wrong], [("sha256", 5)])


class Presence(OnThisMachine):
    def setUp(self):
        self.addCleanup(self.tbsctl, "ppi", "--submit", "none")

    def call(self, *words):
        """Tbsi_Physical_Presence_Command: the integers that it gives."""
        command = struct.pack(f"<{len(words)}I", *words)
        output = ctypes.create_string_buffer(64)
        size = ctypes.c_uint32(len(output))
        result = self.library.Tbsi_Physical_Presence_Command(
            self.context, command, len(command), output, ctypes.byref(size))
        self.assertEqual(result, 0)
        if words == (1,):
            return output.value.decode()
        return struct.unpack(f"<{size.value // 4}I", output.raw[:size.value])

    def requested(self):
        return (PRESENCE / "request").read_text(encoding="ascii").split()

    def test_what_the_machine_says_of_itself(self):
        shown = self.json("ppi")
        self.assertEqual((shown["version"], shown["transition"]), ("1.3", 2))
        self.assertEqual(self.call(1), "1.3")
        self.assertEqual(self.call(4), (2,))

    def test_an_operation_that_is_not_there(self):
        before = self.requested()
        ran = self.tbsctl("ppi", "--submit", str(UNKNOWN), "--yes")
        self.assertEqual(ran.code, base.FAILED, ran)
        self.assertIn("it is not implemented", ran.err)
        self.assertEqual(self.call(8, UNKNOWN), (NOT_IMPLEMENTED,))
        self.assertEqual(self.call(2, UNKNOWN), (1,))
        self.assertEqual(self.requested(), before)

    @unittest.skipIf(FIRMWARE == "seabios", NO_OPERATIONS)
    def test_nothing_is_asked_for_at_first(self):
        shown = self.json("ppi")
        self.assertEqual([shown[name] for name in ("pending", "last_operation", "last_response")],
                         [0, 0, 0])
        self.assertEqual(self.call(3), (0, 0))
        self.assertEqual(self.call(5)[:2], (0, 0))

    @unittest.skipIf(FIRMWARE == "seabios", NO_OPERATIONS)
    def test_operations_wait_for_the_restart(self):
        ran = self.ok("ppi", "--submit", "clear", "--yes")
        self.assertIn("allowed when a user confirms; required to apply: restart", ran.out)
        self.assertEqual(self.requested(), [str(CLEAR)])
        self.assertEqual(self.json("ppi")["pending"], CLEAR)
        self.assertEqual(self.call(8, CLEAR), (WITH_A_USER,))
        self.assertEqual(self.call(7, SET_BANKS, SHA256_ALONE), (0,))
        self.assertEqual(self.requested(), [str(SET_BANKS), str(SHA256_ALONE)])
        self.assertEqual(self.call(3), (0, SET_BANKS, SHA256_ALONE))
        self.ok("ppi", "--submit", "none")
        self.assertEqual(self.requested(), ["0"])
        self.assertEqual(self.call(2, CLEAR), (0,))
        self.assertEqual(self.call(3), (0, CLEAR))

    def test_users_may_look_and_not_submit(self):
        options = nobody.options(self.daemon.folder)
        self.assertEqual(self.tbsctl("ppi", **options).code, base.OK)
        ran = self.tbsctl("ppi", "--submit", "none", **options)
        self.assertEqual(ran.code, base.TBS, ran)
        self.assertIn(ACCESS_DENIED, ran.err)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
