#!/usr/bin/env python3
"""Draws how what tbsd costs grows with the contexts that are open, as an SVG on standard output:

  plot_scale.py COUNTS.json SCALE.json > docs/scale.svg

COUNTS.json is what ./dev bench cost --scale --json has printed, SCALE.json what ./dev bench scale --json has.
"""

import json
import math
import re
import sys

WIDTH, HEIGHT = 720, 250  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 40
COLOURS = ("#0b6e99", "#b3541e", "#3a7d44", "#7b3fa0")
BESIDE = re.compile(r"^tbsd: (.*), beside (\d+) contexts$")


def counted(counts):
    """Of each kind of work: (contexts, instructions)."""
    lines = {}
    for name, row in counts.items():
        found = BESIDE.match(name)
        if found:
            lines.setdefault(found.group(1), []).append((int(found.group(2)), row["instructions"]))
    return lines


def measured(sections, columns):
    rows = [row for section in sections if section["name"] == "scale" for row in section["tables"][0]["rows"]]
    return {label: [(row["contexts"], row[column]) for row in rows] for label, column in columns.items()}


def nice_top(value):
    """The next of 1, 2, 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value)


class Panel:
    """Lines over the contexts, which have a logarithmic scale; the other one begins at 0."""

    def __init__(self, title, lines, number):
        self.title, self.lines, self.above = title, lines, number * HEIGHT
        self.contexts = sorted({x for points in lines.values() for x, _ in points})
        self.top = nice_top(max(y for points in lines.values() for _, y in points))

    def x(self, contexts):
        first, last = (math.log10(self.contexts[end]) for end in (0, -1))
        return LEFT + (math.log10(contexts) - first) / max(last - first, 1e-9) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        return self.above + HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM)

    def svg(self):
        yield f'<text x="{LEFT}" y="{self.above + 22}" class="title">{self.title}</text>'
        for part in range(5):
            value = self.top * part / 4
            height = self.y(value)
            yield f'<line x1="{LEFT}" y1="{height:.1f}" x2="{WIDTH - RIGHT}" y2="{height:.1f}" class="grid"/>'
            yield f'<text x="{LEFT - 6}" y="{height + 4:.1f}" text-anchor="end">{value:,.0f}</text>'
        for contexts in self.contexts:
            yield (f'<text x="{self.x(contexts):.1f}" y="{self.above + HEIGHT - BOTTOM + 18}" '
                   f'text-anchor="middle">{contexts:,.0f}</text>')
        for number, (label, points) in enumerate(self.lines.items()):
            colour = COLOURS[number % len(COLOURS)]
            path = " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in sorted(points))
            yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
            for x, y in points:
                yield f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3" fill="{colour}"/>'
            beside = self.above + TOP + 16 * number
            yield f'<text x="{WIDTH - RIGHT + 14}" y="{beside + 8}" fill="{colour}">{label}</text>'


def draw(panels):
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT * len(panels)}" '
           f'font-family="sans-serif" font-size="12">')
    yield "<style>.title { font-size: 14px; } .grid { stroke: #ccc; }</style>"
    yield '<rect width="100%" height="100%" fill="white"/>'
    for panel in panels:
        yield from panel.svg()
    yield "</svg>"


def panels_of(counts, sections):
    return [
        Panel("Instructions of tbsd, by contexts that are open", counted(counts), 0),
        Panel("Memory of tbsd in MiB, by contexts that are open",
              measured(sections, {"no keys": "resident MiB", "3 keys each": "with keys MiB", "at its most": "most MiB"}), 1),
        Panel("Contexts that are opened in a second, one after the other", measured(sections, {"": "connects per s"}), 2),
    ]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as counts, open(sys.argv[2], encoding="utf-8") as sections:
        print("\n".join(draw(panels_of(json.load(counts), json.load(sections)))))


if __name__ == "__main__":
    main()
