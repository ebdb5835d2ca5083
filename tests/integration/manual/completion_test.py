#!/usr/bin/env python3
"""The completion scripts are what the table of subcommands gives, and complete in real shells: in bash, in zsh on a
terminal, in fish. A shell that is not here is skipped; contexts are those of a real daemon."""

import ctypes
import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import tempfile
import time
import unittest

TOP = pathlib.Path(os.environ["TOP"])
SCRIPTS = TOP / "client/tbsctl/completion"
TBSCTL = pathlib.Path(os.environ["TBSCTL"])
PATIENCE = 60  # seconds, only against hanging
# Headings are in capitals from CLI11 2.5 on.
SUBCOMMANDS = re.findall(r"^  ([a-z]+) ", re.split("(?i)subcommands:", subprocess.run(
    [TBSCTL, "--help"], check=True, text=True, capture_output=True).stdout)[1]
    .split("Examples:")[0], re.MULTILINE)


class Made(unittest.TestCase):
    def test_the_scripts_are_what_the_table_gives(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([os.environ["COMPLETION"], folder], check=True)
            for name in ("tbsctl.bash", "_tbsctl", "tbsctl.fish"):
                with self.subTest(script=name):
                    self.assertEqual((SCRIPTS / name).read_text(), (pathlib.Path(folder) / name).read_text(),
                                     "run: ninja -C build completions")

    def test_they_have_the_options_of_the_program_itself(self):
        text = subprocess.run([TBSCTL, "--help"], check=True, text=True, capture_output=True).stdout
        options = set(re.findall(r"^ +(?:-\w, *)?(--[a-z]+)", text, re.MULTILINE))
        self.assertIn("--socket", options)
        line = re.search(r"'',-\*\) words='(.*)'", (SCRIPTS / "tbsctl.bash").read_text())
        self.assertEqual(options, {word for word in line[1].split() if word.startswith("--")})


class Daemon:
    """The daemon on the embedded TPM, and a program with a context."""

    def __init__(self, folder):
        self.socket = f"{folder}/tbsd.sock"
        self.process = subprocess.Popen(
            [os.environ["TBSD"], "--config", "/dev/null", "--device", "embedded", "--socket", self.socket,
             "--state-dir", folder], stderr=subprocess.DEVNULL)
        os.environ["TBS_SOCKET"] = self.socket
        self.tbs = ctypes.CDLL(os.environ["LIBTBS"])
        self.context = ctypes.c_void_p()
        parameters = (ctypes.c_uint32 * 2)(2, 4)
        deadline = time.monotonic() + PATIENCE
        while self.tbs.Tbsi_Context_Create(parameters, ctypes.byref(self.context)) != 0:
            if time.monotonic() > deadline:
                raise TimeoutError("no context")
            time.sleep(0.05)

    def number(self):
        text = subprocess.run([TBSCTL, "contexts"], check=True, text=True, capture_output=True).stdout
        return text.splitlines()[1].split()[0]

    def stop(self):
        self.tbs.Tbsip_Context_Close(self.context)
        self.process.terminate()
        self.process.wait()


class Shells:
    """What each shell offers. A subclass says how to ask it."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which(cls.SHELL):
            raise unittest.SkipTest(f"{cls.SHELL} is not here")
        cls.folder = tempfile.TemporaryDirectory()
        os.symlink(TBSCTL, f"{cls.folder.name}/tbsctl")
        (pathlib.Path(cls.folder.name) / "command.bin").touch()
        cls.daemon = Daemon(cls.folder.name)
        cls.environment = {**os.environ, "PATH": f"{cls.folder.name}:{os.environ['PATH']}", "TERM": "dumb",
                           "HOME": cls.folder.name, "LC_ALL": "C.UTF-8"}

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()
        cls.folder.cleanup()

    def assert_offers(self, line, *words):
        self.assertEqual(set(self.offered(line)), set(words))

    def test_subcommands(self):
        self.assertGreater(len(SUBCOMMANDS), 10)
        self.assert_offers("tbsctl ", *SUBCOMMANDS)
        self.assert_offers("tbsctl --json co", "contexts")

    def test_parts_of_a_subcommand(self):
        self.assert_offers("tbsctl policy ", "check", "explain")

    def test_options(self):
        self.assert_offers("tbsctl lockout --re", "--reset")
        self.assert_offers("tbsctl policy explain --hi", "--hierarchy")
        self.assert_offers("tbsctl info --rese")

    def test_values(self):
        self.assert_offers("tbsctl submit --priority h", "high")
        self.assert_offers("tbsctl bridge --protocol ", "raw", "mssim", "swtpm")
        self.assert_offers("tbsctl policy explain --owner s", "self")

    def test_files(self):
        self.assert_offers("tbsctl submit -f comm", "command.bin")

    def test_users(self):
        self.assertIn("root", self.offered("tbsctl policy explain roo"))

    def test_contexts(self):
        number = self.daemon.number()
        self.assertIn(number, self.offered("tbsctl cancel "))
        self.assertIn(number, self.offered(f"tbsctl --socket {self.daemon.socket} cancel "))
        self.assertEqual(set(), set(self.offered("tbsctl --socket /nonexistent cancel ")))


class Bash(Shells, unittest.TestCase):
    SHELL = "bash"

    def offered(self, line):
        words = line.replace("=", " = ").split()
        if line.endswith((" ", "=")):
            words.append("")
        script = (f"source {SCRIPTS / 'tbsctl.bash'}\n"
                  'COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _tbsctl; printf "%s\\n" "${COMPREPLY[@]}"')
        said = subprocess.run(["bash", "--norc", "-uc", script, "bash", *words], text=True, check=True,
                              capture_output=True, cwd=self.folder.name, env=self.environment)
        self.assertEqual(said.stderr, "")
        return said.stdout.split()

    def test_a_value_after_an_equals_sign(self):
        self.assert_offers("tbsctl submit --priority=h", "high")
        self.assert_offers("tbsctl bridge --protocol=", "raw", "mssim", "swtpm")

    def test_on_a_terminal(self):
        framework = "/usr/share/bash-completion/bash_completion"
        if not os.path.exists(framework):
            self.skipTest("bash-completion is not here")
        folder = pathlib.Path(self.folder.name) / "data/bash-completion/completions"
        folder.mkdir(parents=True)
        shutil.copy(SCRIPTS / "tbsctl.bash", folder / "tbsctl")
        with Terminal(["bash", "--norc", "--noprofile", "-i"],
                      {**self.environment, "XDG_DATA_HOME": f"{self.folder.name}/data"}, self.folder.name) as shell:
            shell.send(f"source {framework}; PS1=; echo re''ady\n")
            shell.wait_for("ready")
            shell.send("tbsctl contexts --soc\t")
            shell.wait_for("--socket")


class Zsh(Shells, unittest.TestCase):
    SHELL = "zsh"

    def offered(self, line):
        with Terminal(["zsh", "-f", "-i"], self.environment, self.folder.name) as shell:
            # What compadd is given and keeps is what zsh would show.
            shell.send(f"""PS1=; unsetopt zle_bracketed_paste; fpath=({SCRIPTS} $fpath); autoload -U compinit
compinit -u -D; zstyle ':completion:*' verbose no; setopt no_list_beep
compadd() {{ case " $* " in *' -O '*|*' -A '*|*' -D '*) builtin compadd "$@"; return;; esac
 local -a kept; builtin compadd -O kept "$@"; (( $#kept )) && print -rl -- $kept >>offered; builtin compadd "$@" }}
list() {{ : >offered; zle complete-word; print -r -- "lis""ted" }}; zle -N list; bindkey '^I' list
print re''ady
""")
            shell.wait_for("ready")
            shell.send(line + "\t")
            shell.wait_for("listed")
        found = (pathlib.Path(self.folder.name) / "offered").read_text().split("\n")
        return [word.split(":")[0] for word in found if word]


class Fish(Shells, unittest.TestCase):
    SHELL = "fish"

    def offered(self, line):
        said = subprocess.run(["fish", "--no-config", "-c",
                               f"source {SCRIPTS / 'tbsctl.fish'}; complete -C $argv[1]", line],
                              text=True, check=True, capture_output=True, cwd=self.folder.name,
                              env=self.environment)
        return [line.split("\t")[0] for line in said.stdout.splitlines()]


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, command, environment, folder):
        self.child, self.terminal = pty.fork()
        if self.child == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)
        self.said = ""

    def send(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, text):
        deadline = time.monotonic() + PATIENCE
        while text not in self.said:
            ready, _, _ = select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError(f"no {text!r} in {self.said!r}")
            self.said += os.read(self.terminal, 4096).decode(errors="replace")
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.terminal)
        os.kill(self.child, 9)
        os.waitpid(self.child, 0)


if __name__ == "__main__":
    unittest.main()
