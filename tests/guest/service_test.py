#!/usr/bin/env python3
"""The daemon as an administrator has it: installed, and run by systemd with the units and udev rules
that come with it, on the kernel's device, beside logind. service_test.py 2.0|1.2

BUILD names the build folder. Installs into a folder of its own, boots a guest that has systemd, and
goes on there with what the README says about a real machine."""

import contextlib
import ctypes
import grp
import os
import pathlib
import pwd
import re
import shlex
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE = 150  # against hanging only
NODE = pathlib.Path("/dev/tpm0")
CHIP = pathlib.Path("/sys/class/tpm/tpm0")
DROP_IN = pathlib.Path("/run/systemd/system/tbsd.service.d/test.conf")
CONFIGURATION = pathlib.Path("/etc/tbs/tbsd.conf")
ENABLE = """
systemd-sysusers && systemctl daemon-reload
udevadm control --reload && udevadm trigger --subsystem-match=tpm
systemctl enable --now tbsd.socket tbsd.service
tbsctl info
"""
ASLEEP, AWAKE = "the machine is about to sleep", "the machine is awake"  # tbsd's own words
GET_RANDOM = {"2.0": "80010000000c0000017b0010", "1.2": "00c10000000e0000004600000010"}
# TPM2_CreatePrimary of an RSA key in the null hierarchy. The kernel waits minutes for it.
MAKE_KEY = ("800200000043" "00000131" "40000007" "00000009" "40000009" "0000" "00" "0000" "0004" "00000000"
            "001a" "0001" "000b" "00030472" "0000" "0006" "0080" "0043" "0010" "0800" "00000000" "0000"
            "0000" "00000000")


def sh(command, check=True, user=None, **environment):
    """Runs a shell command, of another user if one is named; what it says is in the failure."""
    line = []
    if user:
        known = pwd.getpwnam(user)
        line = ["setpriv", f"--reuid={known.pw_uid}", f"--regid={known.pw_gid}", "--clear-groups"]
    done = subprocess.run([*line, "sh", "-c", command], stdout=subprocess.PIPE, timeout=DEADLINE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False,
                          env={**os.environ, "HOME": "/tmp", **environment})
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}: {done.stdout}")
    return done.stdout if check else done


def journal(unit="tbsd.service"):
    return subprocess.run(["journalctl", "--no-pager", "-o", "cat", "-u", unit],
                          capture_output=True, encoding="utf-8", check=False).stdout


def shown(name, unit="tbsd.service"):
    return sh(f"systemctl show -P {name} {unit}").strip()


def eventually(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.1)


class Program:
    """One that keeps its context."""

    def __init__(self):
        self.library = ctypes.CDLL(os.path.join(os.environ["LD_LIBRARY_PATH"], "libtbs.so.1"))
        self.context = ctypes.c_void_p()
        result = self.library.Tbsi_Context_Create(struct.pack("=II", 2, 6), ctypes.byref(self.context))
        if result != 0:
            raise AssertionError(f"no context: {result & 0xffffffff:#x}")

    def number(self):
        """Of the connection: another one when it was made anew."""
        info = (ctypes.c_uint64 * 2)()
        result = self.library.Tbsx_Get_Context_Info(self.context, ctypes.byref(info))
        if result != 0:
            raise AssertionError(f"no information: {result & 0xffffffff:#x}")
        return info[0]

    def close(self):
        self.library.Tbsip_Context_Close(self.context)

    def submit(self, command=None):
        command, response = bytes.fromhex(command or GET_RANDOM[FAMILY]), (ctypes.c_ubyte * 4096)()
        size = ctypes.c_uint32(4096)
        return self.library.Tbsip_Submit_Command(self.context, 0, 200, command, len(command), response,
                                                 ctypes.byref(size)) & 0xffffffff


