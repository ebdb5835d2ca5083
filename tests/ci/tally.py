#!/usr/bin/env python3
"""Counts test cases.

  tally.py add RESULTS NAME LOG   adds the cases of one `meson test` run (its JSON log)
  tally.py sum RESULTS...         prints what failed and, last, the sum; fails if anything did

A line of RESULTS is: passed failed skipped name. A test program counts as its cases when its output
ends in the summary of Catch2 or Python's unittest, or is TAP; otherwise as one. A program that
fails without a failed case, because it crashed or timed out, counts as one failure more.
"""

import collections
import json
import re
import sys

Count = collections.namedtuple("Count", "passed failed skipped")


def catch2(text):
    """All tests passed (9 assertions in 3 test cases) | test cases: 3 | 2 passed | 1 failed"""
    if match := re.search(r"^All tests passed \(.* in (\d+) test cases?\)", text, re.M):
        return Count(int(match[1]), 0, 0)
    if match := re.search(r"^test cases:\s*(\d+) \|(.*)", text, re.M):
        failed = re.search(r"(\d+) failed(?! as expected)", match[2])
        failed = int(failed[1]) if failed else 0
        return Count(int(match[1]) - failed, failed, 0)
    return None


def unittest(text):
    """Ran 3 tests in 0.1s ... OK (skipped=1) | FAILED (failures=1, errors=1)"""
    match = re.search(r"^Ran (\d+) tests? in [\d.]+s\s+(OK|FAILED)(.*)", text, re.M)
    if match is None:
        return None
    kinds = {kind: int(number) for kind, number in re.findall(r"(\w+)=(\d+)", match[3])}
    failed = sum(kinds.get(kind, 0) for kind in ("failures", "errors"))
    skipped = kinds.get("skipped", 0)
    return Count(int(match[1]) - failed - skipped, failed, skipped)


def tap(text):
    """ok 1 - good | not ok 2 - bad | ok 3 # SKIP why"""
    lines = re.findall(r"^(not ok|ok)\b(.*)", text, re.M)
    if not lines or not re.search(r"^1\.\.\d+", text, re.M):
        return None
    skipped = sum("# skip" in rest.lower() for _, rest in lines)
    failed = sum(word == "not ok" for word, _ in lines)
    return Count(len(lines) - failed - skipped, failed, skipped)


def cases(test):
    """The count of one entry of Meson's log."""
    if test["result"] == "SKIP":
        return Count(0, 0, 1)
    good = test["result"] in ("OK", "EXPECTEDFAIL")
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    for reader in (catch2, unittest, tap):
        count = reader(text)
        if count is not None:
            return count if good or count.failed else count._replace(failed=1)
    return Count(int(good), int(not good), 0)


def add(results, name, log):
    try:
        with open(log, encoding="utf-8") as lines:
            tests = [json.loads(line) for line in lines]
    except FileNotFoundError:
        # No log: Meson could not build the tests or had none to run.
        tests = [{"name": "(nothing ran)", "result": "ERROR"}]
    with open(results, "a", encoding="utf-8") as out:
        for test in tests:
            print(*cases(test), f"{name}: {test['name']}", file=out)


def lines_of(results):
    try:
        with open(results, encoding="utf-8") as lines:
            return list(lines)
    except FileNotFoundError:
        return [f"0 1 0 {results} is missing: nothing ran"]


def print_sum(*files):
    total = [0, 0, 0]
    for line in [line for results in files for line in lines_of(results)]:
        *numbers, name = line.rstrip("\n").split(" ", 3)
        total = [a + int(b) for a, b in zip(total, numbers)]
        if numbers[1] != "0":
            print(f"failed: {name} ({numbers[1]})")
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] or not any(total) else 0


if __name__ == "__main__":
    if sys.argv[1] == "add":
        add(*sys.argv[2:])
    else:
        sys.exit(print_sum(*sys.argv[2:]))
