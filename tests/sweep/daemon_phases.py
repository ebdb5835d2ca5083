"""tbsd with a call that fails: while it starts, serves, executes itself anew and stops."""

import os
import shutil
import signal
import threading

import client
import failing_calls
from daemon import DEADLINE, Daemon, Hangs, eventually
from outcome import CRASHES, Outcome, judge_end

DAEMON, TPM = "tbsd", "tbsd-embedded-tpm"
INDEX = 0x01500010


PATIENCE = 1  # with a client that a lasting fault keeps waiting, as it should: then the fault is over


def beside(work, give_up=None):
    """The exception that the work raised, or none. It may never come back: what it waits for is ended later."""
    raised = []

    def run():
        try:
            work()
        except Exception as error:  # pylint: disable=broad-except
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    if give_up:
        thread.join(PATIENCE)
        if thread.is_alive():
            give_up()
    thread.join(DEADLINE)
    if thread.is_alive():
        return Hangs(f"a client waits for more than {DEADLINE} s")
    return raised[0] if raised else None


class Phase:
    """A folder, a daemon, and what fails in it."""

    programs = (DAEMON, TPM)

    def __init__(self, folder, library):
        self.folder = folder
        self.calls = failing_calls.FailingCalls(folder, library)
        self.happened = False
        self.daemon, self.library = None, None

    def close(self):
        if self.daemon:
            self.daemon.kill()
        self.calls.close()

    # What a phase consists of.

    def start(self, program, interposed=True):
        self.calls.choose(program)
        self.daemon = Daemon(self.folder, self.calls.environment() if interposed else None)
        self.library = client.Library(os.environ["LIBTBS"], self.daemon.admin_socket)

    def session(self):
        """What a client does: of each kind a bit. What it makes is gone afterwards."""
        before = client.descriptors()
        context = client.Context(self.library)
        try:
            context.random()
            key, public = context.make_key()
            context.check_key(key, public)
            context.define_counter(INDEX)
            context.increment(INDEX)
            first = context.read_counter(INDEX)
            context.increment(INDEX)
            if context.read_counter(INDEX) != first + 1:
                raise client.Wrong("a counter that does not count")
            context.undefine(INDEX)
        finally:
            context.close()
        if client.descriptors() != before:
            raise client.Wrong(f"{client.descriptors() - before} descriptors are left")

    def tidy(self):
        """The same when one before has come to nothing in the middle."""
        context = client.Context(self.library)
        try:
            context.send(client.command(client.NV_UNDEFINE_SPACE, [client.OWNER, INDEX], authorizations=1))
        finally:
            context.close()
        self.session()

    def is_served(self):
        """Waits until a client is served, since a TPM that failed is brought up again first."""
        said = []

        def served():
            if self.daemon.ended() is not None:
                return True
            error = beside(self.tidy)
            said[:] = [str(error)]
            if isinstance(error, (client.Wrong, Hangs)):
                raise error
            return error is None

        try:
            eventually("the next client is served", served)
        except Hangs as hangs:
            raise Hangs(f"{hangs}: {said}") from None

    def fail(self, program, function, number, fault, times):
        try:
            outcome = self.run(program, lambda: self.calls.arm(function, number, fault, times))
        except Hangs as hangs:
            outcome = Outcome("hangs", str(hangs), self.daemon.log() if self.daemon else "")
        except client.Wrong as wrong:
            outcome = Outcome("wrong", str(wrong), self.daemon.log())
        if outcome.wrong:
            self.daemon.kill()
        return outcome

    def count(self, program):
        self.calls.reset_counts()
        outcome = self.run(program, self.calls.reset_counts, counting=True)
        if outcome.wrong or self.daemon.log().count("error"):
            raise SystemExit(f"{self.name} without a fault: {outcome.wrong}\n{self.daemon.log()}")
        return self.counted

    def note_faults(self, counting):
        self.counted = self.calls.counts() if counting else {}
        self.happened = self.calls.happened() > 0
        self.calls.disarm()

    def end(self, kind):
        """Ends the daemon; what is wrong with that."""
        running = self.daemon.ended() is None
        code = self.daemon.stop()
        text = self.daemon.log()
        wrong = judge_end(code, text)
        if not wrong and running and code != 0:
            wrong = f"a stop that ends with {code}"
        if not wrong and not running and code == 0:
            wrong = "it has ended by itself as if all was well"
        return Outcome(kind if running else "ends", wrong, text)


