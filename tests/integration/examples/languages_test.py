#!/usr/bin/env python3
"""The examples in Go and Rust, compiled as they say, on a tbsd of their own and on a bridge. Without the compiler of a
language its part is left out; with neither the test is skipped.

TBSD, TBSCTL, LIBTBS and TOP in the environment name the daemon, the tool, the library and the source tree."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../support"))
from listening import listens  # noqa: E402

TOP = os.environ["TOP"]
EXAMPLES = os.path.join(TOP, "docs/examples")
LIBRARY = os.path.dirname(os.environ["LIBTBS"])
DEADLINE = 60  # against hanging only
COMPILES = 600  # a Go that has compiled nothing yet begins with its standard library
SKIPPED = 77


def says_how_to_run(source, command):
    """What the example says at its top about how to start it."""
    with open(os.path.join(EXAMPLES, source), encoding="utf-8") as file:
        return any(line.lstrip("/!\t ").startswith(command) for line in file)


class Languages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbs-languages-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.socket = cls.path("tbsd.sock")
        cls.serve([os.environ["TBSD"], "--config", "/dev/null", "--device", "embedded", "--socket", cls.socket,
                   "--state-dir", cls.folder], cls.socket)
        cls.bridge = cls.path("tpm.sock")
        cls.serve([os.environ["TBSCTL"], "--socket", cls.socket, "bridge", cls.bridge], cls.bridge)
        # pkg-config as for an installed library.
        with open(cls.path("tbs.pc"), "w", encoding="utf-8") as file:
            file.write(f"Name: tbs\nDescription: not installed yet\nVersion: 1\n"
                       f"Cflags: -I{TOP}/client/include/tbs\nLibs: -L{LIBRARY} -ltbs\n")
        cls.environment = {**os.environ, "TBS_SOCKET": cls.socket, "PKG_CONFIG_PATH": cls.folder,
                           "LD_LIBRARY_PATH": LIBRARY, "GOCACHE": cls.path("go-cache"), "GOFLAGS": "",
                           "GO111MODULE": "auto", "GOTOOLCHAIN": "local", "GOPROXY": "off", "CGO_ENABLED": "1"}

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def serve(cls, command, path):
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait, DEADLINE)
        cls.addClassCleanup(server.terminate)
        end = time.monotonic() + DEADLINE
        while not listens(path) and time.monotonic() < end:
            time.sleep(0.02)

    def run_here(self, *command, timeout=DEADLINE, **options):
        return subprocess.run(command, cwd=self.folder, env=self.environment, check=False, timeout=timeout,
                              capture_output=True, encoding="utf-8", **options)

    def compiled(self, source, *command):
        program = self.path(source.replace(".", "-"))
        ended = self.run_here(*command, "-o", program, os.path.join(EXAMPLES, source), timeout=COMPILES)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        return program

    def gives_random_bytes(self, program, *address):
        for arguments, size in ((address, 16), ((*address, "100"), 100)):
            ended = self.run_here(program, *arguments)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            self.assertRegex(ended.stdout, f"^[0-9a-f]{{{2 * size}}}\n$")

    def bridge_example(self, program):
        self.gives_random_bytes(program, self.bridge)
        for arguments, said in (([], "say where the bridge listens"), ([self.path("nobody")], "")):
            ended = self.run_here(program, *arguments)
            self.assertEqual((ended.returncode, ended.stdout), (1, ""))
            self.assertIn(said, ended.stderr)
            self.assertNotEqual(ended.stderr, "")

    def library_example(self, program):
        self.gives_random_bytes(program)
        self.environment = {**self.environment, "TBS_SOCKET": "/nonexistent/socket"}
        ended = self.run_here(program)
        self.assertEqual((ended.returncode, ended.stdout), (1, ""))
        self.assertIn("(TBS_E_SERVICE_NOT_RUNNING)", ended.stderr)

    @unittest.skipUnless(shutil.which("go"), "no Go")
    def test_go_over_a_bridge(self):
        self.assertTrue(says_how_to_run("bridge.go", "go run bridge.go"))
        self.bridge_example(self.compiled("bridge.go", "go", "build"))

    @unittest.skipUnless(shutil.which("go") and shutil.which("pkg-config"), "no Go")
    def test_go_with_libtbs(self):
        self.assertTrue(says_how_to_run("libtbs.go", "go run libtbs.go"))
        self.library_example(self.compiled("libtbs.go", "go", "build"))

    @unittest.skipUnless(shutil.which("gofmt"), "no gofmt")
    def test_go_is_formatted(self):
        sources = [os.path.join(EXAMPLES, name) for name in sorted(os.listdir(EXAMPLES)) if name.endswith(".go")]
        ended = self.run_here("gofmt", "-l", *sources)
        self.assertEqual((ended.returncode, ended.stdout), (0, ""))

    @unittest.skipUnless(shutil.which("rustc"), "no Rust")
    def test_rust_over_a_bridge(self):
        self.assertTrue(says_how_to_run("bridge.rs", "rustc -O bridge.rs"))
        self.bridge_example(self.compiled("bridge.rs", "rustc", "-D", "warnings"))

    @unittest.skipUnless(shutil.which("rustc"), "no Rust")
    def test_rust_with_libtbs(self):
        self.assertTrue(says_how_to_run("libtbs.rs", "rustc -O libtbs.rs"))
        self.library_example(self.compiled("libtbs.rs", "rustc", "-D", "warnings", "-L", "native=" + LIBRARY))


if __name__ == "__main__":
    if not shutil.which("go") and not shutil.which("rustc"):
        print("neither Go nor Rust is installed (golang-go, rustc)")
        sys.exit(SKIPPED)
    sys.exit(unittest.main(verbosity=2))