class Service(unittest.TestCase):
    def setUp(self):
        sh("systemctl reset-failed; systemctl start tbsd.socket tbsd.service")

    def random(self, user="nobody", socket="/run/tbs/tbsd.sock"):
        said = sh(f"tbsctl submit {GET_RANDOM[FAMILY]}", user=user, TBS_SOCKET=socket)
        self.assertRegex(said, "success|SUCCESS|0x0")

    def works(self):
        return sh(f"tbsctl submit {GET_RANDOM[FAMILY]}", check=False, user="nobody").returncode == 0

    def restarts(self):
        return int(shown("NRestarts"))

    @contextlib.contextmanager
    def changed(self, text):
        """The unit with a drop-in."""
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text(text)
        sh("systemctl daemon-reload; systemctl restart tbsd.service")
        try:
            yield
        finally:
            DROP_IN.unlink()
            sh("systemctl daemon-reload; systemctl restart tbsd.service")


class Installed(Service):
    def test_the_daemon_has_its_device_and_little_else(self):
        self.assertEqual(shown("ActiveState"), "active")
        pid = shown("MainPID")
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertIn(f"Uid:\t{pwd.getpwnam('tbs').pw_uid}\t", status)
        self.assertRegex(status, r"CapEff:\t0+\n")
        self.assertRegex(status, r"NoNewPrivs:\t1\n")
        self.assertRegex(status, r"Seccomp:\t2\n")
        opened = {os.readlink(entry) for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir()
                  if entry.is_symlink()}
        self.assertIn(str(NODE), opened)
        self.assertNotIn("runs without", journal(), "there is a filter of its own")

    def test_the_node_belongs_to_the_daemon(self):
        found = NODE.stat()
        self.assertEqual(grp.getgrgid(found.st_gid).gr_name, "tbs")
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o660)
        self.assertNotEqual(sh(f"head -c 0 {NODE}", check=False, user="nobody").returncode, 0)

    def test_every_user_may_connect(self):
        self.random()
        self.random(user="root")

    def test_the_log_of_the_firmware_can_be_read(self):
        log = pathlib.Path("/sys/kernel/security/tpm0/binary_bios_measurements")
        self.assertEqual(grp.getgrgid(log.stat().st_gid).gr_name, "tbs")
        self.assertIn("PCR", sh("tbsctl log"))
        self.assertNotEqual(sh("tbsctl log", check=False, user="nobody").returncode, 0)

    def test_the_firmware_can_be_asked_for_something(self):
        request = CHIP / "ppi" / "request"
        self.assertEqual(grp.getgrgid(request.stat().st_gid).gr_name, "tbs")
        self.assertIn("ersion", sh("tbsctl ppi"))


