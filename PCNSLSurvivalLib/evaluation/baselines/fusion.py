"""Image and clinical variables together: the clinical variables and the log-odds of a network in one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from PCNSLSurvivalLib.core.errors import EvaluationError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.evaluation.baselines.table import BaselineTable

CLINIC_ALONE = "logistic_clinical"
"""The baseline that a fusion is compared with: the same regression on the same variables, without the network."""
NETWORK_COLUMN = "log-odds by the network"


def with_network(table: BaselineTable, log_odds: Mapping[str, float]) -> BaselineTable:
    """The table with one more column.

    Args:
        table: Clinical variables.
        log_odds: Of a long survival, of every case, by networks that were not trained on it.

    Raises:
        EvaluationError: A case has none: an imputed prediction would look like a known one.
    """
    missing = [case for case in table.cases if case not in log_odds]
    if missing:
        raise EvaluationError(Message("baseline.fusion_without_network", case=missing[0]))
    column = np.array([log_odds[case] for case in table.cases])
    return replace(table, columns=(*table.columns, NETWORK_COLUMN), values=np.column_stack([table.values, column]))
