#!/usr/bin/env python3
"""The Python package of the examples on a tbsd of its own, with a TPM that can be made to stand still.

TBSD, LIBTBS and TOP in the environment name the daemon, the library and the source tree."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

TOP = os.environ["TOP"]
DEADLINE = 60  # against hanging only

sys.path[:0] = [os.path.join(TOP, "docs/examples"), os.path.join(TOP, "tests/support")]
from listening import listens  # noqa: E402

import tbs  # noqa: E402

GET_RANDOM = b"\x80\x01\0\0\0\x0c\0\0\x01\x7b\0\x10"


def read_property_of_capability():
    """A long response: all PCRs' banks and the like."""
    return b"\x80\x01\0\0\0\x16\0\0\x01\x7a\0\0\0\x06\0\0\x01\0\0\0\0\x7f"


class FrozenTpm:
    """The TPM stands still as long as the block lasts."""

    def __init__(self, daemon):
        with open(f"/proc/{daemon}/task/{daemon}/children", encoding="ascii") as file:
            self.children = [int(child) for child in file.read().split()]

    def __enter__(self):
        for child in self.children:
            os.kill(child, signal.SIGSTOP)

    def __exit__(self, *_):
        for child in self.children:
            os.kill(child, signal.SIGCONT)


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="tbs-python-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.socket = os.path.join(cls.folder, "tbsd.sock")
        cls.daemon = subprocess.Popen(
            [os.environ["TBSD"], "--config", "/dev/null", "--device", "embedded", "--socket",
             cls.socket, "--state-dir", cls.folder], stderr=subprocess.DEVNULL)
        cls.addClassCleanup(cls.stop)
        end = time.monotonic() + DEADLINE
        while not listens(cls.socket) and time.monotonic() < end:
            time.sleep(0.02)

    @classmethod
    def stop(cls):
        cls.daemon.terminate()
        cls.daemon.wait(DEADLINE)

    def frozen(self):
        return FrozenTpm(self.daemon.pid)

    def test_submit(self):
        with tbs.Context(self.socket) as tpm:
            self.assertGreater(tpm.info.number, 0)
            first, second = tpm.submit(GET_RANDOM), tpm.submit(GET_RANDOM, priority=tbs.Priority.LOW,
                                                               timeout=float(DEADLINE))
            self.assertEqual(tbs.response_code(first), 0)
            self.assertEqual((len(first), len(second)), (28, 28))
            self.assertNotEqual(first, second)
            self.assertEqual(tbs.response_code(tpm.submit(read_property_of_capability())), 0)

    def test_errors(self):
        with self.assertRaises(tbs.Error) as caught:
            tbs.Context("/nonexistent/socket")
        self.assertEqual(caught.exception.name, "TBS_E_SERVICE_NOT_RUNNING")
        self.assertIn("TBS_E_SERVICE_NOT_RUNNING", str(caught.exception))
        tpm = tbs.Context(self.socket)
        with self.assertRaises(tbs.Error) as caught:
            tpm.submit(b"short")
        self.assertEqual(caught.exception.name, "TBS_E_BAD_PARAMETER")
        tpm.close()
        tpm.close()
        with self.assertRaises(tbs.Error) as caught:
            tpm.submit(GET_RANDOM)
        self.assertEqual(caught.exception.name, "TBS_E_INVALID_CONTEXT")

    def test_timeout(self):
        with tbs.Context(self.socket) as tpm:
            with self.frozen(), self.assertRaises(tbs.Error) as caught:
                tpm.submit(GET_RANDOM, timeout=0.05)
            self.assertTrue(caught.exception.timed_out)
            self.assertEqual(len(tpm.submit(GET_RANDOM)), 28)

    def test_cancel(self):
        with tbs.Context(self.socket) as tpm:
            ended = []

            def work():
                try:
                    tpm.submit(GET_RANDOM)
                except tbs.Error as error:
                    ended.append(error)

            with self.frozen():
                thread = threading.Thread(target=work)
                thread.start()
                # A command that comes after a cancel is met by the next.
                while thread.is_alive():
                    tpm.cancel()
                    thread.join(0.01)
            self.assertTrue(ended[0].canceled)

    def run_async(self, job):
        async def with_context():
            async with tbs.Context(self.socket) as tpm:
                return await asyncio.wait_for(job(tpm), DEADLINE)

        return asyncio.run(with_context())

    def test_async(self):
        async def job(tpm):
            return await asyncio.gather(*(tpm.submit_async(GET_RANDOM) for _ in range(50)))

        responses = self.run_async(job)
        self.assertEqual(len(set(responses)), 50)
        self.assertEqual({tbs.response_code(each) for each in responses}, {0})

    def test_async_contexts_side_by_side(self):
        async def job(_):
            contexts = [tbs.Context(self.socket) for _ in range(20)]
            responses = await asyncio.gather(*(each.submit_async(GET_RANDOM) for each in contexts))
            for each in contexts:
                each.close()
            return responses

        self.assertEqual(len(set(self.run_async(job))), 20)

    def test_async_cancel_meets_its_own_command(self):
        async def job(tpm):
            with self.frozen():
                tasks = [asyncio.ensure_future(tpm.submit_async(GET_RANDOM)) for _ in range(3)]
                for _ in range(10):
                    await asyncio.sleep(0)
                # One that runs, and one that waits.
                for task in (tasks[0], tasks[1]):
                    task.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await task
                self.assertFalse(tasks[2].done())
            response = await tasks[2]
            self.assertEqual(len(response), 28)
            self.assertEqual(len(await tpm.submit_async(GET_RANDOM)), 28)

        self.run_async(job)

    def test_async_errors_and_timeout(self):
        async def job(tpm):
            with self.assertRaises(tbs.Error) as caught:
                await tpm.submit_async(b"short")
            self.assertEqual(caught.exception.name, "TBS_E_BAD_PARAMETER")
            with self.frozen(), self.assertRaises(tbs.Error) as caught:
                await tpm.submit_async(GET_RANDOM, timeout=0.05)
            self.assertTrue(caught.exception.timed_out)
            self.assertEqual(len(await tpm.submit_async(GET_RANDOM)), 28)

        self.run_async(job)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
