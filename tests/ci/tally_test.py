#!/usr/bin/env python3
"""Cases are counted as their programs report them."""

import contextlib
import io
import pathlib
import tempfile
import unittest

from tally import Count, cases, print_sum


def entry(result, stdout="", stderr=""):
    return {"name": "x", "result": result, "stdout": stdout, "stderr": stderr}


class Cases(unittest.TestCase):
    def test_a_silent_program_is_one_case(self):
        self.assertEqual(cases(entry("OK")), Count(1, 0, 0))
        self.assertEqual(cases(entry("FAIL")), Count(0, 1, 0))
        self.assertEqual(cases(entry("TIMEOUT")), Count(0, 1, 0))
        self.assertEqual(cases(entry("SKIP")), Count(0, 0, 1))

    def test_catch2(self):
        good = "=====\nAll tests passed (20 assertions in 5 test cases)\n"
        bad = "test cases:  5 |  3 passed | 2 failed\nassertions: 20 | 18 passed | 2 failed\n"
        expected = "test cases: 3 | 2 passed | 1 failed as expected\n"
        self.assertEqual(cases(entry("OK", good)), Count(5, 0, 0))
        self.assertEqual(cases(entry("FAIL", bad)), Count(3, 2, 0))
        self.assertEqual(cases(entry("OK", expected)), Count(3, 0, 0))

    def test_unittest_of_python(self):
        good = "..s\n-----\nRan 3 tests in 0.001s\n\nOK (skipped=1)\n"
        bad = "Ran 4 tests in 0.001s\n\nFAILED (failures=1, errors=1)\n"
        self.assertEqual(cases(entry("OK", "", good)), Count(2, 0, 1))
        self.assertEqual(cases(entry("FAIL", "", bad)), Count(2, 2, 0))

    def test_tap(self):
        text = "ok 1 - a\nnot ok 2 - b\nok 3 # SKIP no TPM\n1..3\n"
        self.assertEqual(cases(entry("FAIL", text)), Count(1, 1, 1))

    def test_a_program_that_fails_after_good_cases_is_a_failure(self):
        good = "All tests passed (20 assertions in 5 test cases)\nLeakSanitizer: 8 bytes\n"
        self.assertEqual(cases(entry("FAIL", good)), Count(5, 1, 0))
        self.assertEqual(cases(entry("FAIL", "ok 1 - a\nSegmentation fault\n")), Count(0, 1, 0))


class Sums(unittest.TestCase):
    def sum_of(self, *texts):
        with tempfile.TemporaryDirectory() as folder:
            files = [f"{folder}/{number}" for number in range(len(texts))]
            for file, text in zip(files, texts):
                if text is not None:
                    pathlib.Path(file).write_text(text, encoding="utf-8")
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = print_sum(*files)
            return code, out.getvalue().splitlines()[-1]

    def test_of_several_files(self):
        self.assertEqual(self.sum_of("2 0 1 a\n", "3 0 0 b\n"), (0, "5 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.sum_of("2 0 0 a\n", "3 1 0 b\n"), (1, "5 passed, 1 failed"))

    def test_a_file_that_is_missing_is_a_failure(self):
        self.assertEqual(self.sum_of("2 0 0 a\n", None), (1, "2 passed, 1 failed"))

    def test_what_was_skipped_does_not_fail_but_nothing_at_all_does(self):
        self.assertEqual(self.sum_of("0 0 1 a\n"), (0, "0 passed, 0 failed, 1 skipped"))
        self.assertEqual(self.sum_of(""), (1, "0 passed, 0 failed"))


if __name__ == "__main__":
    unittest.main()
