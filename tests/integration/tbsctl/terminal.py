"""A real terminal: a tmux of our own, with a server of its own, whose one window runs a shell."""

import os
import re
import shutil
import subprocess
import time

import unittest

NEEDS_TMUX = unittest.skipUnless(shutil.which("tmux"), "needs tmux")
DEADLINE = 120  # against hanging only
PROMPT = "ready>"


class Terminal:
    """`environment` is the shell's, besides what it needs."""

    def __init__(self, folder, environment, width=160, height=30):
        self.socket = os.path.join(folder, f"tmux-{time.monotonic_ns()}.sock")
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
        # Read by the shell before its first prompt: what is typed before that may stand beside another one.
        start = os.path.join(folder, "shell-start")
        with open(start, "w", encoding="ascii") as file:
            file.write(f"PS1='{PROMPT}'\n")
        subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, "new-session", "-d", "-c", folder,
                        "-x", str(width), "-y", str(height), "sh"], check=True, timeout=DEADLINE,
                       env={**kept, **environment, "LC_ALL": "C.UTF-8", "TERM": "xterm", "ENV": start})
        self.wait_for("^" + PROMPT)

    def tmux(self, *words):
        ran = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, timeout=DEADLINE,
                             encoding="utf-8", errors="replace", check=True)
        return ran.stdout

    def type(self, *keys):
        """Keys by the names that tmux has for them ("Enter", "Down", "C-c")."""
        self.tmux("send-keys", *keys)

    def command(self, line):
        self.tmux("send-keys", "-l", line)
        self.type("Enter")

    def lines(self):
        return self.tmux("capture-pane", "-p").splitlines()

    def of_pane(self, name):
        """What tmux knows, for instance "alternate_on"."""
        return self.tmux("display-message", "-p", "#{" + name + "}").strip()

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_until(self, condition):
        """Returns what it gives when it gives something; `condition` is asked with the lines on the screen."""
        end = time.monotonic() + DEADLINE
        while True:
            lines = self.lines()
            found = condition(lines)
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError("waited for in vain; the screen has\n" + "\n".join(lines))
            time.sleep(0.05)

    def wait_for(self, pattern):
        """Until a line of the screen has it."""
        return self.wait_until(
            lambda lines: next((line for line in lines if re.search(pattern, line)), None))

    def close(self):
        # The server ends with its last window.
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=DEADLINE,
                       check=False)
