"""One virtual machine with its emulated TPM: a few processes, and nothing left of them afterwards.

QEMU emulates the processor in software, so that the machine runs where there is no nested
virtualization. All processes die with this one, even when it is killed.
"""

import ctypes
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

PORTS = ("stdout", "stderr", "status", "control")
# A guest that is out of time is sent an NMI: it panics, and tells where each of its tasks is, in a sleep too.
KERNEL_ARGUMENTS = ("console=ttyS0 quiet no_console_suspend panic=-1 mitigations=off random.trust_cpu=on "
                    "no_timer_check unknown_nmi_panic panic_print=1 rdinit=/init")
# By --firmware: what QEMU loads by name; its own (SeaBIOS) where there is none.
FIRMWARE = {"seabios": None, "ovmf": "OVMF.fd"}
# QEMU never clears the memory of the physical presence interface, nor does SeaBIOS.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}
PR_SET_PDEATHSIG = 1


class MachineError(Exception):
    """The machine did not start or fell over; the text says why."""


def _die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """A booting guest; `ports` are the host's ends of its virtio ports and of QEMU's monitor, by
    name."""

    def __init__(self, folder, kernel, initramfs, options):
        self.folder = pathlib.Path(folder)
        self.ports = {}
        self.emulator = None
        self.chip = None
        self.qemu = None
        self._tpm_socket = self.folder / "tpm.ctrl"
        try:
            self.emulator = self._start_emulator(options.tpm)
            if options.chip is not None:
                self.chip = self._start_chip(options.chip)
            self.qemu = self._start_qemu(kernel, initramfs, options)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        """Ends all processes, whatever state they are in."""
        for process in (self.qemu, self.chip, self.emulator):
            if process is not None:
                process.kill()
                process.wait()
        for port in self.ports.values():
            port.close()

    def tasks(self):
        """Where the programs were when the kernel panicked: what it said of its own threads, whose
        parent is kthreadd, is left out."""
        text = (self.folder / "console.log").read_text(errors="replace").replace("\r", "")
        text = text.partition("Sched Debug Version")[0]
        panic, *tasks = re.split(r"(?m)^(?=\[[^]]*\] task:)", text)
        tasks = [task for task in tasks if not re.search(r"ppid:[02]\s", task)]
        return "\n".join(panic.splitlines()[-40:]) + "\n" + "".join(tasks)

    def console(self, lines=60):
        """The last lines that the kernel wrote, for error messages."""
        for name in ("console.log", "qemu.log", "chip.log", "swtpm.log"):
            path = self.folder / name
            text = path.read_text(errors="replace") if path.exists() else ""
            # After a panic the kernel tells of all tasks, at length.
            before, panic, after = text.partition("Kernel panic")
            if panic:
                before, after = before.splitlines()[-lines:], after.splitlines()[:lines // 2]
                return "\n".join(before) + panic + "\n".join(after)
            if text.strip():
                return "\n".join(text.splitlines()[-lines:])
        return "(the kernel wrote nothing)"

    def panicked(self):
        """Whether the kernel has."""
        return "Kernel panic" in (self.folder / "console.log").read_text(errors="replace")

    def said_why(self):
        """Whether a machine that is gone was ended by its kernel, which then says so, or by QEMU, which says why."""
        console = (self.folder / "console.log").read_text(errors="replace")
        return self.panicked() or "reboot: " in console or bool((self.folder / "qemu.log").read_text())

    def _start_emulator(self, tpm):
        control = self.folder / "tpm.ctrl"
        state = self.folder / "tpm"
        state.mkdir()
        command = ["swtpm", "socket", "--tpmstate", f"dir={state}",
                   "--ctrl", f"type=unixio,path={control}"]
        process = self._start(command + (["--tpm2"] if tpm == "2.0" else []), "swtpm.log")
        self._wait_for_socket(process, control, "swtpm")
        return process

    def _start_chip(self, chip):
        """The TPM as slow as a real chip."""
        program = pathlib.Path(__file__).with_name("chip.py")
        self._tpm_socket = self.folder / "chip.ctrl"
        process = self._start([sys.executable, str(program), chip, str(self.folder / "tpm.ctrl"),
                               str(self._tpm_socket)], "chip.log")
        self._wait_for_socket(process, self._tpm_socket, program.name)
        return process

    def _wait_for_socket(self, process, path, name):
        deadline = time.monotonic() + 10
        while not path.is_socket():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                process.wait()
                raise MachineError(f"{name} does not start:\n{self.console()}")
            time.sleep(0.01)

    def _start_qemu(self, kernel, initramfs, options):
        command = [
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot",
            "-display", "none", "-machine", options.machine, "-accel", "tcg,thread=multi",
            "-cpu", "max",
            "-m", str(options.memory), "-smp", str(options.processors),
            "-kernel", str(kernel), "-initrd", str(initramfs), "-append",
            " ".join([KERNEL_ARGUMENTS, *options.append]),
            "-serial", f"file:{self.folder / 'console.log'}",
            "-chardev", f"socket,id=tpm,path={self._tpm_socket}",
            "-tpmdev", "emulator,id=tpm0,chardev=tpm",
            "-device", f"tpm-{options.iface},tpmdev=tpm0",
            "-fsdev", "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
            "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
            "-device", "virtio-serial-pci",
        ]
        if FIRMWARE[options.firmware]:
            command += ["-bios", FIRMWARE[options.firmware]]
        theirs = []
        for name in (*PORTS, "monitor"):
            self.ports[name], end = socket.socketpair()
            theirs.append(end)
            command += ["-chardev", f"socket,id={name},fd={end.fileno()}"]
        for name in PORTS:
            command += ["-device", f"virtserialport,chardev={name},name=guest.{name}"]
        command += ["-mon", "chardev=monitor,mode=control"]
        process = self._start(command, "qemu.log", [end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        return process

    def _start(self, command, log, keep=()):
        try:
            with open(self.folder / log, "wb") as output:
                return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                        stderr=output, pass_fds=keep, start_new_session=True,
                                        preexec_fn=_die_with_parent, env=ENVIRONMENT)
        except FileNotFoundError as error:
            raise MachineError(f"{command[0]} is not installed") from error
