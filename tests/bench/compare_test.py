#!/usr/bin/env python3
"""What compare.py says of two runs, and what it does not."""

import unittest

import compare


def pairs(ratio, lowest, highest):
    row = {"clients": 8, "per s": 100 * ratio, "without": 100, "ratio": ratio, "lowest": lowest, "highest": highest}
    return [{"name": "restart", "tables": [{"title": "pairs", "rows": [row]}]}]


def verdicts(old, new):
    return {column: word for _, _, column, _, _, word in compare.compare(old, new)}


class Compare(unittest.TestCase):
    def test_counts_are_exact(self):
        old = {"GetRandom": {"instructions": 20000.0, "system calls": 7.0, "allocations": 7.0, "calls": {"read": 1}}}
        new = {"GetRandom": {"instructions": 9000.0, "system calls": 7.0, "allocations": 8.0, "calls": {"read": 1}}}
        self.assertEqual(verdicts(old, new),
                         {"instructions": "better", "system calls": "same", "allocations": "worse"})

    def test_a_difference_within_the_spread_is_none(self):
        self.assertEqual(verdicts(pairs(0.9, 0.8, 1.0), pairs(0.95, 0.85, 1.1))["ratio"], "within the spread")

    def test_a_difference_beyond_the_spread_is_one(self):
        self.assertEqual(verdicts(pairs(0.6, 0.55, 0.65), pairs(0.95, 0.9, 1.0))["ratio"], "better")
        self.assertEqual(verdicts(pairs(0.95, 0.9, 1.0), pairs(0.6, 0.55, 0.65))["ratio"], "worse")

    def test_what_has_no_spread_gets_no_verdict(self):
        self.assertEqual(verdicts(pairs(0.9, 0.8, 1.0), pairs(0.3, 0.2, 0.4))["per s"], "")

    def test_rows_that_only_one_has_are_left_out(self):
        other = pairs(0.9, 0.8, 1.0)
        other[0]["tables"][0]["rows"][0]["clients"] = 64
        self.assertEqual(verdicts(pairs(0.9, 0.8, 1.0), other), {})

    def test_two_kinds_are_not_compared(self):
        with self.assertRaises(ValueError):
            verdicts({}, pairs(1, 1, 1))


if __name__ == "__main__":
    unittest.main()
