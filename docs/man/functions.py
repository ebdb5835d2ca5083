#!/usr/bin/env python3
"""Writes the manual page of one function, for scdoc, from what its header says of it: the header stays
the one place where a function is described.

functions.py HEADER FUNCTION    the page, to standard output
functions.py --list HEADER...   the functions that have one"""

import re
import sys

DECLARATION = re.compile(
    r"/\*((?:(?!\*/).)*?)\*/\s*((?:TBS_API [^;]*?\b\w+\([^;]*?\);\s*)+)", re.DOTALL)
CODES = re.compile(r"(TBSX?_\w+(?:, TBSX?_\w+)*(?: \(\*\))?)(?: +(.*)|,)?$")
OTHERS = re.compile(r"(others)  +(.*)$")
PARAMETERS = re.compile(r"(\w+(?:, \w+)*): (.*)$")
SOURCES = {"Page: ": "Microsoft's documentation: ", "Source: ": "Declared in "}


def entries(header):
    """[(lines of the comment, declarations)]"""
    with open(header, encoding="utf-8") as file:
        text = file.read()
    for comment, declarations in DECLARATION.findall(text):
        lines = [re.sub(r"^ ?\* ?", "", line) for line in comment.strip().splitlines()]
        yield lines, re.findall(r"TBS_API ([^;]*;)", declarations)


def names_of(declarations):
    return [re.search(r"(\w+)\(", declaration)[1] for declaration in declarations]


def escaped(text):
    return re.sub(r"([\\*_#\[<>~|`])", r"\\\1", text)


def parameters_of(declaration):
    """The names of what a function takes."""
    taken = declaration.split("(", 1)[1].rsplit(")", 1)[0]
    return {re.search(r"(\w+)$", each.strip())[1] for each in taken.split(",")}


def paragraphs(lines):
    """Separated by empty lines; a list of codes, and where it all comes from, begin one, too."""
    paragraph = []
    for line in [*lines, ""]:
        begins = line.startswith(tuple(SOURCES)) or (
            re.match(r"TBS\w+  ", line) and paragraph and not CODES.match(paragraph[0]))
        if paragraph and (begins or not line.strip()):
            yield paragraph
            paragraph = []
        if line.strip():
            paragraph.append(line)


def joined(lines):
    """[(start of an entry, its text)]: a line that is not indented begins one."""
    result = []
    for line in lines:
        if line.startswith(" ") and result:
            result[-1] += " " + line.strip()
        else:
            result.append(line.strip())
    return result


def term(name, text):
    return f"*{escaped(name)}*\n\t{escaped(text or 'as it says')}\n"


def code_list(lines):
    out, rest = [], []
    for line in re.sub(r",\n(?=TBS)", ", ", "\n".join(lines)).splitlines():
        match = CODES.match(line) or OTHERS.match(line)
        if match and not rest:
            out.append([match[1], match[2] or ""])
        elif line.startswith("  ") and out and not rest:
            out[-1][1] = (out[-1][1] + " " + line.strip()).strip()
        else:
            rest.append(line.strip())
    text = ""
    for name, meaning in out:
        text += f"*{escaped(name)}*\n" + (f"\t{escaped(meaning)}\n" if meaning else "") + "\n"
    return text + (escaped(" ".join(rest)) + "\n" if rest else "")


def plain(lines, parameters):
    out, text = "", []
    for line in joined(lines):
        match = PARAMETERS.match(line)
        if match and parameters.issuperset(match[1].split(", ")):
            out += (escaped(" ".join(text)) + "\n\n" if text else "") + term(match[1], match[2]) + "\n"
            text = []
        else:
            text.append(line)
    return out + (escaped(" ".join(text)) + "\n" if text else "")


def page(header, function):
    lines, declarations = next(e for e in entries(header) if function in names_of(e[1]))
    name = "tbsx.h" if header.endswith("tbsx.h") else "tbs.h"
    parameters = set().union(*(parameters_of(declaration) for declaration in declarations))
    description, returned, source = "", "", ""
    for paragraph in paragraphs(lines):
        first = paragraph[0].strip()
        if first.startswith(tuple(SOURCES)):
            source = " ".join(line.strip() for line in paragraph)
            for mark, words in SOURCES.items():
                source = re.sub("^" + mark, words, source)
        elif CODES.match(first) or first.startswith("Returns ") or returned:
            returned += code_list(paragraph) + "\n"
        elif paragraph[0].startswith("  "):
            description += "```\n" + "\n".join(line.replace("\\", "\\\\") for line in paragraph)
            description += "\n```\n\n"
        else:
            description += plain(paragraph, parameters) + "\n"
    # Up to the end of the first sentence, or of what can stand alone in it.
    first = re.split(r"[.:;](?: |$)| \(", " ".join(next(paragraphs(lines))))[0]
    synopsis = "\n\n".join(re.sub(r"\n\s+", "\n    ", each) for each in declarations)
    title = first if "_" in first.split()[0] else first[0].lower() + first[1:]
    return (f'{function}(3) "tbs" "TPM Base Services"\n\n# NAME\n\n{escaped(function)} - '
            f"{escaped(title)}\n\n# SYNOPSIS\n\n```\n#include <{name}>\n\n{synopsis}\n```\n\n"
            f"# DESCRIPTION\n\n{description}"
            + (f"# RETURN VALUE\n\n{returned}" if returned else "")
            + (f"# NOTES\n\n{escaped(source)}\n\n" if source else "")
            + "# SEE ALSO\n\n*tbs*(3), *tbsd*(8)\n")


def main():
    if sys.argv[1] == "--list":
        for header in sys.argv[2:]:
            for _, declarations in entries(header):
                print("\n".join(names_of(declarations)))
        return 0
    print(page(sys.argv[1], sys.argv[2]), end="")
    return 0


sys.exit(main())
