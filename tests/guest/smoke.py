#!/usr/bin/env python3
"""The guest runner keeps its promises: smoke.py 2.0|1.2 tis|crb, or smoke.py runner.

Prints TAP. The first form runs itself in a guest with that TPM and carries its checks out there;
the second checks the runner from outside.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
GET_RANDOM = {"2": bytes.fromhex("8001 0000000c 0000017b 0010"),
              "1": bytes.fromhex("00c1 0000000e 00000046 00000010")}
checks = 0


def check(good, what):
    global checks
    checks += 1
    print(f"{'ok' if good else 'not ok'} {checks} - {what}", flush=True)


def emulator(*request):
    return subprocess.run([HERE / "emulator", *request], check=False).returncode


def random_seconds(device, family, times=20):
    begin = time.monotonic()
    for _ in range(times):
        os.write(device, GET_RANDOM[family])
        response = os.read(device, 4096)
        assert len(response) >= 16 and response[6:10] == bytes(4), response.hex()
    return time.monotonic() - begin


def inside(family):
    """Runs in the guest, started by `outside`."""
    tpm = pathlib.Path("/sys/class/tpm/tpm0")
    check(os.geteuid() == 0, "the command runs as root")
    check(pathlib.Path("/dev/tpm0").is_char_device(), "/dev/tpm0 is there")
    check(pathlib.Path("/dev/tpmrm0").exists() == (family == "2"), "/dev/tpmrm0 as the family has it")
    check((tpm / "tpm_version_major").read_text().strip() == family, "the TPM's family is right")
    check(pathlib.Path("/sys/kernel/security/tpm0/binary_bios_measurements").exists(),
          "the firmware's event log is there")
    check(os.environ.get("TBS_GUEST_PROBE") == "a 'b'\n$c", "the environment is carried over")
    probe = HERE / "written-in-the-guest"
    probe.write_text("x")
    check(probe.exists(), "the guest can write among the host's files")
    for stream in ("/dev/stdout", "/dev/stderr"):
        with open(stream, "w", encoding="ascii") as again:
            again.write("# output streams can be opened by name\n")

    device = os.open("/dev/tpm0", os.O_RDWR)
    fast = random_seconds(device, family)
    check(True, "GetRandom works by raw bytes")
    check(emulator("slow", "on") == 0, "the emulator can be slowed")
    slow = random_seconds(device, family)
    check(emulator("slow", "off") == 0, "and sped up")
    check(slow > fast, f"slow is slower: 20 commands in {slow:.2f} s, before in {fast:.3f} s")
    check(emulator("freeze", "700") == 0, "the emulator can be frozen for a time")
    frozen = random_seconds(device, family, 1)
    check(frozen > 0.5, f"a frozen TPM does not answer: {frozen:.2f} s")
    check(emulator("freeze") == 0 and emulator("thaw") == 0, "and frozen and thawed")
    check(random_seconds(device, family, 1) < 30, "a thawed TPM answers")
    check(emulator("nonsense") == 1, "a request that does not exist is refused")
    check(emulator("slow", "on", "0:5") == 1, "a cycle that never runs is refused")
    emulator("freeze")  # the runner must end all the same
    sys.stdout.flush()
    os._exit(7)  # not through close(), which would wait for the frozen TPM


NO_KERNEL = 77  # of `run`


def guest(*arguments, **options):
    return subprocess.run([HERE / "run", *arguments], check=False, **options)


def outside(tpm, interface):
    global checks
    begin = time.monotonic()
    os.environ["TBS_GUEST_PROBE"] = "a 'b'\n$c"
    done = guest("--verbose", "--tpm", tpm, "--iface", interface, "--timeout", "120", "--",
                 sys.executable, __file__, "inside", tpm[0], stdout=subprocess.PIPE, text=True)
    if done.returncode == NO_KERNEL:
        print("1..0 # SKIP this kernel cannot be had here")
        sys.exit()
    print(done.stdout, end="")
    checks = done.stdout.count("ok ") - done.stdout.count("# ok ")
    check(done.returncode == 7, "the exit code is carried over")
    check("# output streams" in done.stdout, "output written by name arrives")
    check(not (HERE / "written-in-the-guest").exists(), "the host's files stay as they were")
    print(f"# boot, checks and end: {time.monotonic() - begin:.1f} s")


def children_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def gone(pids):
    deadline = time.monotonic() + 10
    while any(pathlib.Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def runner():
    check(guest("--", "no-such-program", stderr=subprocess.DEVNULL).returncode == 127,
          "a program that is missing gives 127")
    check(guest("--timeout", "3", "--", "true", stderr=subprocess.DEVNULL).returncode == 124,
          "out of time gives 124")
    check(guest("--tpm", "1.2", "--iface", "crb", "--", "true",
                stderr=subprocess.DEVNULL).returncode == 2, "a TPM that does not exist is refused")
    with subprocess.Popen([HERE / "run", "--", "sh", "-c", "echo up; sleep 2; exit 5"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        os.kill(int(children_of(running.pid)[-1]), signal.SIGKILL)
        said = running.stdout.readline()
        check(said == "up\n" and running.wait() == 5, "a machine that ends without a word is booted again")
    with subprocess.Popen([HERE / "run", "--silence", "5", "--", "sh", "-c", "echo up; sleep 2; exit 5"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        running.stdout.readline()
        os.kill(int(children_of(running.pid)[-1]), signal.SIGSTOP)
        said = running.stdout.readline()
        check(said == "up\n" and running.wait() == 5, "so is one whose processors stop")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with tempfile.TemporaryDirectory() as work, subprocess.Popen(
                [HERE / "run", "--", "sh", "-c", "echo up; sleep 100"],
                env=os.environ | {"TMPDIR": work}, stdout=subprocess.PIPE) as running:
            running.stdout.readline()
            processes = children_of(running.pid)
            running.send_signal(number)
            running.wait()
            check(len(processes) == 2 and gone(processes), f"{number.name} leaves no process")
            if number == signal.SIGTERM:
                check(not os.listdir(work), f"{number.name} leaves no file")


if sys.argv[1] == "inside":
    inside(sys.argv[2])
elif sys.argv[1] == "runner":
    runner()
else:
    outside(*sys.argv[1:])
if sys.argv[1] != "inside":
    print(f"1..{checks}")