class Lifetime(Service):
    def test_a_client_wakes_the_daemon(self):
        sh("systemctl stop tbsd.service")
        self.assertEqual(shown("ActiveState"), "inactive")
        self.assertEqual(shown("Result"), "success")
        self.random()
        self.assertEqual(shown("ActiveState"), "active")

    def test_a_daemon_that_comes_before_the_rules(self):
        sh(f"systemctl stop tbsd.service; chown root:root {NODE}; systemctl start tbsd.service")
        self.assertFalse(self.works())
        sh("udevadm trigger --subsystem-match=tpm --settle")
        eventually("an answer", self.works)

    def test_a_device_that_another_has(self):
        sh("systemctl stop tbsd.service")
        with open(NODE, "r+b", buffering=0):
            sh("systemctl start tbsd.service")
            self.assertFalse(self.works())
            eventually("advice", lambda: "another process holds it" in journal())
        eventually("an answer", self.works)

    def test_a_crash_is_got_over(self):
        before = self.restarts()
        os.kill(int(shown("MainPID")), signal.SIGSEGV)
        eventually("a new start", lambda: self.restarts() > before)
        self.random()

    def test_crashes_in_a_row_end_nothing(self):
        for _ in range(12):
            self.kill()
            self.random()
        self.assertEqual(shown("ActiveState"), "active")

    def test_a_daemon_that_cannot_start_is_not_started_all_the_time(self):
        sh("systemctl stop tbsd.service")
        DROP_IN.parent.mkdir(exist_ok=True)
        DROP_IN.write_text("[Service]\nExecStart=\n"
                           "ExecStart=/usr/local/sbin/tbsd --admin-group no-such-group\n")
        sh("systemctl daemon-reload; systemctl start --no-block tbsd.service")
        try:
            before = self.restarts()
            eventually("a new start", lambda: self.restarts() > before)
            before = self.restarts()
            time.sleep(7)
            self.assertLess(self.restarts() - before, 5)
            self.assertNotEqual(shown("ActiveState"), "failed", "the limit of starts is none")
        finally:
            DROP_IN.unlink()
            sh("systemctl daemon-reload; systemctl restart tbsd.service")
        self.random()

    def test_a_program_goes_on_over_restarts(self):
        program = Program()
        for restart in [lambda: sh("systemctl restart tbsd.service"), self.kill,
                        lambda: sh("systemctl stop tbsd.service; systemctl start tbsd.service")]:
            self.assertEqual(program.submit(), 0)
            restart()
            # The socket is there all the time, so the call waits for the daemon.
            self.assertEqual(program.submit(), 0)

    def kill(self):
        pid = shown("MainPID")
        os.kill(int(pid), signal.SIGKILL)
        eventually("a new start", lambda: shown("MainPID") not in ("0", pid))

    def test_the_watchdog_ends_a_daemon_that_stands_still(self):
        with self.changed("[Service]\nWatchdogSec=5\n"):
            before = self.restarts()
            time.sleep(8)
            self.assertEqual(self.restarts(), before, "a daemon at rest is no dead one")
            os.kill(int(shown("MainPID")), signal.SIGSTOP)
            eventually("a new start", lambda: self.restarts() > before)
            self.random()

    def test_reload(self):
        pid = shown("MainPID")
        self.assertFalse(self.reads_log())
        CONFIGURATION.write_text('log-readers = "everyone"\n')
        try:
            sh("systemctl reload tbsd.service")
            eventually("the new rule", self.reads_log)
        finally:
            CONFIGURATION.write_text("")
            sh("systemctl reload tbsd.service")
        eventually("the old rule", lambda: not self.reads_log())
        self.assertEqual(shown("MainPID"), pid)

    def test_a_configuration_that_cannot_be_used(self):
        pid = shown("MainPID")
        CONFIGURATION.write_text("\nmax-contxts = 5\n")
        try:
            self.assertNotEqual(sh("systemctl reload tbsd.service", check=False).returncode, 0)
            self.assertIn("tbsd.conf:2: there is no option 'max-contxts'", journal())
            self.assertEqual(shown("MainPID"), pid, "what runs goes on")
            self.random()
            self.assertNotEqual(sh("systemctl restart tbsd.service", check=False).returncode, 0)
            # And not "activating", on the way to the next start.
            self.assertEqual(shown("ActiveState"), "failed")
        finally:
            CONFIGURATION.write_text("")
            sh("systemctl reset-failed; systemctl restart tbsd.socket tbsd.service")
        self.random()

    def reads_log(self):
        return sh("tbsctl log", check=False, user="nobody").returncode == 0

    def test_each_socket_gives_what_its_unit_says(self):
        tenant = "/run/tbs/tenants/web.sock"
        sh("systemctl stop tbsd.service; systemctl start tbsd-tenant@web.socket tbsd.service")
        try:
            for path, mode in (("/run/tbs/tbsd.sock", 0o666), ("/run/tbs/admin.sock", 0o600),
                               (tenant, 0o600)):
                found = os.stat(path)
                self.assertEqual((found.st_mode & 0o7777, found.st_uid), (mode, 0), path)
            sh("tbsctl lockout --reset")
            sh("tbsctl lockout --reset", TBS_SOCKET="/run/tbs/admin.sock")
            for path in ("/run/tbs/tbsd.sock", tenant):
                refused = sh("tbsctl lockout --reset", check=False, TBS_SOCKET=path)
                self.assertEqual(refused.returncode, 4, refused.stdout)
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(tenant)
                # A context that can use either family.
                client.sendall(struct.pack("<HHIQHHIII", 1, 1, 16, 1, 1, 1, 1, 6, 0))
                client.recv(64)
                self.assertIn("tenant web", sh("tbsctl contexts"))
            self.random()
        finally:
            sh("systemctl stop tbsd-tenant@web.socket")

    def test_a_daemon_by_the_name_of_its_device(self):
        sh("systemctl stop tbsd.socket tbsd-admin.socket tbsd.service")
        sh("systemctl start tbsd@tpm0.socket")
        try:
            self.assertIn("/dev/tpm0", sh("tbsctl --device tpm0 info", user="nobody"))
            self.assertEqual(shown("ActiveState", "tbsd@tpm0.service"), "active")
        finally:
            sh("systemctl stop tbsd@tpm0.socket tbsd-admin@tpm0.socket tbsd@tpm0.service")

    def test_the_tpm_in_software(self):
        with self.changed("[Service]\nExecStart=\nExecStart=/usr/local/sbin/tbsd "
                          "--device embedded:/var/lib/tbs/tpm\n"):
            self.assertIn("embedded", sh("tbsctl info"))
            sh("tbsctl submit 80010000000c0000017b0010", user="nobody")


