#!/usr/bin/env python3
"""Where metrics are read: who may, what bad readers get, and that they keep no client waiting. TBSD and
TBSCTL name the programs."""

import os
import pwd
import signal
import socket
import stat
import subprocess
import unittest

import counters_test
import support
import wire

MOST_READERS = 16
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def tbsctl(*arguments):
    return subprocess.run([support.TBSCTL, *arguments], capture_output=True, encoding="utf-8",
                          timeout=support.DEADLINE, check=False)


class Socket(unittest.TestCase):
    def test_there_is_none_unless_it_is_named(self):
        daemon = support.Daemon(self, metrics=False)
        self.assertFalse(os.path.exists(daemon.metrics_socket))
        self.assertTrue(os.path.exists(daemon.admin_socket))

    def test_who_may_read(self):
        daemon = support.Daemon(self)
        mode = os.stat(daemon.metrics_socket).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        if os.getuid() == 0:
            nobody = pwd.getpwnam("nobody").pw_uid
            said = subprocess.run(["curl", "-sS", "--unix-socket", daemon.metrics_socket,
                                   "http://tbsd/metrics"], user=nobody, group=nobody, extra_groups=[],
                                  capture_output=True, check=False)
            self.assertNotEqual(said.returncode, 0)
            self.assertEqual(said.stdout, b"")
        group = support.Daemon(self, arguments=["--metrics-group", "root"])
        if os.getuid() == 0:
            self.assertEqual(stat.S_IMODE(os.stat(group.metrics_socket).st_mode), 0o660)

    def test_both_formats(self):
        daemon = support.Daemon(self)
        text = daemon.page()
        self.assertIn("# TYPE tbs_tpm_commands_total counter\n", text)
        self.assertNotIn("# EOF", text)
        accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
        self.assertTrue(daemon.page(accept).endswith("# EOF\n"))
        self.assertEqual(set(support.samples_of(text)), set(support.samples_of(daemon.page(accept))))

    def test_users_are_named_when_somebody_asks(self):
        client = ("tbs_user_contexts{uid=\"%d\"}" % os.getuid(), 1)
        plain = support.Daemon(self)
        context = plain.client()
        self.assertNotIn(client[0], plain.samples())
        self.assertNotIn("uid=", plain.page())
        context.close()
        naming = support.Daemon(self, arguments=["--metrics-users", "yes"])
        context = naming.client()
        self.assertEqual(naming.samples()[client[0]], client[1])
        context.close()

    def test_contexts_and_quotas_by_role(self):
        folder = support.folder_of(self)
        with open(os.path.join(folder, "roles.conf"), "w", encoding="ascii") as file:
            file.write(f"role tester = uid {os.getuid()}\nrole database = uid 4711\n")
        daemon = support.Daemon(self, policies=folder)
        for contexts in (1, 2):
            client = daemon.client()
            self.addCleanup(client.close)
            for command in (wire.hash_sequence_start(), wire.start_session(), wire.start_session()):
                client.begin(command)
                client.result()
            samples = daemon.samples()
            for role, number in (("tester", contexts), ("database", 0)):
                self.assertEqual(samples[f'tbs_role_contexts{{role="{role}"}}'], number)
                for limit, used in (("max-contexts-per-user", number), ("objects-per-user", number),
                                    ("sessions-per-user", 2 * number), ("max-backlog-per-user", 0)):
                    self.assertEqual(samples[f'tbs_role_quota_used{{role="{role}",limit="{limit}"}}'], used, limit)

    def test_the_socket_file_goes_with_the_daemon(self):
        daemon = support.Daemon(self)
        daemon.stop()
        self.assertFalse(os.path.exists(daemon.metrics_socket))


class Restart(unittest.TestCase):
    def test_it_is_counted_and_counters_begin_anew(self):
        daemon = support.Daemon(self)
        client = daemon.client()
        sequences = []
        for _ in range(8):  # more than a TPM has slots for
            client.begin(counters_test.hash_start())
            sequences.append(int.from_bytes(client.result()[2][10:14], "big"))
        before = daemon.samples()
        self.assertEqual(before["tbs_restarts_survived_total"], 0)
        self.assertGreater(before['tbs_saves_total{what="object"}'], 0)
        for times in (1, 2):
            daemon.process.send_signal(signal.SIGUSR2)
            self.assertTrue(support.eventually(lambda: self.restarts(daemon) == times))
        after = daemon.samples()
        self.assertGreater(after["process_start_time_seconds"], before["process_start_time_seconds"])
        # What the one before has told the TPM is not told again, nor counted again.
        for name in ('tbs_saves_total{what="object"}', "tbs_tpm_commands_total",
                     'tbs_commands_total{result="answered"}'):
            self.assertLess(after[name], before[name], name)
        self.assertEqual(after["tbs_contexts"], 1)
        client.begin(counters_test.update(sequences[0], b"x"))
        self.assertEqual(client.result()[2][6:10], bytes(4))
        last = daemon.samples()
        self.assertEqual(last['tbs_loads_total{what="object"}'], 1)
        self.assertEqual(last['tbs_command_tpm_seconds_count{kind="random"}'], 1)
        client.close()

    @staticmethod
    def restarts(daemon):
        try:
            return daemon.samples()["tbs_restarts_survived_total"]
        except (OSError, AssertionError):
            return None  # it is at it


