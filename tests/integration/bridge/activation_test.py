#!/usr/bin/env python3
"""tbsctl bridge with sockets that a service manager has opened: as systemd hands them over for the units
tbs-bridge@.socket, and what it refuses."""

import json
import os
import re
import socket
import stat
import subprocess
import sys
import unittest

from bridge_bench import (DEADLINE, GET_RANDOM, Mssim, Numbers, Raw, RC_COMMAND_CODE, RC_INITIALIZE, Running, STARTUP, TBSCTL, WithBridge,
                          code, define_index, eventually)

CLIENTS = os.environ["TBS_TEST_CLIENTS_PAGE"]

# Puts the descriptors that it is told to the places from 3 on, says how many and for whom, and becomes the program.
HAND_OVER = """
import fcntl, os, sys
count, pid, *command = sys.argv[1:]
descriptors = [int(each) for each in os.environ.pop("HANDED").split()]
high = [fcntl.fcntl(each, fcntl.F_DUPFD, 100) for each in descriptors]
for place, each in enumerate(high):
    os.dup2(each, 3 + place)
os.environ.update(LISTEN_FDS=count, LISTEN_PID=str(os.getpid()) if pid == "self" else pid,
                  LISTEN_FDNAMES="bridge:bridge")
os.execv(command[0], command)
"""


class Activated(WithBridge):
    def listener(self, family, address, kind=socket.SOCK_STREAM):
        made = socket.socket(family, kind)
        self.addCleanup(made.close)
        made.bind(address)
        if kind != socket.SOCK_DGRAM:
            made.listen()
        return made

    def local(self, name):
        return self.listener(socket.AF_UNIX, self.path(name))

    def command(self, sockets, *arguments, count=None, pid="self"):
        places = [each.fileno() for each in sockets]
        return {"args": [sys.executable, "-c", HAND_OVER, str(len(sockets) if count is None else count), pid, TBSCTL,
                         "--json", "--socket", self.service.client_socket, "bridge", *arguments],
                "env": {**os.environ, "HANDED": " ".join(str(each) for each in places)}, "pass_fds": places}

    def start(self, sockets, *arguments):
        log = self.path("activated.out")
        with open(log, "wb") as output:
            running = subprocess.Popen(stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       **self.command(sockets, *arguments))

        def text():
            with open(log, encoding="utf-8") as said:
                return said.read()

        def stop():
            running.terminate()
            self.assertEqual(running.wait(DEADLINE), 0, text())
        self.addCleanup(stop)

        def started():
            self.assertIsNone(running.poll(), text())
            return text().rstrip().endswith("}")
        eventually(started)
        return json.loads(text())

    def refused(self, said, sockets, *arguments, **how):
        done = subprocess.run(stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=DEADLINE,
                              check=False, **self.command(sockets, *arguments, **how))
        self.assertIn(done.returncode, (1, 2), done.stderr)
        self.assertIn(said, done.stderr)

    def test_raw(self):
        path = self.path("handed")
        said = self.start([self.local("handed")])
        self.assertEqual(said, {"protocol": "raw", "listen": path})
        self.ok(self.open(Raw, path).call(GET_RANDOM))

    def test_mssim_on_two_ports(self):
        sockets = [self.listener(socket.AF_INET, ("127.0.0.1", 0)) for _ in range(2)]
        first, second = (f"127.0.0.1:{each.getsockname()[1]}" for each in sockets)
        said = self.start(sockets, "--protocol", "mssim")
        self.assertEqual(said, {"protocol": "mssim", "listen": first, "control": second})
        client, platform = self.open(Mssim, first), self.open(Numbers, second)
        self.ok(client.call(GET_RANDOM))
        self.assertEqual(platform.ask(17), (0,))
        self.assertEqual(code(client.call(GET_RANDOM)), RC_INITIALIZE)
        self.ok(client.call(STARTUP))

    def test_swtpm_on_two_files(self):
        said = self.start([self.local("data"), self.local("control")], "--protocol", "swtpm", "--persistent")
        self.assertEqual(said, {"protocol": "swtpm", "listen": self.path("data"), "control": self.path("control")})
        self.ok(self.open(Raw, said["listen"]).call(GET_RANDOM))
        self.assertEqual(self.open(Numbers, said["control"]).ask(4, answer=2), (0, 0))

    def test_addresses_of_other_kinds(self):
        said = self.start([self.listener(socket.AF_UNIX, "\0" + self.path("abstract"))])
        self.assertEqual(said["listen"], "@" + self.path("abstract"))
        said = self.start([self.listener(socket.AF_INET6, ("::1", 0))])
        self.assertRegex(said["listen"], r"^\[::1\]:\d+$")

    def test_who_was_waiting_is_served(self):
        path, listener = self.path("early"), self.local("early")
        client = self.open(Raw, path)
        client.begin(GET_RANDOM)
        self.start([listener])
        self.ok(client.response())

    def test_the_file_is_not_the_bridges(self):
        listener = self.local("kept")
        for _ in range(2):
            done = subprocess.Popen(stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **self.command([listener]))
            self.assertEqual(done.stdout.readline(), b"{\n")
            done.terminate()
            done.communicate(timeout=DEADLINE)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(stat.S_ISSOCK(os.stat(self.path("kept")).st_mode))

    def test_what_is_refused(self):
        one = self.local("one")
        self.refused("takes 2 sockets", [one], "--protocol", "mssim")
        self.refused("takes 1 sockets", [one, self.local("two")])
        self.refused("more than any protocol", [one], count=3)
        self.refused("more than any protocol", [one], count=4294967296)
        for wrong in ("-1", "x", "", "1 "):
            self.refused("not both numbers", [one], count=wrong)
        self.refused("not both numbers", [one], pid="x")
        self.refused("no stream socket", [self.listener(socket.AF_UNIX, self.path("datagram"), socket.SOCK_DGRAM)])
        self.refused("no stream socket", [self.listener(socket.AF_UNIX, self.path("packets"), socket.SOCK_SEQPACKET)])
        unbound = socket.socket(socket.AF_UNIX)
        self.addCleanup(unbound.close)
        self.refused("no stream socket", [unbound])
        with open(os.devnull, "rb") as file:
            self.refused("no stream socket", [file])
        self.refused("no address can be named", [one], self.path("other"))
        self.refused("no address can be named", [one], "--control", self.path("other"))
        self.refused("--listen-any", [self.listener(socket.AF_INET, ("0.0.0.0", 0))])

    def test_sockets_of_another_process(self):
        self.refused("ADDRESS is missing", [self.local("others")], pid="1")
        self.refused("ADDRESS is missing", [], count=0)


