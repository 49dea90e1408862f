"""What every quality measure gives for sound exams and for injected faults, beside its two limits.

Usage: ``make measure-quality``, or ``python Testing/benchmarks/measure_quality_limits.py [--seeds 11 23 37] [--real]
[--no-heads] [--stripped DIR] [--prepared DIR ...]``. Virtual exams stand with their true masks and poses, real
heads (``make real-data`` and ../shared/real-patient, where they are) with our own preparation. DIR of ``--prepared`` is
the output of ``pcnsl-survival preprocess``: its cases are counted as sound ones. DIR of ``--stripped`` holds one folder
per patient with skull-stripped scans t1gd.nii.gz and t1.nii.gz, of which the contrast agent alone is judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from faults import FAULTS, Exam, judge, true_exam
from no_heads import NO_HEADS, no_head
from real_heads import WITHOUT_CONTRAST, real_heads
from virtual_exams import SEEDS, VARIANTS, Variant, draw_heads, examine

from PCNSLSurvivalLib.core.errors import PreparationError
from PCNSLSurvivalLib.core.findings import Finding
from PCNSLSurvivalLib.core.progress import StepClock
from PCNSLSurvivalLib.core.terms import MRSequence, Verdict
from PCNSLSurvivalLib.imaging.geometry import canonical
from PCNSLSurvivalLib.imaging.io import read_scan
from PCNSLSurvivalLib.preprocessing.case_steps import mask_on_scan
from PCNSLSurvivalLib.preprocessing.pipeline import PreparedCase, prepare_case
from PCNSLSurvivalLib.preprocessing.qc.contrast_agent import judge_contrast_agent
from PCNSLSurvivalLib.preprocessing.qc.step_checks import judge_brain_mask
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE
from PCNSLSurvivalLib.preprocessing.steps.brain_extraction import extract_brain

Values = dict[str, list[tuple[float, Verdict]]]


def note(values: Values, findings: list[Finding]) -> None:
    """Keep value and verdict of every finding under its code."""
    for finding in findings:
        if finding.value is not None:
            values[finding.measure].append((finding.value, finding.verdict))


def virtual_exams_of(seeds: list[int]) -> Iterator[tuple[str, Exam]]:
    """All seeds in all variants, one at a time."""
    for seed in seeds:
        heads = draw_heads(seed)
        for variant in VARIANTS:
            kind: Variant = variant
            yield f"{seed}, {variant}", true_exam(examine(heads, kind))


def prepared_findings(folder: Path) -> Iterator[tuple[float, str, Verdict]]:
    """Value, code and verdict of every finding of a prepared cohort."""
    for path in sorted(folder.glob("cases/*/case.json")):
        for finding in json.loads(path.read_text(encoding="utf-8"))["findings"]:
            if finding["value"] is not None:
                yield finding["value"], finding["measure"], Verdict(finding["verdict"])


def contrast_of(prepared: PreparedCase, sequence: MRSequence) -> Finding:
    """The judgement on contrast agent, of a scan by itself."""
    image = prepared.corrected[sequence]
    mask = mask_on_scan(prepared.brain_mask, image, prepared.transforms[sequence])
    return judge_contrast_agent(image, mask)


def stripped_contrast(folder: Path) -> Iterator[tuple[str, Finding]]:
    """The same of every skull-stripped scan "t1gd" and "t1" in the folders of cases."""
    for path in sorted(folder.glob("*/t1*.nii.gz")):
        sequence = MRSequence(path.name.removesuffix(".nii.gz"))
        image = canonical(read_scan(path, sequence).image)
        mask = sitk.BinaryFillhole(sitk.Cast(image != 0, sitk.sitkUInt8), True)
        yield (
            ("real, T1Gd" if sequence is MRSequence.T1GD else "real, without contrast"),
            judge_contrast_agent(image, mask),
        )


def main() -> int:
    """Print one row a group of cases and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--real", action="store_true", help="prepare the real heads too")
    parser.add_argument("--no-heads", action="store_true", help="outline fruit, phantoms, knee and spine too")
    parser.add_argument("--stripped", type=Path, default=None, help="folders of patients with stripped scans")
    parser.add_argument("--prepared", type=Path, nargs="*", default=[])
    parser.add_argument("--json", type=Path, nargs="*", default=[], help="values of earlier runs, put into the table")
    parser.add_argument("--write-json", type=Path, default=None, help="keep this run's values instead of a table")
    args = parser.parse_args()
    groups: dict[str, Values] = defaultdict(lambda: defaultdict(list))
    for path in args.json:
        for group, measures in json.loads(path.read_text(encoding="utf-8")).items():
            for code, pairs in measures.items():
                groups[group][code] += [(value, Verdict(verdict)) for value, verdict in pairs]
    for name, exam in virtual_exams_of(args.seeds):
        note(groups["sound, virtual"], judge(exam))
        for code, faults in FAULTS.items():
            for fault in faults:
                note(groups[f"fault: {fault.__name__}"], [f for f in fault(exam) if f.measure == code])
        print(name, file=sys.stderr, flush=True)
    if args.real:
        for name, scans in real_heads():
            prepared = prepare_case(scans, recipe=RECIPE, clock=StepClock(), override_quality=True)
            note(groups["sound, real"], [one for one in prepared.findings if one.measure != "contrast_agent"])
            for sequence in (MRSequence.T1GD, MRSequence.T1):
                if sequence in scans:
                    plain = sequence is MRSequence.T1 or name in WITHOUT_CONTRAST
                    note(groups["real, without contrast" if plain else "real, T1Gd"], [contrast_of(prepared, sequence)])
            print(name, file=sys.stderr, flush=True)
    for name in NO_HEADS if args.no_heads else ():
        scan = no_head(name)
        try:
            mask = extract_brain(scan, RECIPE.brain_extraction)
        except PreparationError as stop:
            print(f"no head, {name}: {stop}", file=sys.stderr, flush=True)
            continue
        note(groups[f"no head: {name}"], list(judge_brain_mask(mask, scan, stripped=False)))
    for group, finding in stripped_contrast(args.stripped) if args.stripped else ():
        note(groups[group], [finding])
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
