#!/usr/bin/env python3
"""tbsctl bridge between the real tbsd and clients that know sockets alone: the three protocols, what
belongs to whom, cancels, localities, clients that leave in the middle, and garbage."""

import os
import random
import socket
import stat
import struct
import subprocess
import sys
import time
import unittest

from bridge_bench import (DEADLINE, GET_RANDOM, Mssim, Numbers, Raw, RC_CANCELED, RC_COMMAND_SIZE,
                          RC_INITIALIZE, RC_LOCALITY, RC_REFERENCE_H0, STARTUP, TBSCTL, WithBridge, code, create_primary, eventually,
                          flush_context, pcr_reset, read_public)


class RawCommands(WithBridge):
    def test_unix_socket(self):
        address, _ = self.bridge()
        self.assertEqual(stat.S_IMODE(os.stat(address).st_mode), 0o600)
        self.assertEqual(len(self.ok(self.open(Raw, address).call(GET_RANDOM))), 20)
        self.assertEqual(self.running.stop(), 0)
        self.assertFalse(os.path.exists(address))

    def test_mode(self):
        address, _ = self.bridge("--mode", "660")
        self.assertEqual(stat.S_IMODE(os.stat(address).st_mode), 0o660)

    def test_a_file_left_behind_is_replaced_and_another_one_is_not(self):
        path = self.path("left")
        left = socket.socket(socket.AF_UNIX)
        left.bind(path)
        left.close()
        self.bridge(address=path)
        refused = subprocess.run([TBSCTL, "bridge", path], capture_output=True, check=False,
                                 timeout=DEADLINE)
        self.assertEqual(refused.returncode, 1)
        self.assertIn(b"in use", refused.stderr)
        self.ok(self.open(Raw, path).call(GET_RANDOM))

    def test_other_machines_are_kept_out(self):
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"]:
            refused = subprocess.run([TBSCTL, "bridge", address], capture_output=True, check=False,
                                     timeout=DEADLINE)
            self.assertEqual(refused.returncode, 1, address)
            self.assertIn(b"--listen-any", refused.stderr)
        address, _ = self.bridge("--listen-any", address="0.0.0.0:0")
        self.ok(self.open(Raw, address.replace("0.0.0.0", "127.0.0.1")).call(GET_RANDOM))

    def test_pieces_and_several_commands_at_once(self):
        for address in [self.bridge()[0], self.bridge(address="0")[0]]:
            client = self.open(Raw, address)
            for at in range(len(GET_RANDOM)):
                client.send(GET_RANDOM[at:at + 1])
            self.ok(client.response())
            client.send((GET_RANDOM + STARTUP) * 100)
            for _ in range(100):
                self.assertEqual(len(self.ok(client.response())), 20)
                self.assertEqual(code(client.response()), RC_INITIALIZE)

    def test_each_answer_comes_in_one_piece(self):
        """Some clients read once for each."""
        for protocol in ("raw", "mssim", "swtpm"):
            for where in (None, "0"):
                first, second = self.bridge("--protocol", protocol, address=where)
                client = self.open(Mssim if protocol == "mssim" else Raw, first)
                framing = 8 if protocol == "mssim" else 0
                for _ in range(300):
                    client.begin(GET_RANDOM)
                    self.assertEqual(len(client.socket.recv(4096)), 20 + framing)
                if protocol == "mssim":
                    client.send(struct.pack(">II", 15, 1))
                    self.assertEqual(len(client.socket.recv(4096)), 12)
                if protocol == "swtpm":
                    control = self.open(Numbers, second)
                    for _ in range(300):
                        control.send(struct.pack(">II", 17, 0))
                        self.assertEqual(len(control.socket.recv(4096)), 16)
                client.close()

    def test_each_connection_is_a_context(self):
        address, _ = self.bridge()
        one, other = self.open(Raw, address), self.open(Raw, address)
        handle = struct.unpack_from(">I", self.ok(one.call(create_primary())), 10)[0]
        self.assertEqual(handle, 0x80000000)
        self.ok(one.call(read_public(handle)))
        self.assertNotEqual(code(other.call(read_public(handle))), 0)
        self.assertEqual(len(self.bridge_contexts()), 2)
        one.close()
        eventually(lambda: len(self.bridge_contexts()) == 1)

    def test_persistent(self):
        address, _ = self.bridge("--persistent")
        for call in range(3):
            client = self.open(Raw, address)
            if call == 0:
                self.ok(client.call(create_primary()))
            self.ok(client.call(read_public(0x80000000)))
            client.close()
        self.assertEqual(len(self.bridge_contexts()), 1)

    def test_the_answer_to_a_client_that_sends_nothing_more(self):
        for address in [self.bridge()[0], self.bridge(address="0")[0]]:
            client = self.open(Raw, address)
            self.service.freeze()
            client.send(GET_RANDOM)
            client.socket.shutdown(socket.SHUT_WR)
            eventually(self.on_the_tpm)
            time.sleep(0.5)  # long enough for the bridge to look twice
            self.service.thaw()
            self.ok(client.response())
            self.assertTrue(client.is_closed())

    def test_a_client_that_leaves_in_the_middle(self):
        for options in [[], ["--persistent"]]:
            for where in [None, "0"]:
                address, _ = self.bridge(*options, address=where)
                neighbour = self.open(Raw, address)
                self.ok(neighbour.call(GET_RANDOM))
                client = self.open(Raw, address)
                self.service.freeze()
                client.send(create_primary())
                eventually(self.on_the_tpm)
                client.close()
                eventually(lambda: not self.on_the_tpm())
                self.service.thaw()
                self.ok(neighbour.call(GET_RANDOM))
                neighbour.close()
                self.running.stop()
                eventually(lambda: not self.bridge_contexts())

    def test_many_connections(self):
        address, _ = self.bridge(address="0")
        clients = [self.open(Raw, address) for _ in range(300)]
        for client in clients[:200]:
            client.send(GET_RANDOM * 3)
        for client in clients[:200]:
            for _ in range(3):
                self.ok(client.response())
            client.close()
        for client in clients[200:]:  # some of them had to wait for a place
            self.ok(client.call(GET_RANDOM))

    def test_garbage(self):
        address, _ = self.bridge()
        good = self.open(Raw, address)
        for garbage in [b"\0" * 10, b"\xff" * 100, b"\x80\x01\0\0\0\x09\0\0\1\x7b",
                        b"\x80\x01\0\0\x40\x01"]:
            bad = self.open(Raw, address)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        noise = random.Random(1)
        for _ in range(50):
            bad = self.open(Raw, address)
            try:
                bad.send(noise.randbytes(200))
            except (BrokenPipeError, ConnectionResetError):
                pass
            bad.close()
        self.ok(good.call(GET_RANDOM))
        self.assertIn("a client is disconnected", self.running.text())

    def test_daemon_that_comes_back(self):
        address, _ = self.bridge()
        persistent, _ = self.bridge("--persistent")
        own, shared = self.open(Raw, address), self.open(Raw, persistent)
        for client in [own, shared]:
            self.ok(client.call(GET_RANDOM))
        self.service.daemon.stop()
        own.send(GET_RANDOM)
        self.assertTrue(own.is_closed())
        self.service.start()
        self.ok(self.open(Raw, address).call(GET_RANDOM))
        self.ok(shared.call(GET_RANDOM))

    def test_priority(self):
        address, _ = self.bridge("--priority", "low")
        self.ok(self.open(Raw, address).call(GET_RANDOM))
        self.assertEqual([each["priority"] for each in self.bridge_contexts()], [100])


