#!/usr/bin/env python3
"""Stands between QEMU and swtpm, and holds each answer back until a real chip would have given it.

QEMU hands swtpm one end of a socket pair for commands, over the control channel. This program hands
on an end of a pair of its own instead, and carries commands and answers across.
"""

import argparse
import array
import os
import socket
import struct
import threading
import time

# Milliseconds; the same chips as those that tests/bench/chip.h knows.
CHIPS = {
    "SLB9665": {"sign": 73, "load": 85, "save": 85, "flush": 13, "other": 4.6},
    "NPCT75x": {"sign": 20, "load": 7, "save": 7, "flush": 4, "other": 2.9},
}
KINDS = {0x15D: "sign", 0x161: "load", 0x162: "save", 0x165: "flush"}
HEADER = struct.Struct(">HII")


def _receive(end, size):
    data = b""
    while len(data) < size:
        part = end.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def _message(end):
    """One whole command or response, and its code."""
    header = _receive(end, HEADER.size)
    _, size, code = HEADER.unpack(header)
    return header + _receive(end, size - HEADER.size), code


def carry_commands(qemu, swtpm, times):
    """Takes one command at a time, as a chip does, until one side is gone."""
    try:
        while True:
            command, code = _message(qemu)
            due = time.monotonic() + times[KINDS.get(code, "other")] / 1000
            swtpm.sendall(command)
            response, _ = _message(swtpm)
            time.sleep(max(0, due - time.monotonic()))
            qemu.sendall(response)
    except (EOFError, OSError):
        qemu.close()
        swtpm.close()


def _exchange_descriptor(descriptor, times):
    """Begins to carry commands; returns what swtpm gets instead of the descriptor."""
    ours, theirs = socket.socketpair()
    threading.Thread(target=carry_commands, daemon=True,
                     args=(socket.socket(fileno=descriptor), ours, times)).start()
    return theirs


def carry_control(source, target, times):
    """Carries one direction of the control channel."""
    room = socket.CMSG_SPACE(array.array("i").itemsize)
    try:
        while True:
            data, ancillary, _, _ = source.recvmsg(65536, room)
            if not data:
                return
            descriptors = array.array("i")
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    descriptors.frombytes(content)
            if descriptors:
                with _exchange_descriptor(descriptors[0], times) as theirs:
                    socket.send_fds(target, [data], [theirs.fileno()])
            else:
                target.sendall(data)
    except OSError:
        return


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chip", choices=CHIPS)
    parser.add_argument("control", help="swtpm's control socket")
    parser.add_argument("listen", help="where QEMU connects")
    options = parser.parse_args()
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as swtpm:
        listener.bind(options.listen)
        listener.listen(1)
        qemu, _ = listener.accept()
        swtpm.connect(options.control)
        times = CHIPS[options.chip]
        threading.Thread(target=carry_control, args=(swtpm, qemu, times), daemon=True).start()
        carry_control(qemu, swtpm, times)
        os._exit(0)  # whatever the threads wait for


if __name__ == "__main__":
    main()
