#!/usr/bin/env python3
"""Debian's packages of tbs on a machine that runs: installed beside tpm2-abrmd, started as at boot, used,
upgraded, confined by AppArmor, removed and purged. packages_test.py FOLDER

FOLDER has the packages, built for the Debian that this machine has. Boots a guest that has systemd, and
goes on there. The steps build on each other: the first that fails ends the test."""

import contextlib
import grp
import os
import pathlib
import pwd
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DEADLINE = 1200  # against hanging only
NODE = pathlib.Path("/dev/tpm0")
STATE = pathlib.Path("/var/lib/tbs")
SOCKET = "/run/tbs/tbsd.sock"
SOCKETS = ("tbsd.socket", "tbsd-admin.socket")
RANDOM = "tbsctl submit 80010000000c0000017b0010"
BY_ABRMD = "tpm2_getrandom --tcti tabrmd --hex 8"
TO_TBSD = "systemctl mask --now tpm2-abrmd.service && systemctl enable --now tbsd.service"
TO_ABRMD = ("systemctl disable --now tbsd.service tbsd.socket tbsd-admin.socket && "
            "systemctl unmask tpm2-abrmd.service && systemctl enable --now tpm2-abrmd.service")


def sh(command, check=True, user=None):
    line = []
    if user:
        known = pwd.getpwnam(user)
        line = ["setpriv", f"--reuid={known.pw_uid}", f"--regid={known.pw_gid}", "--clear-groups"]
    done = subprocess.run([*line, "sh", "-c", command], stdout=subprocess.PIPE, timeout=DEADLINE,
                          stderr=subprocess.STDOUT, encoding="utf-8", check=False,
                          env={**os.environ, "HOME": "/tmp"})
    if check and done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}: {done.stdout}")
    return done.stdout


def dpkg(*arguments):
    # Those of the manual pages and of ldconfig would read the whole machine.
    return sh("dpkg --no-triggers " + " ".join(map(str, arguments)))


def works(command, user="nobody"):
    return subprocess.run(["setpriv", f"--reuid={user}", "--clear-groups", "sh", "-c", command],
                          capture_output=True, timeout=DEADLINE, check=False).returncode == 0