class Restart(Service):
    """What the service manager keeps over a restart, and when it lets go."""

    def setUp(self):
        super().setUp()
        eventually("an answer", self.works)

    def kept(self):
        return int(shown("NFileDescriptorStore"))

    def ended(self, command):
        """Carries it out; another daemon must run then."""
        pid = shown("MainPID")
        sh(command)
        eventually("a new start", lambda: shown("MainPID") not in ("0", pid))

    def test_a_restart_keeps_the_connection(self):
        program = Program()
        number = program.number()
        for command in ["systemctl restart tbsd.service", "systemctl kill -s KILL tbsd.service",
                        "systemctl kill --kill-who=main -s USR2 tbsd.service",
                        "systemctl daemon-reload; systemctl try-restart tbsd.service",
                        "systemctl daemon-reexec; systemctl kill -s ABRT tbsd.service",
                        "systemctl reload-or-restart tbsd.service; systemctl restart tbsd.service"]:
            with self.subTest(command):
                self.assertEqual(program.submit(), 0)
                self.ended(command)
                self.assertEqual(program.submit(), 0)
                self.assertEqual(program.number(), number)
        program.close()

    def test_a_stop_keeps_nothing(self):
        program = Program()
        number = program.number()
        self.assertGreater(self.kept(), 0)
        sh("systemctl stop tbsd.service")
        self.assertEqual(self.kept(), 0)
        sh("systemctl start tbsd.service")
        self.assertEqual(program.submit(), 0)
        self.assertNotEqual(program.number(), number)
        program.close()

    def test_clients_that_go_leave_nothing(self):
        before = self.kept()
        programs = [Program() for _ in range(20)]
        eventually("they are kept", lambda: self.kept() == before + 20)
        self.ended("systemctl restart tbsd.service")
        self.assertEqual([program.submit() for program in programs], [0] * 20)
        for program in programs:
            program.close()
        eventually("they are gone", lambda: self.kept() == before)

    @contextlib.contextmanager
    def frozen_tpm(self):
        sh(f"{HERE / 'emulator'} freeze")
        try:
            yield
        finally:
            sh(f"{HERE / 'emulator'} thaw")

    @unittest.skipIf(sys.argv[1:] == ["1.2"], "no command without an authorization takes as long")
    def test_the_service_manager_never_waits_for_the_tpm(self):
        program = Program()
        results = []
        with self.frozen_tpm():
            waiting = threading.Thread(target=lambda: results.append(program.submit(MAKE_KEY)))
            waiting.start()
            eventually("the command runs", lambda: "for " in sh("tbsctl contexts"))
            self.ended("systemctl kill -s KILL tbsd.service")
            # The next tbsd waits for the command; process 1 answers, and tbsd too.
            sh("busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.DBus.Peer Ping")
            sh("systemctl daemon-reload; tbsctl contexts")
            self.assertEqual(results, [])
        waiting.join(DEADLINE)
        self.assertEqual(results, [0])
        program.close()


