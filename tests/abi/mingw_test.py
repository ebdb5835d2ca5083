#!/usr/bin/env python3
"""Compares our headers with those of mingw-w64: every constant that both have, sizes, signs and
offsets, and the prototypes of the functions. Programs that mingw's import library has exports for
find each documented function in ours.

TOP and CC come with the environment; without mingw-w64 the test is skipped (exit code 77)."""

import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

TOP = os.environ["TOP"]
ABI = os.path.join(TOP, "tests", "abi")
MINGW = "x86_64-w64-mingw32-"
OURS = ["-I", os.path.join(TOP, "client/include/tbs"), "-I", os.path.join(TOP, "client/include/compat")]
# Exported there and documented nowhere, or of use on Windows alone (docs/api.md).
NOT_HERE = {"Tbsi_Create_Attestation_From_Log", "Tbsi_FilterLog", "Tbsi_ShaHash", "Tbsip_TestMorBit",
            "Tbsip_Submit_Command_NonBlocking", "Tbsip_TestInterruptInformation",
            "GetDeviceIDWithTimeout"}


def output_of(command, **options):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, encoding="utf-8",
                          timeout=120, **options).stdout


def macros(compiler, options):
    """Names of the constants that windows.h and tbs.h define."""
    text = output_of([*compiler, *options, "-dM", "-E", "-x", "c", "-"],
                     input="#include <windows.h>\n#include <tbs.h>\n")
    names = re.findall(r"^#define (\w+) \S", text, re.MULTILINE)
    return {name for name in names if re.match(r"TBS_|TPM_(E|VERSION|IFTYPE|WNF)_", name)
            and name not in ("TBS_API", "TBS_EXTENSION")}


def table(compiler, objcopy, options, folder, name):
    compiled = os.path.join(folder, name + ".o")
    raw = os.path.join(folder, name + ".table")
    subprocess.run([*compiler, *options, "-std=c11", "-Wall", "-Wextra", "-Werror", "-I", folder,
                    "-c", os.path.join(ABI, "mingw_table.c"), "-o", compiled], check=True,
                   timeout=120)
    subprocess.run([objcopy, "-O", "binary", "-j", ".tbsabi", "--set-section-flags",
                    ".tbsabi=alloc,load", compiled, raw], check=True, timeout=120)
    with open(raw, "rb") as file:
        data = file.read()
    entries = {}
    for at in range(0, len(data) - 63, 64):
        text, value = struct.unpack_from("<60sI", data, at)
        entries[text.rstrip(b"\0").decode()] = value
    return entries


def compare(ours, theirs):
    differences = [f"{name}: {ours[name]:#x} here, {theirs[name]:#x} there"
                   for name in sorted(theirs) if name in ours and ours[name] != theirs[name]]
    differences += [f"{name}: not here" for name in sorted(theirs.keys() - ours.keys())]
    return differences


def missing_functions():
    library = output_of([MINGW + "gcc", "-print-file-name=libtbs.a"]).strip()
    exported = set(re.findall(r" T (\w+)$", output_of([MINGW + "nm", library],
                                                      stderr=subprocess.DEVNULL), re.MULTILINE))
    with open(os.path.join(TOP, "client", "tbs.map"), encoding="ascii") as file:
        ours = set(re.findall(r"\b(\w+);", file.read()))
    return [f"{name}: not exported here" for name in sorted(exported - ours - NOT_HERE)]


def import_library(folder):
    """What a program finds in the library that docs/porting.md makes of tbs.def."""
    made = os.path.join(folder, "libtbs.a")
    subprocess.run([MINGW + "dlltool", "-d", os.path.join(TOP, "docs/examples/tbs.def"), "-l", made], check=True,
                   timeout=120)
    return set(re.findall(r" T (\w+)$", output_of([MINGW + "nm", made], stderr=subprocess.DEVNULL), re.MULTILINE))


def served_under_wine():
    with open(os.path.join(TOP, "client/wine/tbs.def"), encoding="ascii") as file:
        return set(re.findall(r"^  (\w+) =", file.read(), re.MULTILINE))


def main():
    if not shutil.which(MINGW + "gcc"):
        print("mingw-w64 is not installed")
        return 77
    native = shlex.split(os.environ["CC"])
    windows = [MINGW + "gcc", "-D_WIN32_WINNT=0x0A00"]
    common = macros(native, OURS) & macros(windows, [])
    with tempfile.TemporaryDirectory(prefix="tbs-mingw-") as folder:
        with open(os.path.join(folder, "macros.h"), "w", encoding="ascii") as file:
            file.writelines(f"VALUE({name});\n" for name in sorted(common))
        ours = table(native, "objcopy", OURS, folder, "ours")
        theirs = table(windows, MINGW + "objcopy", [], folder, "theirs")
        imported = import_library(folder)
    differences = compare(ours, theirs) + missing_functions()
    differences += [f"{name}: in one of docs/examples/tbs.def and client/wine/tbs.def alone"
                    for name in sorted(imported ^ served_under_wine())]
    print("\n".join(differences) or f"{len(theirs)} entries agree, {len(common)} of them macros")
    return 1 if differences or len(common) < 10 or len(theirs) < 40 else 0


sys.exit(main())