def eventually(what, condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {DEADLINE} s")
        time.sleep(0.2)


def equal(found, wanted, about=""):
    if found != wanted:
        raise AssertionError(f"{about}: {found!r} instead of {wanted!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is missing in: {text}")


def state(unit, what="ActiveState"):
    return sh(f"systemctl show -P {what} {unit}").strip()


def enabled(unit):
    return sh(f"systemctl is-enabled {unit}", check=False).strip()


def documented(command):
    """The README of the package says just that."""
    text = pathlib.Path("/usr/share/doc/tbsd/README.Debian").read_text(encoding="utf-8")
    has(re.sub(r"\s+", " ", text), command)


def install_beside_abrmd(packages):
    sh("systemctl start tpm2-abrmd.service")
    eventually("an answer by tpm2-abrmd", lambda: works(BY_ABRMD, "root"))
    owner = NODE.stat().st_uid
    said = dpkg("-i", *packages)
    has(said, "tpm2-abrmd has the TPM and keeps it")
    has(said, TO_TBSD)
    sh(BY_ABRMD)
    equal([state(unit) for unit in SOCKETS], ["active", "active"])
    equal([enabled(unit) for unit in SOCKETS], ["enabled", "enabled"])
    equal((state("tbsd.service"), enabled("tbsd.service")), ("inactive", "disabled"))
    sh("udevadm settle")
    found = NODE.stat()
    equal((grp.getgrgid(found.st_gid).gr_name, stat.S_IMODE(found.st_mode)), ("tbs", 0o660))
    equal(found.st_uid, owner, "the node's owner")
    equal(sh("dpkg --verify tbsd tbs-tools libtbs1 libtss2-tcti-tbs0"), "")


def switch_to_tbsd_and_back():
    # A client of tbsd meanwhile: it is told, and tpm2-abrmd's go on.
    if works("timeout 20 " + RANDOM):
        raise AssertionError("two daemons have the TPM")
    has(sh("journalctl --no-pager -o cat -u tbsd.service"), "another process holds it")
    sh(BY_ABRMD)

    documented(TO_TBSD)
    sh(TO_TBSD)
    eventually("an answer by tbsd", lambda: works(RANDOM))
    documented(TO_ABRMD)
    sh(TO_ABRMD)
    eventually("an answer by tpm2-abrmd", lambda: works(BY_ABRMD, "root"))
    sh(TO_TBSD)
    eventually("an answer by tbsd", lambda: works(RANDOM))


def start_as_at_boot():
    sh("systemctl disable tbsd.service; systemctl enable tbsd.socket tbsd-admin.socket")
    sh("systemctl stop tbsd.service tbsd.socket tbsd-admin.socket; rm -rf /run/tbs")
    sh("systemd-tmpfiles --create tbs.conf; systemctl start sockets.target")
    equal((state("tbsd.socket"), state("tbsd.service")), ("active", "inactive"))
    sh(RANDOM, user="nobody")
    equal(state("tbsd.service"), "active")
    sh("tpm2_getrandom --tcti tbs --hex 16", user="nobody")
    sh("tbsctl lockout", user="root")


@contextlib.contextmanager
def context():
    """A context that stays open."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(SOCKET)
        client.sendall(struct.pack("<HHIQHHIII", 1, 1, 16, 1, 1, 1, 1, 6, 0))
        client.recv(64)
        client.settimeout(DEADLINE)
        yield client


def upgrade(package):
    pid, inode = state("tbsd.service", "MainPID"), os.stat(SOCKET).st_ino
    with context() as client:
        said = dpkg("-i", package)
        has(said, "tbsd is restarted")
        # On the same connection: GetRandom of 8 bytes.
        command = struct.pack(">HIIH", 0x8001, 12, 0x17B, 8)
        client.sendall(struct.pack("<HHIQII", 1, 2, 8 + len(command), 7, 0, 200) + command)
        answer = client.recv(4096)
        equal(answer[8:16], struct.pack("<Q", 7), "the client's request goes on")
        equal(answer[16:20] + answer[26:30], bytes(8), "and is answered")
    equal(state("tbsd.service"), "active")
    if state("tbsd.service", "MainPID") == pid:
        raise AssertionError("the old daemon goes on")
    equal(os.stat(SOCKET).st_ino, inode, "the socket stayed open")
    sh(RANDOM, user="nobody")
    # Asleep it stays asleep.
    sh("systemctl stop tbsd.service")
    if "restarted" in dpkg("-i", package):
        raise AssertionError("nothing was running")
    equal(state("tbsd.service"), "inactive")


def denials():
    return [line for line in sh("dmesg").splitlines()
            if re.search(r'apparmor="(DENIED|ALLOWED)".*tbsd', line)]


def confined_by_apparmor():
    if not pathlib.Path("/sys/kernel/security/apparmor").is_dir():
        raise AssertionError("this kernel has no AppArmor")
    profile = pathlib.Path("/etc/apparmor.d/usr.sbin.tbsd").read_text(encoding="utf-8")
    asked = pathlib.Path("/run/tbsd.profile")
    drop_in = pathlib.Path("/run/systemd/system/tbsd.service.d/test.conf")
    drop_in.parent.mkdir(exist_ok=True)
    for mode, flags in (("complain", "flags=(complain,"), ("enforce", "flags=(")):
        asked.write_text(profile.replace("flags=(", flags), encoding="utf-8")
        sh(f"apparmor_parser --replace --skip-cache {asked}")
        for device in ("/dev/tpm0", "embedded", "embedded:/var/lib/tbs/tpm"):
            drop_in.write_text("[Service]\nExecStart=\nExecStart=/usr/sbin/tbsd --device "
                               f"{device}\n", encoding="ascii")
            sh("systemctl daemon-reload; systemctl restart tbsd.service")
            eventually(f"an answer of {device}", lambda: works(RANDOM))
            sh("tbsctl info; tbsctl contexts; tbsctl log", check=False)
            pid = state("tbsd.service", "MainPID")
            has(pathlib.Path(f"/proc/{pid}/attr/current").read_text(), f"tbsd ({mode})")
            for child in sh(f"pgrep -P {pid}", check=False).split():
                has(pathlib.Path(f"/proc/{child}/attr/current").read_text(), f"tbsd ({mode})")
            sh("systemctl reload tbsd.service")
            equal(denials(), [], f"{device}, {mode}")
    drop_in.unlink()
    sh("systemctl daemon-reload; systemctl restart tbsd.service")


def remove_and_purge():
    sh("systemctl start tbsd-tenant@web.socket; systemctl enable tbsd-tenant@web.socket")
    dpkg("--remove", "tbsd")
    for unit in (*SOCKETS, "tbsd-tenant@web.socket", "tbsd.service"):
        equal(state(unit), "inactive", unit)
    equal(pathlib.Path("/run/tbs").exists(), False)
    sh("udevadm settle")
    equal(grp.getgrgid(NODE.stat().st_gid).gr_name == "tbs", False, "the node's group")
    equal(pathlib.Path("/etc/tbs/tbsd.conf").exists(), True, "removed only")
    STATE.joinpath("lockout").touch()
    said = dpkg("--purge", "tbsd")
    has(said, "Kept in /var/lib/tbs")
    equal(sorted(path.name for path in STATE.iterdir()), ["tpm"])
    shutil.rmtree(STATE)
    dpkg("--purge", *sorted(name for name in INSTALLED if name != "tbsd"))
    left = [path for folder in ("/etc", "/usr/lib", "/usr/share", "/usr/bin", "/usr/sbin", "/usr/libexec",
                                "/usr/include", "/var/lib")
            for path in sh(f"find {folder} -xdev -newer /run/began -name '*tbs*' -not -type d "
                           "-not -path '/var/lib/dpkg/*'", check=False).splitlines()]
    equal(left, [], "left behind")
    has(sh("systemctl list-unit-files 'tbsd*'", check=False), "0 unit files")


INSTALLED = ("libtbs1", "libtss2-tcti-tbs0", "libtbs-dev", "tbs-tools", "tbs-doc", "tbsd")


def settle_in():
    """What differs here from a machine that is installed: services may be started, also where the host is a
    container that forbids it, and a reload need not look for disks again, which takes a minute in a guest."""
    pathlib.Path("/usr/sbin/policy-rc.d").unlink(missing_ok=True)
    own = pathlib.Path("/run/systemd/system-generators")
    own.mkdir(exist_ok=True)
    for generator in pathlib.Path("/usr/lib/systemd/system-generators").iterdir():
        own.joinpath(generator.name).symlink_to("/dev/null")
    # While systemd reads all units again, which takes long in a guest, it may lose the bus, and services that are
    # of the bus would be lost with it.
    drop_in = pathlib.Path("/run/systemd/system/tpm2-abrmd.service.d/test.conf")
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text("[Service]\nType=simple\nBusName=\n", encoding="ascii")
    sh("systemctl daemon-reload")
    pathlib.Path("/run/began").touch()


def inside(folder):
    settle_in()
    newer, packages = folder / "newer", sorted(folder.glob("*.deb"))
    for name, step, *arguments in (
            ("installs beside tpm2-abrmd, which keeps the TPM", install_beside_abrmd, packages),
            ("switches to tbsd and back", switch_to_tbsd_and_back),
            ("starts as at boot, when a program connects", start_as_at_boot),
            ("upgrades", upgrade, next(newer.glob("*.deb"))),
            ("is confined by AppArmor", confined_by_apparmor),
            ("is removed and purged", remove_and_purge)):
        began = time.monotonic()
        try:
            step(*arguments)
        except AssertionError as error:
            print(f"not ok - {name}\n{error}\n" + sh("journalctl --no-pager -n 60", check=False), flush=True)
            return 1
        print(f"ok - {name} ({time.monotonic() - began:.0f} s)", flush=True)
    return 0


def newer_version(package, folder):
    """The same package under a higher version."""
    with tempfile.TemporaryDirectory() as work:
        tree = pathlib.Path(work) / "tree"
        subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+upgrade", control.read_text()))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, folder], check=True,
                       stdout=subprocess.DEVNULL)


def outside(packages):
    with tempfile.TemporaryDirectory(prefix="tbs-packages.") as work:
        folder = pathlib.Path(work)
        for name in INSTALLED:
            shutil.copy(next(packages.glob(f"{name}_*.deb")), folder)
        (folder / "newer").mkdir()
        newer_version(next(folder.glob("tbsd_*.deb")), folder / "newer")
        return subprocess.run([HERE / "run", "--systemd", "--timeout", "3600", "--",
                               sys.executable, pathlib.Path(__file__).resolve(), folder],
                              check=False).returncode


if __name__ == "__main__":
    GIVEN = pathlib.Path(sys.argv[1])
    sys.exit(inside(GIVEN) if "TBS_GUEST" in os.environ else outside(GIVEN))