class Sleep(Service):
    """Sleeps as logind has it; the kernel only puts the processes to rest (pm_test), since the
    guest's files would not survive more."""

    def test_logind_waits_for_the_daemon(self):
        inhibitors = sh("systemd-inhibit --list --no-legend --no-pager")
        self.assertRegex(inhibitors, r"(?m)tbsd.*\bsleep\b.*\bdelay$")
        pathlib.Path("/sys/power/pm_test").write_text("freezer")
        stop, failed, counts = threading.Event(), [], [0, 0]

        def work(index):
            while not stop.is_set():
                done = sh(f"tbsctl submit {GET_RANDOM[FAMILY]}", check=False, user="nobody")
                if done.returncode != 0:
                    failed.append(done.stdout)
                counts[index] += 1

        clients = [threading.Thread(target=work, args=(index,)) for index in range(len(counts))]
        for client in clients:
            client.start()
        try:
            for _ in range(2):
                asleep, awake = (journal().count(text) for text in (ASLEEP, AWAKE))
                sh("systemctl suspend")
                eventually("asleep", lambda: journal().count(ASLEEP) > asleep)
                eventually("awake", lambda: journal().count(AWAKE) > awake)
                before = list(counts)
                eventually("all work again",
                           lambda: all(now > then + 1 for now, then in zip(counts, before)))
        finally:
            stop.set()
            for client in clients:
                client.join()
        self.assertEqual(failed, [])
        self.assertEqual(sh("journalctl --no-pager -k -o cat").count("PM: suspend exit"), 2)
        self.assertIn("tbsd", sh("systemd-inhibit --list --no-legend --no-pager"))


class Tools(Service):
    """Programs of others, with nothing set but the name of the module."""

    def test_tpm2_tools(self):
        self.assertRegex(sh("tpm2_getrandom --tcti tbs --hex 16", user="nobody"), "^[0-9a-f]{32}$")
        refused = sh("tpm2_clear --tcti tbs", check=False, user="nobody")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("0x80280400", refused.stdout.lower() + refused.stdout)


class Bridges(Service):
    """Bridges as services, which begin with the first client."""

    PLACES = {"raw": "/run/tbs-bridge/raw.sock", "swtpm": "/run/tbs-bridge/swtpm.sock", "mssim": ("127.0.0.1", 2321)}
    PAGE = HERE.parent.parent / "docs" / "clients.md"
    DEFINE = ("8002 0000002d 0000012a 40000001 00000009 40000009 0000 00 0000 0000 000e 01800001 000b 00020002"
              "0000 0008")

    def setUp(self):
        super().setUp()
        # The guest has no ldconfig, see below; tbsctl has to find its library.
        drop_in = pathlib.Path("/run/systemd/system/tbs-bridge@.service.d/library.conf")
        drop_in.parent.mkdir(exist_ok=True)
        drop_in.write_text(f"[Service]\nEnvironment=LD_LIBRARY_PATH={os.environ['LD_LIBRARY_PATH']}\n")
        sh("systemctl daemon-reload")
        sh("systemctl start tbs-bridge@raw.socket tbs-bridge@mssim.socket tbs-bridge@swtpm.socket")

    def tearDown(self):
        sh("systemctl stop 'tbs-bridge@*.socket' 'tbs-bridge@*.service'")

    def ask(self, instance, command=None, keep=None):
        """The response code."""
        command, place = bytes.fromhex(command or GET_RANDOM["2.0"]), self.PLACES[instance]
        before, behind = (struct.pack(">IBI", 8, 0, len(command)), 4) if instance == "mssim" else (b"", 0)
        client = keep or socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
        client.settimeout(DEADLINE)
        if keep is None:
            client.connect(place)
        client.sendall(before + command)
        response = client.recv(4096)[behind:]
        if keep is None:
            client.close()
        return struct.unpack_from(">I", response, 6)[0]

    def test_each_protocol(self):
        for instance in self.PLACES:
            unit = f"tbs-bridge@{instance}.service"
            self.assertEqual(shown("ActiveState", unit), "inactive")
            self.assertEqual(self.ask(instance), 0)
            pid = shown("MainPID", unit)
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            self.assertIn(f"Uid:\t{pwd.getpwnam('tbs-bridge').pw_uid}\t", status)
            self.assertRegex(status, r"CapEff:\t0+\n")
            self.assertRegex(status, r"NoNewPrivs:\t1\n")
            self.assertRegex(status, r"Seccomp:\t2\n")
            self.assertFalse(pathlib.Path(f"/proc/{pid}/root{NODE}").exists())
        for instance in ("raw", "swtpm"):
            self.assertEqual(stat.S_IMODE(os.stat(self.PLACES[instance]).st_mode), 0o600)
        # The second channels: a reset, and what it means to the first.
        with socket.create_connection(self.PLACES["mssim"]) as client, \
                socket.create_connection(("127.0.0.1", 2322)) as platform:
            self.assertEqual(self.ask("mssim", keep=client), 0)
            platform.sendall(struct.pack(">I", 17))
            self.assertEqual(platform.recv(4), bytes(4))
            self.assertEqual(self.ask("mssim", keep=client), 0x100)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(self.PLACES["swtpm"] + ".ctrl")
            control.sendall(struct.pack(">I", 4))
            self.assertEqual(control.recv(64), bytes(8))

    def test_quotas_and_rules_of_its_own(self):
        text = self.PAGE.read_text()
        section = text[text.index("## A bridge as a service"):text.index("## Rights, and how to give them")]
        files = dict(re.findall(r"`(/etc/[^`]*)`[^`]*```\w*\n(.*?)```", section, re.DOTALL))
        self.assertEqual(len(files), 4)
        for name, content in files.items():
            os.makedirs(os.path.dirname(name), exist_ok=True)
            pathlib.Path(name).write_text(content)
        try:
            sh("set -e\n" + re.search(r"```sh\n(.*?)```", section, re.DOTALL).group(1))
            with socket.create_connection(self.PLACES["mssim"]) as client:
                self.assertEqual(self.ask("mssim", keep=client), 0)
                self.assertIn("tenant bridge-mssim", sh("tbsctl contexts"))
                self.assertEqual(self.ask("mssim", self.DEFINE, keep=client), 0x143)
            self.assertEqual(self.ask("raw", self.DEFINE), 0)
        finally:
            for name in files:
                os.unlink(name)
            sh("systemctl disable --now tbsd-tenant@bridge-mssim.socket; systemctl daemon-reload;"
               "systemctl restart tbsd.service")


