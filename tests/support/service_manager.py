"""A stand-in for the service manager, as far as a restart needs one: it makes the sockets, starts a
program and starts it again when it dies, hears its notifications (sd_notify(3)), and keeps
descriptors for the next one (FDSTORE=1, FDSTOREREMOVE=1, FDPOLL=0, BARRIER=1).

What is told by another process than the one it has started is not heard (NotifyAccess=main)."""

import array
import ctypes
import fcntl
import os
import platform
import select
import signal
import socket
import struct
import threading
import time

FIRST_DESCRIPTOR = 3  # SD_LISTEN_FDS_START
DEADLINE = 60  # against hanging only
LIBC = ctypes.CDLL(None, use_errno=True)
KCMP = {"x86_64": 312, "aarch64": 272, "s390x": 343}.get(platform.machine())


def same_open_file(one, other):
    """Not only the same file (kcmp(2))."""
    if KCMP is None:
        return os.path.sameopenfile(one, other)
    own = os.getpid()
    result = LIBC.syscall(KCMP, own, own, 0, one, other)
    return os.path.sameopenfile(one, other) if result < 0 else result == 0


class Store:
    """Descriptors with their names, the newest first, as systemd hands them out."""

    def __init__(self, most):
        self.most = most
        self.entries = []  # (name, descriptor, polled)
        self.refused = []  # names of what it had no room for

    def add(self, name, descriptor, polled):
        if any(same_open_file(descriptor, other) for _, other, _ in self.entries):
            os.close(descriptor)
            return False
        if len(self.entries) >= self.most:
            os.close(descriptor)
            self.refused.append(name)
            return False
        self.entries.insert(0, (name, descriptor, polled))
        return True

    def remove(self, unwanted):
        for entry in [entry for entry in self.entries if unwanted(entry)]:
            self.entries.remove(entry)
            os.close(entry[1])

    def clear(self):
        self.remove(lambda entry: True)