class OtherUsers(WithBridge):
    """A bridge that may not look into other users' processes, as that of the units."""

    def test_the_users_are_told_apart(self):
        if os.getuid() != 0:
            self.skipTest("takes root to be several users")
        os.chmod(self.service.folder, 0o755)
        log = self.path("unprivileged.out")
        running = Running(log, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TBSCTL, "--json",
                          "--socket", self.service.socket, "bridge", "--protocol", "mssim", "0")
        self.addCleanup(lambda: self.assertEqual(running.stop(), 0, running.text()))
        eventually(lambda: running.text().rstrip().endswith("}"))
        said = json.loads(running.text())
        mine = self.open(Mssim, said["listen"])
        self.ok(mine.call(GET_RANDOM))
        host, port = said["control"].rsplit(":", 1)
        reset = ("import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2])));"
                 "s.settimeout(60); s.sendall(bytes.fromhex('00000011')); print(s.recv(4).hex())")
        for user in ("1", "0"):
            done = subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "/usr/bin/python3", "-c", reset, host,
                                   port], capture_output=True, encoding="utf-8", timeout=DEADLINE, check=True)
            self.assertEqual(done.stdout.strip(), "00000000")
            self.assertEqual(code(mine.call(GET_RANDOM)), RC_INITIALIZE if user == "0" else 0)


class AsTheDocumentSays(WithBridge):
    """The tenant of docs/clients.md: with its quotas and its rules."""

    @staticmethod
    def block_after(file):
        with open(CLIENTS, encoding="utf-8") as page:
            text = page.read()
        return re.search(re.escape(f"`{file}`") + r"[^`]*```\w*\n(.*?)```", text, re.DOTALL).group(1)

    def setUp(self):
        super().setUp()
        self.service.daemon.stop()
        tenant = self.block_after("/etc/tbs/tenants.d/bridge-mssim.conf")
        self.tenant_socket = self.path("tenant.sock")
        for name, text in (("tenants.d/bridge-mssim.conf", tenant + f'socket = "{self.tenant_socket}"\n'),
                           ("policy.d/bridge.conf", self.block_after("/etc/tbs/policy.d/bridge.conf"))):
            os.makedirs(os.path.dirname(self.path(name)))
            with open(self.path(name), "w", encoding="utf-8") as file:
                file.write(text)
        self.most = int(re.search(r"max-contexts-per-user = (\d+)", tenant).group(1))
        self.service.start("--tenants-dir", self.path("tenants.d"), "--policy-dir", self.path("policy.d"))

    def bridge_of(self, daemon):
        self.service.client_socket, kept = daemon, self.service.client_socket
        try:
            return self.bridge("--protocol", "mssim", address="0")[0]
        finally:
            self.service.client_socket = kept

    def test_quotas_and_rules(self):
        own, other = self.bridge_of(self.tenant_socket), self.bridge_of(self.service.socket)
        clients = [self.open(Mssim, own) for _ in range(self.most)]
        for client in clients:
            self.ok(client.call(GET_RANDOM))
        late = self.open(Mssim, own)
        late.begin(GET_RANDOM)
        self.assertTrue(late.is_closed())
        outside = self.open(Mssim, other)
        self.ok(outside.call(GET_RANDOM))
        self.assertEqual({each.get("tenant") for each in self.bridge_contexts()}, {"bridge-mssim", None})
        self.assertEqual(code(clients[0].call(define_index())), RC_COMMAND_CODE)
        self.ok(outside.call(define_index()))


if __name__ == "__main__":
    unittest.main(verbosity=2)