class BadReaders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = support.Daemon(_ClassCleanups(cls))

    def test_what_is_no_request(self):
        for request, status in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
                                (b"DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
                                (b"GET /" + b"a" * 2000, b"414"),
                                (b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 2000, b"431"),
                                (b"GET /metrics HTTP/3\r\n\r\n", b"505"),
                                (b"\x01\x00\x01\x00\x10\x00\x00\x00" + bytes(24), b"400")):
            answer = support.ask(self.daemon.metrics_socket, request)
            self.assertTrue(answer.startswith(b"HTTP/1.1 " + status), (request[:40], answer[:40]))
            self.assertIn(b"\r\nConnection: close\r\n", answer)
        self.works()

    def test_one_that_says_nothing_is_turned_away(self):
        with support.connect(self.daemon.metrics_socket) as silent:
            silent.sendall(b"GET /metr")
            self.assertEqual(support.everything(silent), b"")

    def test_there_are_few_at_a_time(self):
        readers = [support.connect(self.daemon.metrics_socket) for _ in range(MOST_READERS)]
        for reader in readers:
            reader.sendall(b"G")
        # Those are there by the time that one is told so.
        self.assertTrue(support.eventually(
            lambda: support.ask(self.daemon.metrics_socket, GET).startswith(b"HTTP/1.1 503 ")
            or not all(self.is_open(reader) for reader in readers)))
        client = self.daemon.client()
        client.begin(wire.get_random(8))
        self.assertEqual(client.result()[1], wire.SUCCESS)
        client.close()
        for reader in readers:
            reader.close()
        self.works()

    def test_one_that_does_not_read_what_it_asked_for(self):
        readers = []
        for _ in range(3 * MOST_READERS):
            reader = support.connect(self.daemon.metrics_socket)
            try:
                reader.sendall(GET)
            except OSError:
                pass  # it was turned away
            readers.append(reader)
        self.client_works()
        for reader in readers:
            reader.close()
        self.works()

    def test_many_that_go_at_once(self):
        for _ in range(500):
            with support.connect(self.daemon.metrics_socket) as reader:
                reader.setblocking(False)
                try:
                    reader.sendall(GET)
                except OSError:
                    pass
        self.client_works()
        self.works()

    @staticmethod
    def is_open(reader):
        reader.setblocking(False)
        try:
            return reader.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            reader.settimeout(support.DEADLINE)

    def client_works(self):
        client = self.daemon.client()
        client.begin(wire.get_random(8))
        self.assertEqual(client.result()[1], wire.SUCCESS)
        client.close()

    def works(self):
        """Once those who were there have gone."""
        self.assertTrue(support.eventually(
            lambda: support.ask(self.daemon.metrics_socket, GET).startswith(b"HTTP/1.1 200 ")))


class _ClassCleanups:
    """What support takes for a test, of a class."""

    def __init__(self, cls):
        self.addCleanup = cls.addClassCleanup


class Tbsctl(unittest.TestCase):
    def test_it_prints_the_page(self):
        daemon = support.Daemon(self)
        said = tbsctl("--socket", daemon.socket, "metrics")
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertEqual(set(support.samples_of(said.stdout)), set(daemon.samples()))
        self.assertEqual(tbsctl("metrics", "--from", daemon.metrics_socket).returncode, 0)
        self.assertEqual(tbsctl("--socket", daemon.admin_socket, "metrics").returncode, 0)

    def test_it_writes_a_file_for_node_exporter(self):
        daemon = support.Daemon(self)
        path = os.path.join(daemon.folder, "tbs.prom")
        said = tbsctl("--socket", daemon.socket, "metrics", "--textfile", path)
        self.assertEqual((said.returncode, said.stdout, said.stderr), (0, "", ""))
        with open(path, encoding="utf-8") as file:
            self.assertIn("tbs_device_up", support.samples_of(file.read()))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o644)
        daemon.stop()
        before = os.stat(path)
        said = tbsctl("--socket", daemon.socket, "metrics", "--textfile", path)
        self.assertEqual(said.returncode, 3)
        self.assertIn("metrics-socket", said.stderr)
        self.assertEqual(os.stat(path), before)

    def test_what_it_does_not_understand(self):
        said = tbsctl("--json", "metrics")
        self.assertEqual(said.returncode, 2)
        self.assertIn("--json", said.stderr)
        # A client's socket, where no HTTP is spoken.
        daemon = support.Daemon(self)
        said = tbsctl("metrics", "--from", daemon.socket)
        self.assertNotEqual(said.returncode, 0)
        self.assertEqual(said.stdout, "")


if __name__ == "__main__":
    unittest.main()
