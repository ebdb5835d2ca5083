#!/usr/bin/env python3
"""Keeps the table of functions, return codes and tests in docs/api.md true: every code that tbs.h
lists for a function is in it; every code that Windows' page lists is in it too, or tbs.h says that it
is not returned; every test exists and names the code.

TOP in the environment is the source tree."""

import os
import re
import sys

TOP = os.environ["TOP"]

# What the pages of Microsoft's documentation list, without TBS_E_.
PAGES = {
    "Tbsi_Context_Create": "BAD_PARAMETER INTERNAL_ERROR INVALID_CONTEXT_PARAM "
                           "INVALID_OUTPUT_POINTER SERVICE_DISABLED SERVICE_NOT_RUNNING "
                           "SERVICE_START_PENDING TOO_MANY_TBS_CONTEXTS TPM_NOT_FOUND",
    "Tbsip_Context_Close": "INTERNAL_ERROR INVALID_CONTEXT",
    "Tbsip_Submit_Command": "BAD_PARAMETER BUFFER_TOO_LARGE INTERNAL_ERROR INSUFFICIENT_BUFFER "
                            "INVALID_CONTEXT INVALID_OUTPUT_POINTER IOERROR",
    "Tbsip_Cancel_Commands": "INTERNAL_ERROR INVALID_CONTEXT IOERROR",
    "Tbsi_Physical_Presence_Command": "BAD_PARAMETER INTERNAL_ERROR INVALID_CONTEXT_PARAM "
                                      "INVALID_OUTPUT_POINTER",
    "Tbsi_Get_TCG_Log": "INTERNAL_ERROR INVALID_OUTPUT_POINTER INVALID_CONTEXT INSUFFICIENT_BUFFER "
                        "BUFFER_TOO_LARGE TPM_NOT_FOUND DEACTIVATED",
    "Tbsi_Get_TCG_Log_Ex": "INTERNAL_ERROR INVALID_OUTPUT_POINTER INSUFFICIENT_BUFFER "
                           "BUFFER_TOO_LARGE TPM_NOT_FOUND DEACTIVATED NO_EVENT_LOG",
    "Tbsi_Get_TCG_Logs": "BAD_PARAMETER",
    "Tbsi_GetDeviceInfo": "BAD_PARAMETER TPM_NOT_FOUND",
    "Tbsi_Get_OwnerAuth": "OWNERAUTH_NOT_FOUND BAD_PARAMETER",
    "Tbsi_Revoke_Attestation": "INTERNAL_ERROR",
}


def read(*path):
    with open(os.path.join(TOP, *path), encoding="utf-8") as file:
        return file.read()


def documented():
    """{function: (codes listed, codes not returned)} by the comments of tbs.h."""
    found = {}
    comments = re.findall(r"/\*((?:(?!\*/).)*)\*/\s*TBS_API \S+ (\w+)\(", read(
        "client/include/tbs/tbs.h"), re.DOTALL)
    for comment, function in comments:
        listed, _, absent = comment.partition("Not returned:")
        # A list begins a line with a code; a mention in a sentence is none.
        entries = re.findall(r"^ \* (TBS_\w+(?:, TBS_\w+)*)(?: .*|,)?$", listed, re.MULTILINE)
        found[function] = (set(re.findall(r"TBS_\w+", " ".join(entries))),
                           set(re.findall(r"TBS_E_\w+", absent)))
    return found


def table():
    """[(function, code, test file, test case)] of docs/api.md."""
    section = read("docs/api.md").split("## Functions, return codes, tests")[1]
    return re.findall(r"^\| `(\w+)` \| ([^|]+) \| \w+ \| `([^`]+)`: (.*) \|$", section, re.MULTILINE)


def faults_of(rows, headers):
    tabled = {}
    for function, code, _, _ in rows:
        tabled.setdefault(function, set()).add(code)
    for function, (listed, absent) in headers.items():
        for code in sorted(listed - tabled.get(function, set())):
            yield f"{function}: tbs.h lists {code}, the table does not"
        for name in PAGES.get(function, "").split():
            if "TBS_E_" + name not in tabled.get(function, set()) | absent:
                yield f"{function}: the page lists TBS_E_{name}; nothing here says why it never comes"
    exported = set(re.findall(r"\b((?:Tbsip?_|GetDevice)\w+);", read("client/tbs.map")))
    for function in sorted(exported - tabled.keys()):
        yield f"{function}: exported, and not in the table"
    for function, code, file, case in rows:
        source = read("tests/integration", file)
        if f'TEST_CASE("{case}"' not in re.sub(r'"\s*\n\s*"', "", source):
            yield f"{file} has no test '{case}'"
        # Status::BufferTooLarge is TBS_E_BUFFER_TOO_LARGE.
        key = code.removeprefix("TBS_E_").replace("_", "").lower()
        if code.startswith("TBS_E_") and key not in source.replace("_", "").lower():
            yield f"{file} does not name {code}"


def main():
    rows, headers = table(), documented()
    faults = list(faults_of(rows, headers))
    print("\n".join(faults) or f"{len(rows)} return codes of {len(headers)} functions have their test")
    return 1 if faults or len(rows) < 80 or len(headers) < 15 else 0


sys.exit(main())
