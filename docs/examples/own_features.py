"""Judge features of your own by the experiment's cross-validation: ``python own_features.py COHORT FEATURES.csv``.

FEATURES.csv has one row per exam: a column ``exam`` with its name in the cohort, then one column per feature.
"""

import csv
import sys

from PCNSLSurvivalLib import RESEARCH_USE_ONLY, cross_validate_features, read_cohort


def main(cohort: str, table: str) -> None:
    """Print every metric with its 95 % interval."""
    with open(table, newline="", encoding="utf-8") as stream:
        reader = csv.DictReader(stream)
        if "exam" not in (reader.fieldnames or ()):
            sys.exit(f"{table} has no column 'exam'. Its first line must name one, and one column per feature.")
        rows = {row.pop("exam"): row for row in reader}
    features = {exam: {name: float(value) for name, value in row.items() if value} for exam, row in rows.items()}
    judged = cross_validate_features(read_cohort(cohort), features, folds=5, repeats=2)
    for name, metric in judged.metrics.items():
        print(f"{name}: {metric.value:.2f} ({metric.low:.2f} to {metric.high:.2f})")
    print(RESEARCH_USE_ONLY)


if __name__ == "__main__":
    main(*sys.argv[1:])
