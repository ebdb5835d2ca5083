#!/usr/bin/env python3
"""The examples of the documentation run on a tbsd of their own, and the pages show them as they are.

TBSD, LIBTBS and TOP in the environment name the daemon, the library and the source tree; EXAMPLES the
folder of the compiled ones."""

import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from listening import listens  # noqa: E402

TOP = os.environ["TOP"]
DEADLINE = 60  # against hanging only
needs_asio = unittest.skipIf(os.environ["ASIO"] == "0", "compiled without Boost")


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbs-examples-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.socket = os.path.join(cls.folder, "tbsd.sock")
        cls.log = os.path.join(cls.folder, "log")
        cls.daemon = subprocess.Popen(
            [os.environ["TBSD"], "--config", "/dev/null", "--device", "embedded", "--socket",
             cls.socket, "--state-dir", cls.folder, "--event-log", cls.log, "--log-readers",
             "everyone"],
            stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        cls.comes(cls.socket)

    @classmethod
    def stop(cls):
        cls.daemon.terminate()
        cls.daemon.wait(DEADLINE)

    def environment(self):
        return {**os.environ, "TBS_SOCKET": self.socket, "PYTHONDONTWRITEBYTECODE": "1",
                "LD_LIBRARY_PATH": os.path.dirname(os.environ["LIBTBS"])}

    def run_example(self, *command):
        return subprocess.run(command, env=self.environment(), stdout=subprocess.PIPE, check=True,
                              timeout=DEADLINE, encoding="utf-8").stdout

    @staticmethod
    def comes(path):
        end = time.monotonic() + DEADLINE
        while not listens(path) and time.monotonic() < end:
            time.sleep(0.02)
        return listens(path)

    @staticmethod
    def connected(path):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(DEADLINE)
        client.connect(path)
        return client

    def compiled(self, name):
        return os.path.join(os.environ["EXAMPLES"], "example_" + name)

    @unittest.skipIf(os.environ["SANITIZED"] == "1", "Python cannot load a sanitized library")
    def test_python(self):
        script = os.path.join(TOP, "docs/examples/random_bytes.py")
        self.assertRegex(self.run_example(sys.executable, script), "^[0-9a-f]{32}\n$")
        self.assertRegex(self.run_example(sys.executable, script, "100"), "^[0-9a-f]{200}\n$")

    def test_hash(self):
        words = ("abc", "TPM")
        expected = "".join(f"{hashlib.sha256(w.encode()).hexdigest()}  {w}\n" for w in words)
        self.assertEqual(self.run_example(self.compiled("hash"), *words), expected)

    @needs_asio
    def test_callback(self):
        self.assertRegex(self.run_example(self.compiled("callback")), "^[0-9a-f]{16}\n$")

    @needs_asio
    def test_hundred(self):
        self.assertEqual(self.run_example(self.compiled("hundred")), "500 of 500 commands\n")

    @needs_asio
    def test_server(self):
        path = os.path.join(self.folder, "random.sock")
        server = subprocess.Popen([self.compiled("server"), path], env=self.environment())
        try:
            self.assertTrue(self.comes(path))
            clients = [self.connected(path) for _ in range(20)]
            for client in clients:
                client.sendall(b"\x20")
            answers = {client.recv(32, socket.MSG_WAITALL) for client in clients}
            self.assertEqual({len(answer) for answer in answers}, {32})
            self.assertEqual(len(answers), 20)
            # Who hangs up with a command under way disturbs nobody.
            for client in clients[1:]:
                client.sendall(b"\x10")
                client.close()
            clients[0].sendall(b"\x05")
            self.assertEqual(len(clients[0].recv(5, socket.MSG_WAITALL)), 5)
            clients[0].close()
        finally:
            server.terminate()
            self.assertEqual(server.wait(DEADLINE), 0)
        self.assertFalse(os.path.exists(path))

    def test_cancel(self):
        self.assertRegex(self.run_example(self.compiled("cancel")), "^(cancelled|finished first)\n$")

    def test_cancel_says_why_it_fails(self):
        environment = {**self.environment(), "TBS_SOCKET": "/nonexistent/socket"}
        for name in ("cancel", "hash"):
            ended = subprocess.run([self.compiled(name)], env=environment, capture_output=True,
                                   timeout=DEADLINE, encoding="utf-8", check=False)
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stderr, r"^no context: .* \(TBS_E_SERVICE_NOT_RUNNING\)\n$")

    def test_ported(self):
        output = self.run_example(self.compiled("ported"))
        self.assertRegex(output, r"^TPM 2\.0, interface 4\nrandom: [0-9a-f]{16}\nevent log: none\n$")
        with open(self.log, "wb") as file:
            file.write(bytes(1234))
        self.addCleanup(os.remove, self.log)
        self.assertIn("event log: 1234 bytes\n", self.run_example(self.compiled("ported")))
        # The page shows the same output.
        with open(os.path.join(TOP, "docs/porting.md"), encoding="utf-8") as file:
            shown = re.search(r"\$ \./ported\n(.*?)```", file.read(), re.DOTALL)[1]
        self.assertEqual(re.sub("random: .*", "", shown), re.sub("random: .*", "", output))

    def compile_foreign(self, name, line_holds, folder):
        """Runs the line of the page as it stands, with the headers of this tree, and links what it compiled."""
        work = os.path.join(self.folder, name)
        shutil.copytree(os.path.join(TOP, "tests/integration/examples/foreign", name), work)
        with open(os.path.join(TOP, "docs/porting.md"), encoding="utf-8") as file:
            lines = [line for line in file.read().split("\n") if line.startswith("cc ") and line_holds in line]
        self.assertEqual(len(lines), 1)
        library = os.path.dirname(os.environ["LIBTBS"])
        with open(os.path.join(work, "tbs-compat.pc"), "w", encoding="ascii") as file:
            file.write("Name: tbs-compat\nDescription: not installed yet\nVersion: 1\n"
                       f"Cflags: -I{TOP}/client/include/tbs -I{TOP}/client/include/compat\n"
                       f"Libs: -L{library} -ltbs\n")
        environment = {**os.environ, "PKG_CONFIG_PATH": work}
        source = lines[0].split()[-1]
        for command in (lines[0], f"cc -o program {os.path.basename(source)[:-1]}o $(pkg-config --libs tbs-compat)"):
            subprocess.run(command, shell=True, cwd=os.path.join(work, folder), env=environment, check=True,
                           timeout=DEADLINE)
        return os.path.join(work, folder, "program")

    @unittest.skipUnless(shutil.which("cc") and shutil.which("pkg-config"), "no compiler")
    @unittest.skipIf(os.environ["SANITIZED"] == "1", "the sanitizers' library would have to be linked")
    def test_foreign_libraries(self):
        program = self.compile_foreign("wolfTPM", "WOLFTPM_WINAPI", ".")
        self.assertEqual(self.run_example(program), "20 bytes, later\n")
        program = self.compile_foreign("ibmtss", "TPM_WINDOWS", "utils")
        self.assertEqual(self.run_example(program), "response code 0, 8 bytes\n"
                         "Tbsip_Submit_Command The buffer is too small.\n")

    def test_readme(self):
        with open(os.path.join(TOP, "README.md"), encoding="utf-8") as readme, \
                open(os.path.join(TOP, "docs/examples/cancel.c"), encoding="utf-8") as source:
            self.assertIn(source.read(), readme.read())


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