class Simulator(WithBridge):
    def setUp(self):
        super().setUp()
        self.command, self.platform = self.bridge("--protocol", "mssim", address="0")

    def test_what_a_client_does_first_and_last(self):
        client, platform = self.open(Mssim, self.command), self.open(Numbers, self.platform)
        client.send(struct.pack(">II", 15, 1))
        version, flags, end = struct.unpack(">III", client.take(12))
        self.assertEqual((version, flags, end), (1, 0x0B, 0))
        for signal_number in [1, 11, 2, 1, 11, 17, 18, 3, 4, 12, 13, 14, 10]:
            self.assertEqual(platform.ask(signal_number), (0,))
        self.assertEqual(platform.ask(25, answer=6), (16, 0, 0, 0, 0, 0))
        self.assertEqual(platform.ask(26, 0x40000110, answer=2), (0, 0))
        self.ok(client.call(STARTUP))
        self.ok(client.call(GET_RANDOM))
        for each in [client, platform]:
            each.send(struct.pack(">I", 20))
            self.assertTrue(each.is_closed())
        self.ok(self.open(Mssim, self.command).call(GET_RANDOM))

    def test_a_power_cycle_flushes_what_the_program_owns(self):
        for platform_signals in ((2, 1), (17,)):
            clients = [self.open(Mssim, self.command) for _ in range(2)]
            platform = self.open(Numbers, self.platform)
            for client in clients:
                self.ok(client.call(create_primary()))
            for number in platform_signals:
                self.assertEqual(platform.ask(number), (0,))
            for client in clients:
                self.assertEqual(code(client.call(GET_RANDOM)), RC_INITIALIZE)
            for client in clients:
                self.ok(client.call(STARTUP))
                self.assertEqual(code(client.call(read_public(0x80000000))), RC_REFERENCE_H0)
                self.ok(client.call(create_primary()))
                client.close()
            platform.close()

    def test_the_timer_is_no_power(self):
        client, platform = self.open(Mssim, self.command), self.open(Numbers, self.platform)
        self.ok(client.call(create_primary()))
        for number in (18, 1, 11, 12):
            self.assertEqual(platform.ask(number), (0,))
        self.ok(client.call(read_public(0x80000000)))

    def test_all_connections_are_one_program(self):
        command, platform = self.bridge("--persistent", "--protocol", "mssim", address="0")
        self.ok(self.open(Mssim, command).call(create_primary()))
        control = self.open(Numbers, platform)
        self.assertEqual(control.ask(17), (0,))
        control.close()
        client = self.open(Mssim, command)
        self.assertEqual(code(client.call(read_public(0x80000000))), RC_INITIALIZE)
        self.ok(self.open(Mssim, command).call(STARTUP))
        self.assertEqual(code(client.call(read_public(0x80000000))), RC_REFERENCE_H0)

    def test_a_power_cycle_concerns_one_program(self):
        other = subprocess.Popen(
            [sys.executable, "-c",
             "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
             "s.settimeout(60); s.sendall(bytes.fromhex('00000002'));"
             "print(s.recv(4).hex(), flush=True); sys.stdin.read()",
             *self.platform.rsplit(":", 1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(other.communicate)
        client = self.open(Mssim, self.command)
        self.ok(client.call(create_primary()))
        self.assertEqual(other.stdout.readline().strip(), "00000000")
        self.ok(client.call(read_public(0x80000000)))

    def test_a_power_cycle_ends_the_command_on_the_tpm(self):
        client, platform = self.open(Mssim, self.command), self.open(Numbers, self.platform)
        self.ok(client.call(create_primary()))
        self.service.freeze()
        client.begin(GET_RANDOM)
        eventually(self.on_the_tpm)
        self.assertEqual(platform.ask(2), (0,))
        self.assertEqual(code(client.response()), RC_CANCELED)
        self.service.thaw()
        self.ok(client.call(STARTUP))
        self.assertEqual(code(client.call(read_public(0x80000000))), RC_REFERENCE_H0)

    def test_an_object_that_is_not_loaded(self):
        client = self.open(Mssim, self.command)
        for handle, read, flush in ((0x80000000, RC_REFERENCE_H0, 0x1CB), (0x80000003, 0x184, 0x1C4)):
            self.assertEqual(code(client.call(read_public(handle))), read)
            self.assertEqual(code(client.call(flush_context(handle))), flush)

    def test_locality(self):
        client = self.open(Mssim, self.command)
        self.assertEqual(code(client.call(pcr_reset(20))), RC_LOCALITY)
        self.ok(client.call(pcr_reset(20), locality=2))
        self.assertEqual(code(client.call(pcr_reset(20))), RC_LOCALITY)
        self.assertEqual(code(client.call(GET_RANDOM, locality=9)), RC_COMMAND_SIZE)

    def test_a_command_with_a_wrong_length(self):
        client = self.open(Mssim, self.command)
        for command in [b"", GET_RANDOM[:9], GET_RANDOM + b"x", GET_RANDOM[:-1]]:
            self.assertEqual(code(client.call(command)), RC_COMMAND_SIZE)
        self.assertEqual(code(client.call(bytes.fromhex("8001") + struct.pack(">I", 16384) +
                                          bytes(16378))), RC_COMMAND_SIZE)
        self.ok(client.call(GET_RANDOM))

    def test_cancel_concerns_the_program_that_asks(self):
        self.service.freeze()
        # Another process: a program with a command of its own.
        other = subprocess.Popen(
            [sys.executable, "-c",
             "import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
             "s.sendall(bytes.fromhex(sys.argv[3])); print(s.recv(4096).hex())",
             *self.command.rsplit(":", 1), (struct.pack(">IBI", 8, 0, 12) + GET_RANDOM).hex()],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(other.wait)
        clients = [self.open(Mssim, self.command) for _ in range(2)]
        platform = self.open(Numbers, self.platform)
        for client in clients:
            client.begin(GET_RANDOM)

        # One on the TPM, the others behind it.
        def all_there():
            states = [each["state"] for each in self.bridge_contexts()]
            return sorted(states) == ["running", "waiting", "waiting"]
        eventually(all_there)
        self.assertEqual(platform.ask(9), (0,))
        self.assertEqual(platform.ask(10), (0,))
        for client in clients:
            self.assertEqual(code(client.response()), RC_CANCELED)
        self.service.thaw()
        answer = bytes.fromhex(other.communicate(timeout=DEADLINE)[0])
        self.assertEqual(code(answer[4:]), 0)
        self.ok(clients[0].call(GET_RANDOM))

    def test_garbage(self):
        good = self.open(Mssim, self.command)
        for garbage in [bytes(4), struct.pack(">I", 5), struct.pack(">IBI", 8, 0, 0xFFFFFFFF),
                        struct.pack(">II", 15, 0), struct.pack(">II", 16, 1 << 20)]:
            bad = self.open(Mssim, self.command)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        for garbage in [bytes(4), struct.pack(">I", 30), struct.pack(">I", 0xFFFFFFFF)]:
            bad = self.open(Numbers, self.platform)
            bad.send(garbage)
            self.assertTrue(bad.is_closed())
        self.ok(good.call(GET_RANDOM))


class Swtpm(WithBridge):
    def setUp(self):
        super().setUp()
        self.data, self.control = self.bridge("--protocol", "swtpm")

    def test_control_commands(self):
        control = self.open(Numbers, self.control)
        capabilities = control.ask(1, answer=2)[1]
        self.assertEqual(capabilities & 0b101011, 0b101011)
        self.assertEqual(control.ask(2, 0), (0,))
        for harmless in [3, 10, 14, 9]:
            self.assertEqual(control.ask(harmless), (0,))
        self.assertEqual(control.ask(4, answer=2), (0, 0))
        self.assertEqual(control.ask(15, answer=2), (0, 0))
        self.assertEqual(control.ask(17, 0, answer=4), (0, 4096, 4096, 4096))
        for refused in [6, 8]:
            self.assertNotEqual(control.ask(refused), (0,))
        self.assertNotEqual(control.ask(7, 3, extra=b"abc"), (0,))
        self.assertNotEqual(control.ask(11, extra=b"\0"), (0,))
        self.assertNotEqual(control.ask(12, 0, 1, 0, answer=4)[0], 0)
        self.assertNotEqual(control.ask(19, 0)[0], 0)
        data = self.open(Raw, self.data)
        self.ok(data.call(STARTUP))
        self.ok(data.call(GET_RANDOM))

    def test_locality(self):
        data, control = self.open(Raw, self.data), self.open(Numbers, self.control)
        self.assertEqual(control.ask(5, extra=b"\2"), (0,))
        control.close()  # as clients do that connect for every request
        self.ok(data.call(pcr_reset(20)))
        self.assertNotEqual(self.open(Numbers, self.control).ask(5, extra=b"\5"), (0,))
        self.ok(data.call(pcr_reset(20)))
        self.assertEqual(self.open(Numbers, self.control).ask(5, extra=b"\0"), (0,))
        self.assertEqual(code(data.call(pcr_reset(20))), RC_LOCALITY)

    def test_cancel(self):
        data, control = self.open(Raw, self.data), self.open(Numbers, self.control)
        self.service.freeze()
        data.send(GET_RANDOM)
        eventually(self.on_the_tpm)
        self.assertEqual(control.ask(9), (0,))
        self.assertEqual(code(data.response()), RC_CANCELED)
        self.service.thaw()
        self.ok(data.call(GET_RANDOM))

    def test_garbage(self):
        control = self.open(Numbers, self.control)
        control.send(struct.pack(">I", 99))
        self.assertEqual(control.take(4), struct.pack(">I", 10))
        self.assertTrue(control.is_closed())
        control = self.open(Numbers, self.control)
        control.send(struct.pack(">II", 7, 1 << 20))
        self.assertTrue(control.is_closed())
        self.ok(self.open(Raw, self.data).call(GET_RANDOM))


if __name__ == "__main__":
    unittest.main(verbosity=2)
