#!/usr/bin/env python3
"""Clients at work while their daemon is restarted: restart_test.py [--restarts N] [--device swtpm|embedded]
[--clients KIND:COUNT...] [--flows NAME...] [--seed N] [--alone].

A stand-in for the service manager ends the daemon, half of the times with SIGKILL, at random instants, also
while it starts, and starts it again. Each client checks all that it is answered (work.h). Nothing may be
lost, be carried out twice or be wrong; at the end nobody keeps anything of the clients that have gone.

Without a service manager it is `tbsctl restart` that has the daemon execute its program anew.

TBSD, TBSCTL and RESTART_CLIENTS in the environment name the programs."""

import argparse
import array
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../../support"))
from listening import listens  # noqa: E402
from service_manager import ServiceManager  # noqa: E402

DEADLINE = 120  # against hanging only
SHOWN = 30  # faults
SKIPPED = 77  # a flow whose programs are not installed
CLIENTS = {"2.0": ["pcr:12", "nv:4", "sign:8", "hash:6", "policy:6", "esys:12", "queue:4", "cancel:2", "new:2"],
           "1.2": ["pcr12:4", "sign12:4"]}


def eventually(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.01)


class Swtpm:
    def __init__(self, folder, family):
        self.path = os.path.join(folder, "tpm.sock")
        state = os.path.join(folder, "tpm")
        os.mkdir(state)
        self.log = open(os.path.join(folder, "swtpm.log"), "wb")
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--server", f"type=unixio,path={self.path}", "--ctrl",
             f"type=unixio,path={self.path}.ctrl", "--tpmstate", f"dir={state}", "--flags", "not-need-init",
             "--locality", "allow-set-locality", *(["--tpm2"] if family == "2.0" else [])],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        eventually("swtpm starts", lambda: os.path.exists(self.path) and os.path.exists(self.path + ".ctrl"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Alone:
    """A daemon that no service manager runs, with as much of the stand-in's interface as is needed here. It
    executes its program anew when `tbsctl restart` asks for it."""

    def __init__(self, folder, command, socket):
        self.socket, self.ready, self.starts = socket, True, 1
        self.log_path = os.path.join(folder, "service.log")
        with open(self.log_path, "ab") as log:
            environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=environment)
        self.pid = self.process.pid
        eventually("the daemon listens", lambda: listens(socket))

    def restart(self, _signal):
        at = time.monotonic()
        done = subprocess.run([os.environ["TBSCTL"], "--socket", self.socket, "restart"], encoding="utf-8",
                              capture_output=True, timeout=DEADLINE, check=False)
        if done.returncode != 0:
            raise AssertionError(f"tbsctl restart: {done.stderr}; log: {self.log()}")
        self.starts += 1
        return at

    def wait_until_ready(self):
        pass

    def wait_for(self, condition, what):
        eventually(what, condition)

    def stored(self):
        return []

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        return self.process.wait(DEADLINE)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Clients:
    """The program of that name, at work."""

    def __init__(self, folder, socket, kinds):
        self.times_path = os.path.join(folder, "times")
        self.process = subprocess.Popen(
            [os.environ["RESTART_CLIENTS"], socket, self.times_path, *kinds],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8")
        self.faults, self.summary = [], None
        self.working = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            if line == "working\n":
                self.working.set()
            elif line.startswith("{"):
                self.summary = json.loads(line)
            else:
                self.faults.append(line.strip())
                if len(self.faults) <= SHOWN:
                    print(f"{time.monotonic():.3f} {line}", end="", flush=True)
        self.working.set()

    def finish(self):
        """The times of all answers."""
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self._reader.join()
        times = array.array("q")
        with open(self.times_path, "rb") as file:
            times.frombytes(file.read())
        return [nanoseconds / 1e9 for nanoseconds in times]

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Flows:
    """What users do with programs of others (tests/integration/clients), again and again."""

    def __init__(self, socket, names):
        self.socket, self.stopping, self.runs, self.faults = socket, False, 0, []
        self._threads = [threading.Thread(target=self._repeat, args=(name, number), daemon=True)
                         for number, name in enumerate(names, 1)]
        for thread in self._threads:
            thread.start()

    def _repeat(self, name, number):
        environment = {**os.environ, "TBS_FLOW_SOCKET": self.socket, "TBS_FLOW_NUMBER": str(number)}
        while not self.stopping:
            ran = subprocess.run([HERE / "../clients" / f"{name}.sh"], env=environment, encoding="utf-8",
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            if ran.returncode == SKIPPED:
                print(f"skipped: {ran.stdout}")
                return
            self.runs += 1
            if ran.returncode != 0:
                self.faults.append(f"{name} ends with {ran.returncode}: {ran.stdout}")
                print(f"{time.monotonic():.3f} {self.faults[-1]}", flush=True)
                return

    def finish(self):
        self.stopping = True
        for thread in self._threads:
            thread.join()


def pauses(ends, answers):
    """For each time at which the daemon was ended: how long until somebody had an answer again. What was
    answered before may be read after that time, so it is the longest pause from there on that counts, of
    those that are over before the daemon is ended again."""
    found, place = [], 0
    for number, end in enumerate(ends):
        limit = ends[number + 1] if number + 1 < len(ends) else float("inf")
        while place < len(answers) and answers[place] < end:
            place += 1
        longest, last = 0, end
        index = place
        while index < len(answers) and answers[index] < limit:
            if answers[index] - last > longest:
                longest, until = answers[index] - last, answers[index]
            last = answers[index]
            index += 1
        if longest:
            found.append(until - end)
    return sorted(found)


def quantile(values, part):
    return values[min(int(len(values) * part), len(values) - 1)] if values else float("nan")


def resident(pid):
    """KiB of its own, and of memory that it shares."""
    values = {}
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            name, value = line.split(":", 1)
            values[name] = value.split()[0] if value.split() else ""
    return int(values["RssAnon"]), int(values["RssShmem"])


class Service:
    """One daemon on a TPM of its own, and its clients."""

    def __init__(self, folder, family, device, kinds, seed, more, alone, flows):
        self.folder, self.family = os.path.join(folder, family), family
        os.makedirs(os.path.join(self.folder, "state"))
        self.random = random.Random(f"{seed} {family}")
        self.swtpm = Swtpm(self.folder, family) if device == "swtpm" else None
        name = f"swtpm:path={self.swtpm.path}" if self.swtpm else f"embedded:{self.folder}/tpm"
        if not self.swtpm and family == "1.2":
            raise SystemExit("the embedded TPM is a TPM 2.0")
        socket = os.path.join(self.folder, "admin.sock")
        arguments = [os.environ["TBSD"], "--config", "/dev/null", "--device", name, "--state-dir",
                     os.path.join(self.folder, "state"), *more]
        everybodys = os.path.join(self.folder, "tbsd.sock")
        self.clients, self.ends, self.kills, self.alone, self.broken = None, [], 0, alone, None
        self.flows = None
        if alone:
            self.manager = Alone(self.folder, [*arguments, "--socket", everybodys], socket)
        else:
            self.manager = ServiceManager(self.folder, arguments,
                                          sockets={"everybody": everybodys, "admin": socket})
        try:
            self.manager.wait_until_ready()
            self.clients = Clients(self.folder, socket, kinds)
            if flows:
                self.flows = Flows(socket, flows)
        except BaseException:
            self.close()
            raise

    def end_once(self):
        """After a while, which is over before the daemon has come back now and then."""
        time.sleep(self.random.choice([0.01, 0.05, 0.2, 0.3]) * self.random.random())
        manager = self.manager
        starts = manager.starts
        if self.random.random() < 0.5 and not self.alone:
            at = manager.kill()
            self.kills += 1
        else:
            # Before that it has no handler for the signal.
            manager.wait_until_ready()
            at = manager.restart(signal.SIGUSR2)
        manager.wait_for(lambda: manager.starts > starts, "another start")
        if self.random.random() < 0.8:
            manager.wait_until_ready()
            time.sleep(0.05)
            self.ends.append(at)
            self.check_what_is_kept()

    def check_what_is_kept(self):
        """Without its record the next daemon begins anew, and nobody would notice before that."""
        kept = self.manager.stored()
        if not self.alone and not ("record" in kept and any(name.startswith("tpm-") for name in kept)):
            raise AssertionError(f"only this is kept: {kept}; log: {self.manager.log()}")

    def restart(self, times):
        try:
            for _ in range(times):
                self.end_once()
            self.manager.wait_until_ready()
        except AssertionError as error:
            self.broken = str(error)

    def check(self):
        if self.flows:
            self.flows.finish()
            print(f"{self.flows.runs} runs of flows", flush=True)
        answers = self.clients.finish()
        faults = list(self.clients.faults) + ([self.broken] if self.broken else [])
        faults += self.flows.faults if self.flows else []
        done = self.clients.summary or {"rounds": 0}
        manager = self.manager
        try:
            self.check_what_is_kept()
            eventually("nothing of clients is kept", lambda: not [
                name for name in manager.stored() if name.startswith("client-")])
        except AssertionError as error:
            faults.append(f"{error}: {manager.stored()}")
        anonymous, shared = resident(manager.pid)
        waits = pauses(self.ends, answers)
        print(f"TPM {self.family}: {self.clients.summary and self.clients.summary['clients']} clients, "
              f"{done['rounds']} rounds, {len(answers)} answers, {manager.starts - 1} restarts, {self.kills} of "
              f"them SIGKILL; {len(faults)} faults; pause p50 {quantile(waits, .5) * 1000:.0f} ms, "
              f"p99 {quantile(waits, .99) * 1000:.0f} ms ({len(waits)} of them); memory {anonymous} KiB, shared "
              f"{shared} KiB; kept: {' '.join(manager.stored()) or 'nothing'}", flush=True)
        if self.clients.process.returncode != 0 and not faults:
            faults.append(f"the clients end with {self.clients.process.returncode}")
        exit_status = manager.stop()
        if exit_status != 0:
            faults.append(f"the daemon ends with {exit_status}")
        return faults

    def close(self):
        if self.clients:
            self.clients.kill()
        self.manager.close()
        if self.swtpm:
            self.swtpm.stop()


def restart_all(services, times):
    threads = [threading.Thread(target=service.restart, args=(times,)) for service in services]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--restarts", type=int, default=30)
    parser.add_argument("--device", default="swtpm", choices=["swtpm", "embedded"])
    parser.add_argument("--clients", nargs="*", help="with a TPM 2.0 alone")
    parser.add_argument("--flows", nargs="*", default=[], help="of tests/integration/clients: tools_keys")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--seconds", type=float, default=0.5, help="of work before the first restart")
    parser.add_argument("--alone", action="store_true", help="without a service manager, by tbsctl restart")
    parser.add_argument("--more", default="", help="arguments of tbsd")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    folder = tempfile.mkdtemp(prefix="tbs-restart-")
    families = {"2.0": arguments.clients} if arguments.clients else CLIENTS
    services, faults = [], []
    try:
        for family, kinds in families.items():
            if family == "1.2" and arguments.device == "embedded":
                continue
            services.append(Service(folder, family, arguments.device, kinds, arguments.seed,
                                    arguments.more.split(), arguments.alone,
                                    arguments.flows if family == "2.0" else []))
        for service in services:
            service.clients.working.wait(DEADLINE)
        time.sleep(arguments.seconds)
        restart_all(services, arguments.restarts)
        for service in services:
            faults += service.check()
            if faults:
                print(faults[-1])
                print("".join(f"  {line}\n" for line in service.manager.log().splitlines()[-30:]), flush=True)
    finally:
        for service in services:
            service.close()
        if arguments.keep:
            print(folder)
        else:
            shutil.rmtree(folder)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
