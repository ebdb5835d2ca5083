#!/usr/bin/env python3
"""What plot_scale.py draws of a bench's numbers."""

import unittest
import xml.etree.ElementTree as ElementTree

import plot_scale

COUNTS = {
    "tbsd: GetRandom, beside 10 contexts": {"instructions": 18000.0, "allocations": 0},
    "tbsd: GetRandom, beside 1000 contexts": {"instructions": 18500.0, "allocations": 0},
    "tbsd: GetRandom, 200 clients, 1 accounts": {"instructions": 1.0},
}
ROWS = [{"contexts": contexts, "connects per s": 5000.0, "resident MiB": 10.0, "with keys MiB": 20.0, "most MiB": 25.0}
        for contexts in (10, 1000)]
SCALE = [{"name": "signing", "tables": []}, {"name": "scale", "tables": [{"title": "", "rows": ROWS}]}]


class Plot(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(plot_scale.counted(COUNTS), {"GetRandom": [(10, 18000.0), (1000, 18500.0)]})

    def test_top(self):
        self.assertEqual([plot_scale.nice_top(value) for value in (18500, 20000, 5001, 99)], [20000, 20000, 10000, 100])

    def test_drawing(self):
        text = "\n".join(plot_scale.draw(plot_scale.panels_of(COUNTS, SCALE)))
        lines = ElementTree.fromstring(text).findall("{http://www.w3.org/2000/svg}polyline")
        self.assertEqual(len(lines), 5)
        # The axis begins at 0 and ends at 20,000.
        first = plot_scale.Panel("", plot_scale.counted(COUNTS), 0)
        self.assertEqual(first.y(0), plot_scale.HEIGHT - plot_scale.BOTTOM)
        self.assertEqual(first.y(20000), plot_scale.TOP)


if __name__ == "__main__":
    unittest.main()
