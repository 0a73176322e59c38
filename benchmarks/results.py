# SPDX-License-Identifier: Apache-2.0
"""Rows of the table, and what is written of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path


@dataclasses.dataclass(frozen=True)
class Result:
    """One row; the less, the better.

    :param name: what was measured.
    :param unit: of the three numbers.
    :param ours: this package.
    :param stock: stock Sahara; None when it was not measured.
    :param floor: the same without Sahara; None when there is no such thing.
    :param n: repetitions that each number is the median or the mean of.
    :param at_most: the target for *ours*.
    :param times: the target for how many times less than *stock* ours shall be.
    :param times_the_floor: the target for how many times *floor* ours may be.
    """

    name: str
    unit: str
    ours: float
    stock: float | None
    floor: float | None
    n: int
    at_most: float | None = None
    times: float | None = None
    times_the_floor: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times less than stock."""
        return self.stock / self.ours if self.stock is not None and self.ours else None

    @property
    def over_floor(self) -> float | None:
        """How many times the floor."""
        return self.ours / self.floor if self.floor else None

    @property
    def target(self) -> str:
        """The targets in words, empty when there are none."""
        words = [f"at most {number(self.at_most)} {self.unit}"] if self.at_most is not None else []
        words += [f"{number(self.times)} times less"] if self.times is not None else []
        words += [f"at most {number(self.times_the_floor)} times the floor"] if self.times_the_floor is not None else []
        return ", ".join(words)

    @property
    def summary(self) -> str:
        """The row in one line."""
        beside = f"stock {number(self.stock)}, floor {number(self.floor)}"
        return f"{self.name}: {number(self.ours)} {self.unit} ({beside})"

    @property
    def met(self) -> bool | None:
        """Whether every target is met; None when there is none, or stock is not there to be compared with."""
        compared = ((self.at_most, self.ours), (self.times_the_floor, self.over_floor))
        verdicts = [value <= limit for limit, value in compared if limit is not None and value is not None]
        if self.times is not None and self.ratio is not None:
            verdicts.append(self.ratio >= self.times)
        return all(verdicts) if verdicts else None


def number(value: float | None) -> str:
    """Three significant digits; a dash for None."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(results: Iterable[Result]) -> str:
    """The rows in Markdown."""
    rows: list[tuple[str, ...]] = [
        ("", "unit", "ours", "stock", "floor", "stock / ours", "ours / floor", "n", "target", "met")
    ]
    rows += [
        (
            result.name,
            result.unit,
            number(result.ours),
            number(result.stock),
            number(result.floor),
            number(result.ratio),
            number(result.over_floor),
            str(result.n),
            result.target,
            {True: "yes", False: "no", None: ""}[result.met],
        )
        for result in results
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows.insert(1, tuple("-" * width for width in widths))
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"


def write(results: Iterable[Result], path: Path) -> None:
    """Write what was measured, without targets, as JSON."""
    names = ("name", "unit", "ours", "stock", "floor", "over_floor", "n")
    records = [{name: getattr(result, name) for name in names} for result in results]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(records, indent=2) + "\n")
