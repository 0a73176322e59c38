# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import fixtures
import testtools

from benchmarks import results


def result(**values) -> results.Result:
    return results.Result(
        **{"name": "a step", "unit": "ms", "ours": 5.0, "stock": 100.0, "floor": 2.0, "n": 3, **values}
    )


class TargetTest(testtools.TestCase):
    def test_without_a_target_nothing_is_met_or_missed(self):
        self.assertIsNone(result().met)
        self.assertEqual("", result().target)

    def test_a_limit_is_met_up_to_the_limit_itself(self):
        self.assertIs(True, result(at_most=5.0).met)
        self.assertIs(False, result(at_most=4.9).met)

    def test_a_ratio_is_stock_over_ours(self):
        self.assertEqual(20, result().ratio)
        self.assertIs(True, result(times=20).met)
        self.assertIs(False, result(times=21).met)

    def test_both_targets_must_be_met(self):
        self.assertIs(False, result(at_most=4.0, times=20).met)
        self.assertIs(False, result(at_most=5.0, times=21).met)
        self.assertIs(True, result(at_most=5.0, times=20).met)
        self.assertEqual("at most 5 ms, 20 times less", result(at_most=5.0, times=20).target)

    def test_without_stock_there_is_no_ratio_to_judge_by(self):
        alone = result(stock=None, times=20)
        self.assertIsNone(alone.ratio)
        self.assertIsNone(alone.met)
        self.assertIs(False, result(stock=None, times=20, at_most=4).met)

    def test_beside_the_floor(self):
        self.assertIs(True, result(times_the_floor=2.5).met)
        self.assertIs(False, result(times_the_floor=2.4).met)
        self.assertIs(False, result(times_the_floor=2.5, at_most=4).met)
        self.assertIsNone(result(times_the_floor=2.5, floor=None).met)
        self.assertEqual("at most 1.5 times the floor", result(times_the_floor=1.5).target)


class TableTest(testtools.TestCase):
    def test_one_line_for_the_impatient(self):
        self.assertEqual("a step: 5 ms (stock 100, floor -)", result(floor=None).summary)

    def test_numbers_have_three_digits(self):
        shown = [results.number(value) for value in (0.01234, 1.0, 12.345, 99.96, 123.4, 4567.8, None)]
        self.assertEqual(["0.0123", "1", "12.3", "100", "123", "4568", "-"], shown)

    def test_is_markdown_with_a_line_for_each_row(self):
        lines = results.table([result(at_most=4), result(name="another", stock=None, floor=None)]).splitlines()
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        self.assertEqual({10}, {len(row) for row in cells})
        self.assertEqual(1, len({len(line) for line in lines}))
        self.assertEqual({"-"}, set("".join(cells[1])))
        self.assertEqual(["a step", "ms", "5", "100", "2", "20", "2.5", "3", "at most 4 ms", "no"], cells[2])
        self.assertEqual(["another", "ms", "5", "-", "-", "-", "-", "3", "", ""], cells[3])


class FileTest(testtools.TestCase):
    def test_has_the_seven_fields_of_each_row_and_null_for_what_was_not_measured(self):
        path = Path(self.useFixture(fixtures.TempDir()).path) / "build" / "bench.json"
        results.write([result(at_most=1, times=2), result(stock=None, floor=None)], path)
        self.assertEqual(
            [
                {"name": "a step", "unit": "ms", "ours": 5.0, "stock": 100.0, "floor": 2.0, "over_floor": 2.5, "n": 3},
                {"name": "a step", "unit": "ms", "ours": 5.0, "stock": None, "floor": None, "over_floor": None, "n": 3},
            ],
            json.loads(path.read_text()),
        )
