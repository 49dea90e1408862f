"""A baseline's table: one row per case, one column per variable, nothing fitted yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message


@dataclass(frozen=True, kw_only=True, eq=False)
class BaselineTable:
    """What a baseline sees.

    Attributes:
        cases: (N,) names of the cases, those without a class too.
        patients: Patient of each case, by name of the case; a case that is not listed is a patient of its own.
        os_class: Class of every case that has one, by name; 1 for OS over one year.
        survival: Days of follow-up, and whether the death was observed, of every case where both are known.
        columns: (F,) names of the variables.
        values: (N, F) ``float64``; NaN where unknown.

    Raises:
        EvaluationError: The shapes do not fit, a case stands twice, a value is infinite, or a variable is known for no
            case.
    """

    cases: tuple[str, ...]
    os_class: Mapping[str, int]
    patients: Mapping[str, str] = field(default_factory=dict)
    survival: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
    columns: tuple[str, ...]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.cases), len(self.columns)) or len(set(self.cases)) != len(self.cases):
            raise EvaluationError(Message("baseline.one_row_per_case"))
        if np.isinf(self.values).any():
            column = self.columns[int(np.argwhere(np.isinf(self.values))[0][1])]
            raise EvaluationError(Message("baseline.infinite_value", column=column))
        for column, values in zip(self.columns, self.values.T, strict=True):
            if np.isnan(values).all():
                raise EvaluationError(Message("baseline.unknown_column", column=column))

    def rows(self, cases: Sequence[str]) -> NDArray[np.float64]:
        """(n, F) the values of some cases.

        Raises:
            EvaluationError: A case is not in the table.
        """
        place = {case: row for row, case in enumerate(self.cases)}
        missing = [case for case in cases if case not in place]
        if missing:
            raise EvaluationError(Message("baseline.case_not_in_table", case=missing[0]))
        return self.values[[place[case] for case in cases]]

    def classes(self, cases: Sequence[str]) -> NDArray[np.int64]:
        """(n,) the classes of some cases.

        Raises:
            EvaluationError: A case has no class.
        """
        if any(case not in self.os_class for case in cases):
            raise EvaluationError(Message("baseline.case_without_class"))
        return np.array([self.os_class[case] for case in cases], dtype=np.int64)

    def patients_of(self, cases: Sequence[str]) -> NDArray[np.str_]:
        """(n,) the patients of some cases."""
        return np.array([self.patients.get(case, case) for case in cases])

    def without_class(self) -> tuple[str, ...]:
        """Cases that have no class, censored before the threshold."""
        return tuple(case for case in self.cases if case not in self.os_class)
