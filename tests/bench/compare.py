#!/usr/bin/env python3
"""Compares what ./dev bench --json has printed at two times, as `./dev bench --compare OLD.json [NEW.json]`.

Counts are compared as they are. Measured numbers get a verdict only where their own spread is known and does not
cover the difference: pairs taken in turn have the columns lowest and highest. Everything else is shown beside each
other and left to the reader, because two runs are also two days of the machine.
"""

import argparse
import json
import sys

SPREAD = ("lowest", "highest")
# The less, the better; of the others the more.
LESS = ("instructions", "allocations", "system calls", "ms", "us", "MiB")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def less_is_better(column):
    return any(column == word or column.endswith(" " + word) for word in LESS)


def rows_of(document):
    """Every row of a document as (table, row, numbers), whether it is of the bench or of its counts."""
    if isinstance(document, dict):
        for name, numbers in document.items():
            yield "one command", name, {column: value for column, value in numbers.items() if is_number(value)}
        return
    for section in document:
        for table in section.get("tables", []):
            for row in table["rows"]:
                # What is no number says which row it is, and so does the number of clients.
                key = " ".join(str(value) for column, value in sorted(row.items())
                               if value != "" and (not is_number(value) or column in ("clients", "contexts", "keys")))
                numbers = {column: value for column, value in row.items() if is_number(value)}
                yield table["title"], key, numbers


def verdict(column, old, new, exact):
    """One word, or nothing where nothing can be said."""
    if exact:
        low = high = old[column]
    elif column == "ratio" and all(word in numbers for word in SPREAD for numbers in (old, new)):
        low, high = old["lowest"], old["highest"]
        if old["lowest"] <= new["highest"] and new["lowest"] <= old["highest"]:
            return "within the spread"
    else:
        return ""
    if low <= new[column] <= high:
        return "same"
    return "better" if (new[column] < low) == less_is_better(column) else "worse"


def compare(old, new):
    """Lines of (table, row, column, old, new, verdict), of what both have."""
    exact = isinstance(old, dict)
    if exact != isinstance(new, dict):
        raise ValueError("one is of ./dev bench, the other of ./dev bench cost")
    before = {(table, row): numbers for table, row, numbers in rows_of(old)}
    for table, row, numbers in rows_of(new):
        known = before.get((table, row))
        for column, value in numbers.items():
            if known is None or column not in known or column in SPREAD:
                continue
            yield table, row, column, known[column], value, verdict(column, known, numbers, exact)


def text_of(number):
    return f"{number:.0f}" if abs(number) >= 100 or number == int(number) else f"{number:.3g}"


def print_comparison(old, new):
    title = None
    for table, row, column, before, after, word in compare(old, new):
        if table != title:
            title = table
            print(f"\n{title}")
        ratio = f"{after / before:.2f}" if before else "-"
        print(f"  {row:<46} {column:<13} {text_of(before):>10} {text_of(after):>10} {ratio:>6}  {word}".rstrip())


def main():
    parser = argparse.ArgumentParser(prog="./dev bench --compare", description=__doc__.split("\n")[0])
    parser.add_argument("old", type=argparse.FileType(encoding="utf-8"))
    parser.add_argument("new", type=argparse.FileType(encoding="utf-8"), nargs="?", default=sys.stdin)
    arguments = parser.parse_args()
    print_comparison(json.load(arguments.old), json.load(arguments.new))


if __name__ == "__main__":
    main()
