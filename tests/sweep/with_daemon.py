#!/usr/bin/env python3
"""Runs a program beside a tbsd on the embedded TPM, whose socket is in TBS_SOCKET: with_daemon.py PROGRAM [ARGUMENT...]

TBSD in the environment names the daemon."""

import os
import subprocess
import sys
import tempfile

from daemon import Daemon


def main():
    with tempfile.TemporaryDirectory(prefix="tbs-sweep-") as folder:
        daemon = Daemon(folder)
        try:
            if not daemon.is_up():
                print(daemon.log())
                return 1
            code = subprocess.run(sys.argv[1:], check=False,
                                  env={**os.environ, "TBS_SOCKET": daemon.admin_socket}).returncode
            if daemon.stop() != 0 or code != 0:
                print(daemon.log()[-4000:])
                return code or 1
            return 0
        finally:
            daemon.kill()


if __name__ == "__main__":
    sys.exit(main())