class Start(Phase):
    """From its first instruction until a client is served, on a TPM that there was before."""

    name = "start"
    fresh = False

    def __init__(self, folder, library):
        super().__init__(folder, library)
        self.start("", interposed=False)
        self.daemon.is_up()
        self.session()
        self.daemon.stop()
        self.kept = os.path.join(folder, "kept")
        os.mkdir(self.kept)
        self._copy(folder, self.kept)

    @staticmethod
    def _copy(source, target):
        for name in ("tpm", "state"):
            shutil.rmtree(os.path.join(target, name), ignore_errors=True)
            if os.path.isdir(os.path.join(source, name)):
                shutil.copytree(os.path.join(source, name), os.path.join(target, name))

    def run(self, program, arm, counting=False):
        if self.fresh:
            for name in ("tpm", "state"):
                shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
        else:
            self._copy(self.kept, self.folder)
        self.calls.choose(program)
        arm()
        self.daemon = Daemon(self.folder, self.calls.environment())
        self.library = client.Library(os.environ["LIBTBS"], self.daemon.admin_socket)
        kind = "starts"
        if self.daemon.is_up():
            # A device that cannot be opened is tried again, and the client waits for it.
            if beside(self.session, self.calls.end_fault) is not None:
                kind = "starts, and refuses"
        self.note_faults(counting)
        if self.daemon.ended() is None:
            self.is_served()
        return self.end(kind)


class FirstStart(Start):
    """The same with a TPM that has to be made."""

    name = "first-start"
    fresh = True


class Serve(Phase):
    """One daemon, and a client for each fault."""

    name = "serve"

    def run(self, program, arm, counting=False):
        if self.daemon is None or self.daemon.ended() is not None:
            self.start(program)
            self.daemon.is_up()
            self.is_served()
        said = len(self.daemon.log())
        arm()
        error = beside(self.session, self.calls.end_fault)
        self.note_faults(counting)
        if isinstance(error, (client.Wrong, Hangs)):
            raise error
        if self.daemon.ended() is None:
            self.is_served()
        if self.daemon.ended() is not None:
            return self.end("serves")
        text = self.daemon.log()[said:]
        crash = next((f"it says {crash}" for crash in CRASHES if crash in text), "")
        return Outcome(f"refuses: {error}" if error else "serves", crash, text)


class Restart(Phase):
    """A daemon without a service manager executes its program anew under a client."""

    name = "restart"

    def run(self, program, arm, counting=False):
        self.start(program)
        self.daemon.is_up()
        context = client.Context(self.library)
        key, public = context.make_key()
        before = self.image()
        arm()
        self.daemon.signal(signal.SIGUSR2)
        eventually("tbsd executes its program, or says that it cannot",
                   lambda: self.daemon.ended() is not None or self.image() != before or
                   "restart" in self.daemon.log() or "goes on" in self.daemon.log())
        error = beside(lambda: (context.check_key(key, public), context.random()), self.calls.end_fault)
        self.note_faults(counting)
        if isinstance(error, (client.Wrong, Hangs)):
            raise error
        beside(context.close)
        if self.daemon.ended() is None:
            self.is_served()
        return self.end(f"loses the key: {error}" if error else "keeps the key")

    def image(self):
        """It changes with the program that the process executes."""
        try:
            with open(f"/proc/{self.daemon.process.pid}/auxv", "rb") as file:
                return file.read()
        except OSError:
            return b""


class Stop(Phase):
    """By SIGTERM, with a client that has a key; what was kept is there at the next start."""

    name = "stop"

    def run(self, program, arm, counting=False):
        self.start(program)
        self.daemon.is_up()
        context = client.Context(self.library)
        context.make_key()
        arm()
        code = self.daemon.stop()
        self.note_faults(counting)
        text = self.daemon.log()
        beside(context.close)
        outcome = Outcome(f"ends with {code}", judge_end(code, text), text)
        if outcome.wrong:
            return outcome
        self.start("", interposed=False)
        if self.daemon.is_up():
            self.is_served()
        after = self.end("")
        if after.wrong or after.kind == "ends":
            return Outcome(outcome.kind, f"the next one: {after.wrong or 'does not start'}", text + after.text)
        return outcome


PHASES = [Start, FirstStart, Serve, Restart, Stop]
