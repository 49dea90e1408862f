"""What every quality measure gives for sound exams and for injected faults, beside its two limits.

Usage: ``make measure-quality``, or ``python Testing/benchmarks/measure_quality_limits.py [--seeds 11 23 37] [--real]
[--no-heads] [--prepared DIR ...]``. Virtual exams stand with their true masks and poses, real heads (``make
real-data`` and ../shared/real-patient, where they are) with our own preparation. DIR is the output of ``pcnsl-survival
preprocess``: its cases are counted as sound ones.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from examinations import SEEDS, VARIANTS, Variant, draw_heads, examine
from faults import FAULTS, Exam, judge, true_examination
from no_heads import NO_HEADS, no_head
from real_heads import real_heads

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import Verdict
from PCNSLSurvivalLib.preprocessing.pipeline import prepare_case
from PCNSLSurvivalLib.preprocessing.qc.step_checks import judge_brain_mask
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain

Values = dict[str, list[tuple[float, Verdict]]]


def note(values: Values, findings: list[Finding]) -> None:
    """Keep value and verdict of every finding under its code."""
    for finding in findings:
        if finding.value is not None:
            values[finding.measure].append((finding.value, finding.verdict))


def virtual_examinations(seeds: list[int]) -> Iterator[tuple[str, Exam]]:
    """All seeds in all variants, one at a time."""
    for seed in seeds:
        heads = draw_heads(seed)
        for variant in VARIANTS:
            kind: Variant = variant
            yield f"{seed}, {variant}", true_examination(examine(heads, kind))


def prepared_findings(folder: Path) -> Iterator[tuple[float, str, Verdict]]:
    """Value, code and verdict of every finding of a prepared cohort."""
    for path in sorted(folder.glob("cases/*/case.json")):
        for finding in json.loads(path.read_text(encoding="utf-8"))["findings"]:
            if finding["value"] is not None:
                yield finding["value"], finding["measure"], Verdict(finding["verdict"])


def main() -> int:
    """Print one row a group of cases and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--real", action="store_true", help="prepare the real heads too")
    parser.add_argument("--no-heads", action="store_true", help="outline fruit, phantoms, knee and spine too")
    parser.add_argument("--prepared", type=Path, nargs="*", default=[])
    parser.add_argument("--json", type=Path, nargs="*", default=[], help="values of earlier runs, put into the table")
    parser.add_argument("--write-json", type=Path, default=None, help="keep this run's values instead of a table")
    args = parser.parse_args()
    groups: dict[str, Values] = defaultdict(lambda: defaultdict(list))
    for path in args.json:
        for group, measures in json.loads(path.read_text(encoding="utf-8")).items():
            for code, pairs in measures.items():
                groups[group][code] += [(value, Verdict(verdict)) for value, verdict in pairs]
    for name, exam in virtual_examinations(args.seeds):
        note(groups["sound, virtual"], judge(exam))
        for code, faults in FAULTS.items():
            for fault in faults:
                note(groups[f"fault: {fault.__name__}"], [f for f in fault(exam) if f.measure == code])
        print(name, file=sys.stderr, flush=True)
    if args.real:
        for name, scans in real_heads():
            prepared = prepare_case(scans, recipe=RECIPE, clock=StepClock(), override_quality=True)
            note(groups["sound, real"], list(prepared.findings))
            print(name, file=sys.stderr, flush=True)
    for name in NO_HEADS if args.no_heads else ():
        scan = no_head(name)
        try:
            mask = extract_brain(scan, RECIPE.brain_extraction)
        except PreparationError as stop:
            print(f"no head, {name}: {stop}", file=sys.stderr, flush=True)
            continue
        note(groups[f"no head: {name}"], list(judge_brain_mask(mask, scan, stripped=False)))
    for folder in args.prepared:
        for value, code, verdict in prepared_findings(folder):
            groups["sound, prepared cohort"][code].append((value, verdict))
    if args.write_json:
        args.write_json.write_text(json.dumps(groups), encoding="utf-8")
        return 0
    print("| measure | cases | number | lowest | median | highest | good | check | unusable |")
    print("|---|---|---|---|---|---|---|---|---|")
    for code in dict.fromkeys(code for values in groups.values() for code in values):
        for group, values in groups.items():
            if pairs := sorted(values.get(code, [])):
                numbers, verdicts = [value for value, _ in pairs], [verdict for _, verdict in pairs]
                span = " | ".join(f"{n:.3g}" for n in (numbers[0], numbers[len(numbers) // 2], numbers[-1]))
                counts = " | ".join(str(verdicts.count(verdict)) for verdict in Verdict)
                print(f"| {code} | {group} | {len(pairs)} | {span} | {counts} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
