"""A TBS context: to its program a TPM of its own."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
from ctypes import byref, c_int, c_uint32, c_uint64, c_void_p
from types import TracebackType
from typing import Any, Optional

from tbs import _libtbs
from tbs._libtbs import ContextInfo, Error, Priority, check


def response_code(response: bytes) -> int:
    """The TPM's own response code; 0 is success."""
    return int.from_bytes(response[6:10], "big")


def _milliseconds(timeout: Optional[float]) -> int:
    if timeout is None:
        return -1
    return min(max(int(timeout * 1000 + 0.999), 0), 0x7FFFFFFF)


class Context:
    """Opened when it is made, closed when its block ends: `with` or `async with`. Any thread may use it;
    a cancel and the time-out of submit() end what all of them have outstanding on it. submit_async() is
    for one event loop."""

    def __init__(self, socket: Optional[str] = None, *, tpm20: bool = True, tpm12: bool = False) -> None:
        """socket: the service's socket file; None leaves the choice to libtbs. The families are those
        that the program can use. It waits for a service that is starting, up to 90 s."""
        self._handle = c_void_p()
        self._turn: Optional[asyncio.Lock] = None
        self._watched: Optional[tuple[int, int]] = None
        flags = (_libtbs.INCLUDE_TPM20 if tpm20 else 0) | (_libtbs.INCLUDE_TPM12 if tpm12 else 0)
        params = _libtbs.ContextParams2(_libtbs.CONTEXT_VERSION_TWO, flags)
        path = None if socket is None else os.fsencode(socket)
        check(_libtbs.context_create(byref(params), path, byref(self._handle)))

    def close(self) -> None:
        """What other threads wait for ends with TBS_E_COMMAND_CANCELED. Nothing happens twice."""
        handle, self._handle = self._handle, c_void_p()
        if handle.value is not None:
            _libtbs.context_close(handle)

    def __enter__(self) -> Context:
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    async def __aenter__(self) -> Context:
        return self

    async def __aexit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        self.close()

    @property
    def info(self) -> ContextInfo:
        info = ContextInfo()
        check(_libtbs.context_info(self._handle, byref(info)))
        return info

    def submit(self, command: bytes, *, priority: int = Priority.NORMAL, locality: int = 0,
               timeout: Optional[float] = None) -> bytes:
        """Runs one TPM command; the response. After `timeout` seconds it is given up, and everything of
        the context cancelled: Error.timed_out."""
        response = ctypes.create_string_buffer(self.info.max_response)
        size = c_uint32(len(response))
        check(_libtbs.submit_timeout(self._handle, locality, priority, command, len(command), response,
                                     byref(size), _milliseconds(timeout)))
        return response.raw[:size.value]

    def cancel(self) -> None:
        """Cancels everything that the context has outstanding; from another thread."""
        check(_libtbs.cancel_commands(self._handle))

    async def submit_async(self, command: bytes, *, priority: int = Priority.NORMAL, locality: int = 0,
                           timeout: Optional[float] = None) -> bytes:
        """The same in an event loop. Commands of several tasks run one after the other; to cancel a task
        cancels its command, on the TPM as well, and no other. The time-out is that of asyncio, raised as
        Error.timed_out, and includes the wait for the tasks before."""
        job = self._in_turn(command, priority, locality)
        if timeout is None:
            return await job
        try:
            return await asyncio.wait_for(job, timeout)
        except asyncio.TimeoutError:
            raise Error(_libtbs.E_TIMED_OUT) from None

    async def _in_turn(self, command: bytes, priority: int, locality: int) -> bytes:
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            request = c_uint64()
            poll, cancel = self._descriptors()
            check(_libtbs.submit_begin(self._handle, locality, priority, command, len(command),
                                       byref(request)))
            return await self._response(request, poll, cancel)

    async def _response(self, request: c_uint64, poll: int, cancel: int) -> bytes:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Any] = loop.create_future()

        def look() -> None:
            taken = self._take(request)
            if taken is not None:
                loop.remove_reader(poll)
                ended.set_result(taken)

        loop.add_reader(poll, look)
        canceled = None
        while not ended.done():
            try:
                await asyncio.shield(ended)
            except asyncio.CancelledError as error:
                # The result has to be taken all the same, before the next command.
                canceled = error
                os.write(cancel, (1).to_bytes(8, sys.byteorder))
        if canceled is not None:
            _drain(cancel)
            raise canceled
        code, response = ended.result()
        check(code)
        return response

    def _take(self, request: c_uint64) -> Optional[tuple[int, bytes]]:
        """The result, if it is there."""
        for room in (4096, _libtbs.LARGEST_BUFFER):
            response = ctypes.create_string_buffer(room)
            size = c_uint32(room)
            code = _libtbs.submit_result(self._handle, request, response, byref(size), 0)
            if code != _libtbs.E_INSUFFICIENT_BUFFER:
                break
        if code == _libtbs.E_PENDING:
            return None
        return code, response.raw[:size.value] if code == _libtbs.SUCCESS else b""

    def _descriptors(self) -> tuple[int, int]:
        """To wait for a result, and to cancel without waiting. Both belong to the context."""
        if self._watched is None:
            poll, cancel = c_int(), c_int()
            check(_libtbs.poll_descriptor(self._handle, byref(poll)))
            check(_libtbs.cancel_descriptor(self._handle, byref(cancel)))
            self._watched = (poll.value, cancel.value)
        return self._watched


def _drain(cancel: int) -> None:
    try:
        os.read(cancel, 8)
    except BlockingIOError:
        pass