class Several(Service):
    """A second TPM, which swtpm plays through the kernel's vtpm proxy, with a daemon of its own."""

    def setUp(self):
        super().setUp()
        self.state = tempfile.mkdtemp()
        self.swtpm = subprocess.Popen(["swtpm", "chardev", "--vtpm-proxy", "--tpm2", "--tpmstate",
                                       f"dir={self.state}"], stdout=subprocess.DEVNULL)
        eventually("a second TPM", pathlib.Path("/dev/tpm1").exists)
        sh("udevadm settle; systemctl start tbsd@tpm1.socket")

    def tearDown(self):
        self.swtpm.send_signal(signal.SIGCONT)
        sh("systemctl stop tbsd@tpm1.socket tbsd@tpm1.service")
        self.swtpm.kill()
        self.swtpm.wait()

    def pcr(self, socket):
        return sh(f"tpm2_pcrread --tcti tbs:{socket} sha256:16", user="nobody")

    def guess_wrong(self, socket):
        folder = tempfile.mkdtemp()
        os.chmod(folder, 0o777)
        sh(f"cd {folder} && export TPM2TOOLS_TCTI=tbs:{socket} && echo x >m && "
           "tpm2_createprimary -Q -C o -G ecc -p right -c key && "
           "! tpm2_sign -c key -p wrong -g sha256 -o signature m", user="nobody")

    def test_each_has_its_own(self):
        first, second = "/run/tbs/tbsd.sock", "/run/tbs/tpm1.sock"
        self.assertIn("/dev/tpm1", sh("tbsctl --device tpm1 info", user="nobody"))
        self.assertEqual(self.pcr(first), self.pcr(second))
        sh(f"tpm2_pcrextend --tcti tbs:{second} 16:sha256={'11' * 32}")
        self.assertNotEqual(self.pcr(first), self.pcr(second))

        # Nor does one count guesses at the secrets of the other, now or after a new start.
        self.guess_wrong(second)
        sh("systemctl restart tbsd.service tbsd@tpm1.service")
        self.assertEqual(sh("tbsctl --json lockout").count('"uid"'), 0)
        self.assertEqual(sh("tbsctl --json --device tpm1 lockout").count('"uid"'), 1)

        # One that stands still holds up nobody but its own clients.
        self.swtpm.send_signal(signal.SIGSTOP)
        with subprocess.Popen(["tbsctl", "--device", "tpm1", "submit", GET_RANDOM[FAMILY]],
                              stdout=subprocess.DEVNULL) as waits:
            eventually("a running command",
                       lambda: '"running"' in sh("tbsctl --json --device tpm1 contexts"))
            self.random()
            self.swtpm.send_signal(signal.SIGCONT)
            self.assertEqual(waits.wait(DEADLINE), 0)


