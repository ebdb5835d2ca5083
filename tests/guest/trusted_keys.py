#!/usr/bin/env python3
"""The kernel's trusted keys beside tbsd: each is sealed and unsealed by the kernel itself, past
tbsd and past the kernel's resource manager, with the slots of the TPM that tbsd leaves free.

Debian's kernels lack the module; TBS_TEST_TRUSTED_MODULE names one that was built for the guest's
kernel (docs/kernel.md says how), and without it the test is skipped. TBSD and TBSCTL name the
programs. Boots a guest and runs in it; prints how many of the kernel's attempts failed for each
way to share."""

import contextlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../integration/tbsctl"))
import tbsctl_test as base  # noqa: E402
import wire  # noqa: E402

SKIPPED = 77
OWNER, PARENT = 0x40000001, 0x81000001
STORAGE, SIGNING = 0x00030472, 0x00040072
EMPTY_PASSWORD = bytes.fromhex("00000009 40000009 0000 00 0000")
CLIENTS, ROUNDS = 4, 20
IDLE = 0.3  # seconds: far longer than the pause after which the slots are given up


def command(code, handles, parameters):
    body = b"".join(struct.pack(">I", handle) for handle in handles) + EMPTY_PASSWORD + parameters
    return struct.pack(">HII", 0x8002, 10 + len(body), code) + body


def create_primary(attributes):
    """A P-256 key; storage keys have a cipher."""
    cipher = struct.pack(">HHH", 0x0006, 128, 0x0043) if attributes == STORAGE else b"\0\x10"
    public = struct.pack(">HHIH", 0x0023, 0x000B, attributes, 0) + cipher
    public += struct.pack(">HHHHH", 0x0010, 0x0003, 0x0010, 0, 0)
    return command(0x131, [OWNER], bytes.fromhex("000400000000") +
                   struct.pack(">H", len(public)) + public + bytes(6))


def read_public(handle):
    return struct.pack(">HIII", 0x8001, 14, 0x173, handle)


def run(client, bytes_):
    client.begin(bytes_)
    response = client.result()[2]
    assert response[6:10] == bytes(4), response.hex()
    return response


def created(client, bytes_):
    return struct.unpack(">I", run(client, bytes_)[10:14])[0]


def keyctl(*arguments):
    return subprocess.run(["keyctl", *arguments], capture_output=True, text=True, check=False)


class Clients:
    """Each has a key and uses it all the time, so that the slots are always taken."""

    def __init__(self, socket):
        self.stop = threading.Event()
        self.uses = 0
        self.threads = [threading.Thread(target=self._work, args=(wire.Client(socket),))
                        for _ in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _work(self, client):
        key = created(client, create_primary(SIGNING))
        sequence = bytes.fromhex("80010000000e00000186 0000 000b")
        while not self.stop.is_set():
            started = created(client, sequence)
            run(client, struct.pack(">HIII", 0x8001, 14, 0x165, started))
            run(client, read_public(key))
            self.uses += 1
        client.close()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def tbsd(share):
    state = tempfile.mkdtemp(prefix="tbsd-state-")
    daemon = base.Daemon("auto", arguments=["--share", share, "--state-dir", state])
    try:
        yield daemon
    finally:
        daemon.stop()
        shutil.rmtree(state)


def make_parent(client):
    """The persistent key that the kernel seals with."""
    parent = created(client, create_primary(STORAGE))
    run(client, command(0x120, [OWNER, parent], struct.pack(">I", PARENT)))


def failures(blob):
    """Of attempts of the kernel to load a key that was sealed before."""
    failed = 0
    for attempt in range(ROUNDS):
        done = keyctl("add", "trusted", f"loaded{attempt}",
                      f"load {blob} keyhandle={PARENT:#x}", "@u")
        failed += done.returncode != 0
        if done.returncode == 0:
            keyctl("unlink", done.stdout.strip(), "@u")
    return failed


class TrustedKeys(unittest.TestCase):
    def test_in_order(self):
        blob = self.beside_clients_that_rest()
        for share in ("idle", "strict", "exclusive"):
            failed = self.beside_clients_at_work(share, blob)
            if share == "strict":
                self.assertEqual(failed, 0)

    def beside_clients_that_rest(self):
        """Returns a key that the kernel has sealed."""
        with tbsd("idle") as daemon:
            client = wire.Client(daemon.socket)
            make_parent(client)
            keys = [created(client, create_primary(SIGNING)) for _ in range(3)]
            time.sleep(IDLE)
            sealed = keyctl("add", "trusted", "new", f"new 32 keyhandle={PARENT:#x}", "@u")
            self.assertEqual(sealed.returncode, 0, sealed)
            blob = keyctl("pipe", sealed.stdout.strip()).stdout.strip()
            keyctl("unlink", sealed.stdout.strip(), "@u")
            self.assertEqual(failures(blob), 0)
            for key in keys:
                run(client, read_public(key))
            client.close()
        return blob

    def beside_clients_at_work(self, share, blob):
        with tbsd(share) as daemon:
            clients = Clients(daemon.socket)
            try:
                failed = failures(blob)
            finally:
                clients.end()
        print(f"# share = {share}, {CLIENTS} clients at work: {failed} of {ROUNDS} attempts of the "
              f"kernel failed; the clients came {clients.uses} times around", flush=True)
        return failed


if __name__ == "__main__":
    module = os.environ.get("TBS_TEST_TRUSTED_MODULE")
    if not module or not shutil.which("keyctl"):
        print("skipped: there is no module for trusted keys, or no keyctl (keyutils)")
        sys.exit(SKIPPED)
    if "TBS_GUEST" not in os.environ:
        runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run")
        os.execv(runner, [runner, "--timeout", "180", "--", os.path.abspath(__file__)])
    subprocess.run(["/run/guest/busybox", "insmod", module], check=True)
    sys.exit(unittest.main(verbosity=2))