class ServiceManager:
    """`sockets` are the names of listening sockets and their paths; without any, the program makes
    its own. It has to be closed."""

    def __init__(self, folder, command, sockets=None, environment=None, store_most=1100, restart_pause=0.0):
        self._command, self._environment = command, environment or {}
        self._restart_pause = restart_pause
        self._log = open(os.path.join(folder, "service.log"), "ab")
        self.log_path = self._log.name
        self._notify_path = os.path.join(folder, "notify")
        self._notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._notify.bind(self._notify_path)
        self._sockets = {}
        for name, path in (sockets or {}).items():
            self._sockets[name] = socket.socket(socket.AF_UNIX)
            self._sockets[name].bind(path)
            self._sockets[name].listen(96)
        self._changed = threading.Condition()
        self._store = Store(store_most)
        self._pidfd = None
        self._ends = False
        self._wants_restart = False  # as a job of systemd's would
        self.pid = None
        self.starts = 0
        self.ready = False  # the program that runs has said so
        self.status = ""
        self.heard = []  # lines of notifications
        self.exits = []  # of all that have ended: the exit code, or the signal with a minus
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._start()
        self._thread.start()

    # What tests ask for.

    def stored(self):
        """The names of what is kept."""
        with self._changed:
            return sorted(name for name, _, _ in self._store.entries)

    def refused(self):
        with self._changed:
            return list(self._store.refused)

    def kill(self, number=signal.SIGKILL):
        """Sends a signal; the time at which it was sent, of time.monotonic()."""
        with self._changed:
            now = time.monotonic()
            os.kill(self.pid, number)
            return now

    def wait_for(self, condition, what):
        """Until `condition()` holds; it is called with nothing else going on here."""
        with self._changed:
            if not self._changed.wait_for(condition, DEADLINE):
                raise AssertionError(f"{what}: not within {DEADLINE} s; log: {self.log()}")

    def wait_until_ready(self, starts=None):
        """Until the program of that start, counted from 1, or the one that runs, has said that it is."""
        wanted = self.starts if starts is None else starts
        self.wait_for(lambda: self.starts >= wanted and self.ready, f"start {wanted} is ready")

    def restart(self, number=signal.SIGTERM):
        """Ends the program by that signal, keeps what is stored whatever its exit status, and starts it
        again. Returns the time of the signal, without waiting."""
        with self._changed:
            self._wants_restart = True
            return self.kill(number)

    def stop(self):
        """Ends the program for good, as `systemctl stop` does; its exit status."""
        with self._changed:
            self._ends = True
            if self.pid is not None:
                os.kill(self.pid, signal.SIGTERM)
        self.wait_for(lambda: self.pid is None, "the program has ended")
        return self.exits[-1]

    def close(self):
        with self._changed:
            self._ends = True
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
        self.wait_for(lambda: self.pid is None, "the program has ended")
        os.write(self._waker, b"x")
        self._thread.join()
        self._store.clear()
        for listener in self._sockets.values():
            listener.close()
        self._notify.close()
        self._log.close()
        os.close(self._wake)
        os.close(self._waker)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    # The program.

    def _start(self):
        given = [(name, listener.fileno()) for name, listener in self._sockets.items()]
        given += [(name, descriptor) for name, descriptor, _ in self._store.entries]
        environment = {**os.environ, "NOTIFY_SOCKET": self._notify_path, **self._environment}
        self.ready = False
        log = self._log.fileno()
        pid = os.fork()
        if pid == 0:
            try:
                become(self._command, environment, given, log)
            finally:
                os._exit(127)
        self.pid, self._pidfd = pid, os.pidfd_open(pid)
        self.starts += 1

    def _serve(self):
        while True:
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            poll.register(self._notify, select.POLLIN)
            if self._pidfd is not None:
                poll.register(self._pidfd, select.POLLIN)
            polled = {descriptor for _, descriptor, watched in self._store.entries if watched}
            for descriptor in polled:
                poll.register(descriptor, 0)
            ready = {descriptor for descriptor, _ in poll.poll()}
            with self._changed:
                if self._wake in ready:
                    return
                # What the program has said before it died comes first.
                self._hear()
                self._store.remove(lambda entry: entry[1] in ready and entry[1] in polled)
                if self._pidfd in ready:
                    self._bury()
                self._changed.notify_all()

    def _bury(self):
        _, status = os.waitpid(self.pid, 0)
        os.close(self._pidfd)
        self.pid, self._pidfd = None, None
        code = os.waitstatus_to_exitcode(status)
        self.exits.append(code)
        again = not self._ends and (code != 0 or self._wants_restart)
        self._wants_restart = False
        if not again:
            self._store.clear()
            return
        if self._restart_pause:
            time.sleep(self._restart_pause)
        self._start()

    # What it says.

    def _hear(self):
        while True:
            try:
                text, control, _, _ = self._notify.recvmsg(
                    4096, socket.CMSG_SPACE(12) + socket.CMSG_SPACE(4 * 256),
                    socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            sender, descriptors = None, []
            for level, kind, data in control:
                if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
                    sender = struct.unpack("iII", data)[0]
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    numbers = array.array("i")
                    numbers.frombytes(data[:len(data) - len(data) % numbers.itemsize])
                    descriptors = list(numbers)
            lines = text.decode().split("\n")
            # A barrier may come from anybody; closing what came with it is the answer.
            if lines != ["BARRIER=1"] and sender == self.pid:
                descriptors = self._obey(lines, descriptors)
            for descriptor in descriptors:
                os.close(descriptor)

    def _obey(self, lines, descriptors):
        """What is left of the descriptors."""
        self.heard += lines
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        name = values.get("FDNAME", "stored")
        if values.get("READY") == "1":
            self.ready = True
        self.status = values.get("STATUS", self.status)
        if values.get("FDSTOREREMOVE") == "1":
            self._store.remove(lambda entry: entry[0] == name)
        elif values.get("FDSTORE") == "1":
            for descriptor in descriptors:
                self._store.add(name, descriptor, values.get("FDPOLL") != "0")
            return []
        return descriptors


def become(command, environment, given, log):
    """In the new process."""
    behind = FIRST_DESCRIPTOR + len(given)
    copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, behind) for _, descriptor in given]
    log = fcntl.fcntl(log, fcntl.F_DUPFD_CLOEXEC, behind)
    for place, copy in enumerate(copies):
        os.dup2(copy, FIRST_DESCRIPTOR + place, inheritable=True)
    os.dup2(log, 1, inheritable=True)
    os.dup2(log, 2, inheritable=True)
    for number in (signal.SIGINT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    if given:
        environment["LISTEN_PID"] = str(os.getpid())
        environment["LISTEN_FDS"] = str(len(given))
        environment["LISTEN_FDNAMES"] = ":".join(name for name, _ in given)
    LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: it ends with the test
    os.execve(command[0], command, environment)