class Driver(Service):
    """The last of them: /dev/tpm0 may be gone for good."""

    def test_a_driver_that_comes_back(self):
        CONFIGURATION.write_text('device = "auto"\n')
        sh("systemctl restart tbsd.service")
        self.random()
        driver = (CHIP / "device" / "driver").resolve()
        device = (CHIP / "device").resolve().name
        (driver / "unbind").write_text(device)
        self.assertFalse(self.works())
        (driver / "bind").write_text(device)
        eventually("an answer", self.works)
        self.assertRegex(sh("tbsctl info"), r"/dev/tpm\d")


class Cancel12(Service):
    """The udev rule gives the daemon the right to the attribute of TPM 1.2 chips."""

    def test_the_attribute(self):
        attribute = (CHIP / "device" / "cancel").resolve()
        if not attribute.exists():
            attribute = CHIP / "cancel"
        found = attribute.stat()
        self.assertEqual(grp.getgrgid(found.st_gid).gr_name, "tbs")
        self.assertEqual(stat.S_IMODE(found.st_mode), 0o220)
        # In the daemon's own view of the files; with nothing on the TPM the write ends at once.
        write = shlex.quote(f"echo 1 >{attribute}")
        enter = f"nsenter --target {shown('MainPID')} --mount setpriv --clear-groups"
        sh(f"{enter} --reuid=tbs --regid=tbs sh -c {write}")
        refused = sh(f"{enter} --reuid=65534 --regid=65534 sh -c {write}", check=False)
        self.assertNotEqual(refused.returncode, 0)


def inside():
    stage = pathlib.Path(os.environ["TBS_TEST_STAGE"])
    sh(f"cp -a {shlex.quote(str(stage))}/. /")
    # In place of ldconfig, which reads every library there is, one by one from the host.
    library = next(pathlib.Path("/usr/local/lib").rglob("libtbs.so.1"))
    os.environ["LD_LIBRARY_PATH"] = str(library.parent)
    began = time.monotonic()
    print(sh(ENABLE))
    print(f"# the README's commands took {time.monotonic() - began:.1f} s", flush=True)
    # The family makes no difference to most of them.
    cases = [Installed, Restart, Cancel12] if FAMILY == "1.2" else [Installed, Lifetime, Restart, Sleep, Tools,
                                                                    Bridges, Several, Driver]
    suite = unittest.TestSuite(map(unittest.defaultTestLoader.loadTestsFromTestCase, cases))
    done = unittest.TextTestRunner(verbosity=2).run(suite)
    if not done.wasSuccessful():
        print(journal(), file=sys.stderr)
    return 0 if done.wasSuccessful() else 1


def outside():
    with tempfile.TemporaryDirectory(prefix="tbs-stage.") as stage:
        os.chmod(stage, 0o755)  # the mode that the root of the guest gets with the copy
        subprocess.run(["meson", "install", "-C", os.environ["BUILD"], "--destdir", stage,
                        "--no-rebuild", "--quiet"], check=True, stdout=subprocess.DEVNULL)
        os.environ["TBS_TEST_STAGE"] = stage
        return subprocess.run([HERE / "run", "--systemd", "--tpm", FAMILY, "--timeout", "1780",
                               "--module", "tpm_vtpm_proxy", "--",
                               sys.executable, pathlib.Path(__file__).resolve(), FAMILY],
                              check=False).returncode


if __name__ == "__main__":
    FAMILY = sys.argv[1]
    sys.exit(inside() if "TBS_GUEST" in os.environ else outside())
