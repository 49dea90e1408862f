"""Prepare the scans of a cohort for training: ``python prepare_a_cohort.py COHORT OUT``."""

import sys

from PCNSLSurvivalLib import prepare_cohort, read_cohort


def main(cohort: str, out: str) -> None:
    """Prepare every exam; a second start continues where the first one stopped."""
    exams = read_cohort(cohort)
    with_class = [exam for exam in exams if exam.os_class() is not None]
    print(f"{len(exams)} exams, {len(with_class)} with a known one-year overall survival")
    prepared = prepare_cohort(cohort, out, sequences=["t1gd"])
    print(f"{len(prepared.exams)} prepared. Look through contact_sheet.html before you train.")
    for name, reason in prepared.left_out.items():
        print(f"excluded: {name}: {reason}")


if __name__ == "__main__":  # needed as soon as several exams are prepared at the same time (jobs=2)
    main(*sys.argv[1:])
