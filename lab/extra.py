# SPDX-License-Identifier: Apache-2.0
"""What a lab has only when it is asked for: chosen by a variable of the command, and kept until the lab is gone."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from lab import settings
from sahara_docker import exceptions


@dataclasses.dataclass(frozen=True)
class Extra:
    """One such part of a lab.

    :param variable: what asks for it.
    :param value: of the variable, the only one beside an empty one.
    :param name: the file in the lab's data that remembers it.
    :param refusal: what is wrong with another value.
    :param remedy: what to give instead.
    """

    variable: str
    value: str
    name: str
    refusal: str
    remedy: str

    def choose(self, lab: settings.Lab) -> bool:
        """Decide whether the lab has it, and remember it; a lab that has it keeps it.

        :raises SaharaDockerError: when the variable has another value.
        """
        asked = os.environ.get(self.variable) or ""
        if asked not in ("", self.value):
            raise exceptions.SaharaDockerError(self.refusal, observed=asked, remedy=self.remedy)
        if asked:
            self._mark(lab).parent.mkdir(parents=True, exist_ok=True)
            self._mark(lab).touch()
        return self.is_chosen(lab)

    def is_chosen(self, lab: settings.Lab) -> bool:
        """Whether the lab has it."""
        return self._mark(lab).exists()

    def _mark(self, lab: settings.Lab) -> Path:
        return lab.data / self.name
