#!/usr/bin/env python3
"""What cost.py reads of the output of callgrind and strace."""

import unittest

import cost

CALLGRIND = """version: 1
fn=tbs::Pump::submit()
12 40
cob=/lib/libc.so.6
cfi=./malloc/malloc.c
cfn=malloc
calls=7 3290
12 500
cfn=malloc_usable_size
calls=9 4
12 30
fn=operator new(unsigned long)
1 9
cfn=malloc
calls=4 3290
1 280
cfn=calloc
calls=2 3400
1 90
totals: 123456
"""

STRACE = """    calls syscall
--------- ----------------
      401 epoll_wait
      200 sendmmsg
--------- ----------------
      601 total
"""


class Cost(unittest.TestCase):
    def test_callgrind(self):
        self.assertEqual(cost.callgrind_counts(CALLGRIND), {"instructions": 123456, "allocations": 13})

    def test_strace(self):
        self.assertEqual(cost.strace_counts(STRACE), {"epoll_wait": 401, "sendmmsg": 200})

    def test_cases(self):
        cases = [*cost.cases(), *cost.cases_of_tools(), *cost.cases_of_scale()]
        names = [case["name"] for case in cases]
        self.assertEqual(len(names), len(set(names)))
        for case in cases:
            self.assertEqual(cost.SHORT % case["clients"], 0)
            self.assertEqual(cost.LONG % case["clients"], 0)


if __name__ == "__main__":
    unittest.main()
