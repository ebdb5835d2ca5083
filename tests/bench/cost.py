#!/usr/bin/env python3
"""Counts what one TPM command costs tbsd and libtbs: instructions, allocations, system calls.

Counts do not depend on what else the machine does, so they can be compared from one day and one machine of
the same kind to the next. Each is the difference between a long and a short run, divided by the commands that
the long one has more: what starts and ends a daemon or a client cancels out.

Instructions and allocations come from valgrind (callgrind), system calls from strace. tbsd does not poll
meanwhile (--busy-poll 0): how often it would look in vain depends on the clock. strace makes tbsd slow, so with
several clients it finds more to do at once than it would otherwise.
"""

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SHORT, LONG = 200, 1200  # commands of one run
OTHERS = (10, 100, 1000, 10000)
ACCOUNTS = (1, 200)
MANY = ["--max-contexts=20000", "--max-contexts-per-user=20000", "--objects-per-user=100000"]
READY_LIMIT = 300  # seconds; valgrind is slow, and the machine may be

# Where an allocation ends, whoever asks for it: operator new and what aligns call malloc.
ALLOCATION = re.compile(r"^(malloc|calloc|realloc)(@|$|')")


class Failed(Exception):
    pass


def parse_arguments():
    parser = argparse.ArgumentParser(prog="./dev bench cost", description=__doc__.split("\n")[0])
    parser.add_argument("--tbsd", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--client", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--tcti", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    parser.add_argument("--calls", action="store_true", help="print the system calls by name, too")
    parser.add_argument("--profile", metavar="FOLDER",
                        help="keep the output of callgrind there, for callgrind_annotate")
    parser.add_argument("--scale", action="store_true",
                        help="count beside 10 to 10,000 contexts with three keys each; takes minutes")
    parser.add_argument("--only", metavar="TEXT", help="only the rows with this in their name")
    arguments = parser.parse_args()
    for program in ("valgrind", "strace", "swtpm"):
        if shutil.which(program) is None:
            parser.error(f"{program} is not installed")
    return arguments


class Run:
    """One daemon and one load, one of which is run by a tool that counts."""

    def __init__(self, arguments, case, commands, tool):
        self.arguments, self.case, self.commands, self.tool = arguments, case, commands, tool
        self.folder = tempfile.mkdtemp(prefix="tbs-cost.")
        self.out = os.path.join(self.folder, "out")

    def counted(self, command):
        if self.tool == "callgrind":
            return ["valgrind", "-q", "--tool=callgrind", "--compress-strings=no", f"--callgrind-out-file={self.out}",
                    *command]
        # As a child of what it traces (-D), so that our signals reach that.
        return ["strace", "-D", "-f", "-qq", "-c", "-U", "calls,name", "-o", self.out, *command]

    def daemon_command(self):
        command = [self.arguments.tbsd, "--config=/dev/null", f"--device=swtpm:path={self.folder}/tpm.sock", "--busy-poll=0",
                   f"--socket={self.folder}/tbsd.sock", f"--state-dir={self.folder}/state",
                   # strace would be refused.
                   "--seccomp=no", *self.case.get("options", [])]
        return self.counted(command) if self.case["of"] == "tbsd" else command

    def load_command(self):
        if self.case["of"] == "tool":
            tcti = {"tbs": f"{self.arguments.tcti}:{self.folder}/tbsd.sock",
                    "swtpm": f"swtpm:path={self.folder}/tpm.sock"}[self.case["work"]]
            return ["tpm2_getrandom", f"--tcti={tcti}", "--output=/dev/null", "8"]
        return [self.arguments.client, f"{self.folder}/tbsd.sock", str(self.case["clients"]),
                str(self.commands // self.case["clients"]), self.case["work"],
                str(self.case.get("others", 0)), str(self.case.get("accounts", 0))]

    def servers(self):
        return 1 if self.case["work"] == "swtpm" else 2

    def wait_until_ready(self, daemon):
        if self.servers() == 1:
            while not os.path.exists(f"{self.folder}/tpm.sock.ctrl"):
                time.sleep(0.05)
            return
        end = time.monotonic() + READY_LIMIT
        one = [self.arguments.client, f"{self.folder}/tbsd.sock", "1", "1", "random", "0", "0"]
        while subprocess.run(one, stderr=subprocess.DEVNULL).returncode != 0:
            if daemon.poll() is not None or time.monotonic() > end:
                with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as log:
                    raise Failed("tbsd does not start:\n" + log.read())
            time.sleep(0.05)

    def swtpm_command(self):
        return ["swtpm", "socket", "--tpm2", "--server", f"type=unixio,path={self.folder}/tpm.sock",
                "--ctrl", f"type=unixio,path={self.folder}/tpm.sock.ctrl", "--tpmstate", f"dir={self.folder}/tpm",
                "--locality", "allow-set-locality", "--flags", "not-need-init,startup-clear"]

    def __enter__(self):
        os.chmod(self.folder, 0o755)  # clients may be other users
        for name in ("state", "tpm"):
            os.mkdir(f"{self.folder}/{name}")
        started = []
        try:
            with open(f"{self.folder}/log", "w", encoding="utf-8") as log:
                for command in (self.swtpm_command(), self.daemon_command())[:self.servers()]:
                    started.append(subprocess.Popen(command, stdout=log, stderr=log))
            self.wait_until_ready(started[-1])
            load = self.load_command()
            if self.case["of"] != "tbsd":
                load = self.counted(load)
            if subprocess.run(load).returncode != 0:
                raise Failed("the clients failed")
        finally:
            for process in reversed(started):
                process.terminate()
                process.wait(READY_LIMIT)
        return self

    def __exit__(self, *_):
        if self.arguments.profile and self.tool == "callgrind" and os.path.exists(self.out):
            os.makedirs(self.arguments.profile, exist_ok=True)
            name = re.sub(r"\W+", "-", f"{self.case['name']} {self.commands}")
            shutil.copy(self.out, os.path.join(self.arguments.profile, "callgrind.out." + name))
        shutil.rmtree(self.folder)

    def text(self):
        # strace writes when what it traces has ended.
        end = time.monotonic() + READY_LIMIT
        while not (os.path.exists(self.out) and os.path.getsize(self.out) > 0):
            if time.monotonic() > end:
                raise Failed(f"{self.tool} has written nothing")
            time.sleep(0.05)
        with open(self.out, encoding="utf-8", errors="replace") as file:
            return file.read()


def callgrind_counts(text):
    """The instructions of all functions, and how often one was called that allocates."""
    instructions = int(re.search(r"^(?:summary|totals): (\d+)", text, re.M).group(1))
    called = re.findall(r"^cfn=(.*)\n(?:cfi=.*\n|cob=.*\n)*calls=(\d+)", text, re.M)
    allocations = sum(int(calls) for name, calls in called if ALLOCATION.match(name))
    return {"instructions": instructions, "allocations": allocations}


def strace_counts(text):
    return {name: int(count) for count, name in re.findall(r"^\s*(\d+)\s+(\w+)\s*$", text, re.M) if name != "total"}


def difference(arguments, case, tool, read):
    """What one command costs, of each that the tool counts."""
    counts = []
    for commands in (SHORT, LONG):
        with Run(arguments, case, commands, tool) as run:
            counts.append(read(run.text()))
    more = LONG - SHORT
    return {name: (counts[1].get(name, 0) - counts[0].get(name, 0)) / more for name in counts[1]}


def measure(arguments, case):
    if case["of"] == "tool":
        with Run(arguments, case, 1, "callgrind") as run:
            return callgrind_counts(run.text())
    row = difference(arguments, case, "callgrind", callgrind_counts)
    if "options" in case and case["options"] == MANY:
        return row  # under strace so many contexts take too long, and their number changes no call
    calls = difference(arguments, case, "strace", strace_counts)
    row["system calls"] = sum(calls.values())
    row["calls"] = {name: round(count, 2) for name, count in sorted(calls.items(), key=lambda one: -one[1])
                    if count > 0.005}
    return row


def cases():
    bare = ["--keep-clients=no"]
    for of, clients, work, options, what in (
            ("tbsd", 1, "random", [], "GetRandom, 1 client"),
            ("tbsd", 1, "random", bare, "GetRandom, 1 client, clients not kept"),
            ("tbsd", 8, "random", [], "GetRandom, 8 clients"),
            ("tbsd", 8, "random", bare, "GetRandom, 8 clients, clients not kept"),
            ("tbsd", 1, "sign", [], "Sign, 1 client"),
            ("tbsd", 1, "sign", bare, "Sign, 1 client, clients not kept"),
            ("libtbs", 1, "random", [], "GetRandom")):
        yield {"name": f"{of}: {what}", "of": of, "clients": clients, "work": work, "options": options}


def cases_of_tools():
    """A whole program, from its start to its end, beside the same one without tbsd."""
    if shutil.which("tpm2_getrandom") is None:
        return
    for way, what in (("tbs", "through tbsd"), ("swtpm", "straight to swtpm")):
        yield {"name": f"tpm2_getrandom {what}, all of it", "of": "tool", "clients": 1, "work": way}


def cases_of_scale():
    """The same work beside ever more contexts: what it costs must not grow with them."""
    for work, what in (("random", "GetRandom"), ("sign", "Sign"), ("connect", "connect and disconnect")):
        for others in OTHERS:
            yield {"name": f"tbsd: {what}, beside {others} contexts", "of": "tbsd", "clients": 1, "work": work,
                   "options": MANY, "others": others}
    for accounts in ACCOUNTS if os.geteuid() == 0 else ():
        yield {"name": f"tbsd: GetRandom, 200 clients, {accounts} accounts", "of": "tbsd", "clients": 200,
               "work": "random", "options": MANY, "accounts": accounts}


def allow_many_descriptors():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main():
    arguments = parse_arguments()
    allow_many_descriptors()
    rows = {}
    if not arguments.json:
        print(f"{'one command':<50} {'instructions':>12} {'allocations':>12} {'system calls':>12}")
    for case in cases_of_scale() if arguments.scale else (*cases(), *cases_of_tools()):
        if arguments.only and arguments.only not in case["name"]:
            continue
        row = rows[case["name"]] = measure(arguments, case)
        if arguments.json:
            continue
        calls = f"{row['system calls']:.2f}" if "system calls" in row else ""
        print(f"{case['name']:<50} {row['instructions']:>12.0f} {row['allocations']:>12.2f} {calls:>12}", flush=True)
        if arguments.calls and "calls" in row:
            print("    " + ", ".join(f"{name} {count}" for name, count in row["calls"].items()))
    if arguments.json:
        json.dump(rows, sys.stdout, indent=2)
        print()


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"cost: {error}")
