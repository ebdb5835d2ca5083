"""Whether somebody listens on a Unix socket. That the file exists is not enough: it is made a moment
earlier."""

import socket


def listens(path):
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True
