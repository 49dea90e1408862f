"""Make the lesion reader that ships with this software: virtual heads, training, judgement, card.

Usage: ``make lesion-reader``, or ``python Resources/experiments/make_lesion_reader.py [--work DIR] [--steps N]``. It
goes on where it was stopped. What the card says is measured here, and printed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk
import torch

from PCNSLSurvivalLib.core.errors import PCNSLSurvivalError
from PCNSLSurvivalLib.core.storage.files import whole_folder
from PCNSLSurvivalLib.core.terms import Step
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.inference.case_options import CaseOptions
from PCNSLSurvivalLib.inference.lesion_reader import LesionReader, probability_of
from PCNSLSurvivalLib.inference.runtimes.lesion_blocks import in_torch
from PCNSLSurvivalLib.inference.segment import certain_foci, segment_case
from PCNSLSurvivalLib.models.lesion_reader_folder import (
    ReaderSettings,
    bundled_reader_path,
    read_reader_folder,
    write_reader_folder,
)
from PCNSLSurvivalLib.models.networks.lesion_unet import LesionUNet
from PCNSLSurvivalLib.models.networks.lesion_unet_onnx import unet_shapes
from PCNSLSurvivalLib.phantoms.random_fields import stream
from PCNSLSurvivalLib.phantoms.randomized import Anatomies, draw_head
from PCNSLSurvivalLib.training.lesions.reader import ReaderPlan, train_reader

ROOT = Path(__file__).resolve().parents[2]
FRESH_SEED, FRESH_PEOPLE = 27182, 6
CUTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Probabilities from which on a voxel may be outlined; virtual heads choose among them."""
PEAKS = (0.5, 0.7, 0.8, 0.9, 0.95)
"""Probabilities that one voxel of a focus may have to reach."""
CHOOSING = 48
VERSION = "1.2.0"


@dataclass(frozen=True)
class Limits:
    """From which probability on a voxel is outlined, and which one a voxel of its focus must reach."""

    cut: float
    peak: float

    def outlined(self, probability: np.ndarray) -> np.ndarray:
        """(I, J, K) probability to (I, J, K) mask."""
        return certain_foci(probability, cut=self.cut, peak=self.peak) >= self.cut


@dataclass(frozen=True)
class Judged:
    """One outline beside its truth, in mL."""

    name: str
    dice: float | None
    outlined_ml: float
    true_ml: float | None
    seconds: float
    interval_ml: tuple[float, float] = (0.0, 0.0)


def main() -> int:
    """Make the lesion reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("build/lesion_reader"), help="people and checkpoint, kept")
    parser.add_argument("--steps", type=int, default=ReaderPlan.steps, help="optimizer steps")
    parser.add_argument("--init-weights", type=Path, help="folder of a lesion reader to start from")
    parser.add_argument("--started-from", help="what the card says of these weights; their version if left out")
    parser.add_argument("--keep-start", type=float, default=0.0, help="share of the first weights in the final ones")
    parser.add_argument("--learning-rate", type=float, default=ReaderPlan.learning_rate, help="at its highest")
    parser.add_argument("--cooling", type=int, default=ReaderPlan.cooling, help="last steps, over which it falls")
    parser.add_argument("--heads-per-step", type=int, default=ReaderPlan.heads_per_step, help="heads in each step")
    parser.add_argument("--kept", type=int, default=ReaderPlan.kept, help="how many earlier heads can return")
    parser.add_argument("--people", type=int, default=ReaderPlan.people, help="virtual people the heads are made of")
    parser.add_argument("--seed", type=int, default=ReaderPlan.seed, help="of people, heads and augmentation")
    parser.add_argument("--device", default="cpu", help="where to train: cpu or cuda")
    parser.add_argument("--workers", type=int, default=0, help="processes that make heads ahead")
    parser.add_argument("--train-only", action="store_true", help="stop after the training; run again to judge it")
    parser.add_argument("--fresh", type=int, default=60, help="fresh virtual heads to judge on")
    parser.add_argument("--out", type=Path, default=bundled_reader_path(), help="folder to make")
    parser.add_argument("--real-tumors", type=Path, help="folders with t1gd.nii.gz and seg.nii.gz (BraTS labels)")
    parser.add_argument("--healthy", type=Path, nargs="*", default=(), help="T1 scans of heads without tumor")
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    plan = ReaderPlan(
        seed=args.seed,
        people=args.people,
        steps=args.steps,
        heads_per_step=args.heads_per_step,
        kept=args.kept,
        learning_rate=args.learning_rate,
        cooling=args.cooling,
    )
    initial = None
    if args.init_weights:
        begun = read_reader_folder(args.init_weights)
        plan = replace(plan, start=args.started_from or f"version {begun.settings.version}")
        weights = begun.load_weights(unet_shapes(begun.settings.widths, begun.settings.hidden))
        initial = {name: torch.from_numpy(values.copy()) for name, values in weights.items()}
    begin, cache = time.perf_counter(), args.work / "prepared"
    people, device = args.work / "people", torch.device(args.device)
    network = train_reader(
        plan, people, args.work, initial=initial, device=device, workers=args.workers, report=_report(begin)
    )
    if args.train_only:
        return 0
    if initial is not None:
        keep_start(network, initial, args.keep_start)
    limits = choose_limits(network, args.work / "people")
    fresh = judge_fresh(network, args.fresh, args.work / "people", limits)
    with whole_folder(args.out, overwrite=True) as staging:
        _write(staging, network, plan, limits, _volume_factor(fresh), card="to be measured")
        reader = LesionReader(read_reader_folder(staging))
        real = (
            [_judge_real(folder, reader, cache) for folder in sorted(args.real_tumors.iterdir()) if folder.is_dir()]
            if args.real_tumors
            else []
        )
        healthy = [_judge_scan(path, reader, cache)[0] for path in args.healthy]
        card = card_text(plan, args.keep_start, limits, fresh, real, healthy, _volume_factor(fresh))
        for file in staging.iterdir():
            file.unlink()
        _write(staging, network, plan, limits, _volume_factor(fresh), card=card)
        read_reader_folder(staging)
    print(card)
    return 0


def keep_start(network: LesionUNet, initial: Mapping[str, torch.Tensor], share: float) -> None:
    """Mix trained weights with those they started from, as is done against a loss of robustness in fine-tuning.

    References:
        Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022. arXiv:2109.01903
    """
    with torch.no_grad():
        for name, weight in network.state_dict().items():
            weight.lerp_(initial[name], share)


def choose_limits(network: LesionUNet, cache: Path) -> Limits:
    """The best limits on virtual heads that neither train nor judge.

    Best is the highest mean Dice; of equal ones, the highest peak, then the highest cut. A head without enhancing tumor
    counts 1 where less than 0.1 mL is outlined, else 0.
    """
    people = Anatomies.made(FRESH_PEOPLE, seed=FRESH_SEED, cache=cache)
    tried = [Limits(cut, peak) for peak in PEAKS for cut in CUTS]
    scores = np.zeros((CHOOSING, len(tried)))
    for number in range(CHOOSING):
        head = draw_head(int(stream(FRESH_SEED, "choosing", str(number)).integers(2**31)), people)
        probability = probability_of(in_torch(network), head.image, head.brain)
        voxel_ml = float(np.prod(head.spacing_mm)) / 1000
        for n, limits in enumerate(tried):
            found = limits.outlined(probability)
            dice = dice_of(found, head.enhancing)
            scores[number, n] = float(found.sum() * voxel_ml < 0.1) if dice is None else dice
    means = scores.mean(axis=0).round(4)
    for limits, mean in zip(tried, means, strict=True):
        print(f"outlined from {limits.cut} on in foci that reach {limits.peak}: mean Dice {mean:.4f}", flush=True)
    return max(zip(means, tried, strict=True), key=lambda one: (one[0], one[1].peak, one[1].cut))[1]


def judge_fresh(network: LesionUNet, count: int, cache: Path, limits: Limits) -> list[Judged]:
    """Outline virtual heads of people and seeds that training never saw."""
    people = Anatomies.made(FRESH_PEOPLE, seed=FRESH_SEED, cache=cache)
    judged = []
    for number in range(count):
        head = draw_head(int(stream(FRESH_SEED, "fresh", str(number)).integers(2**31)), people)
        begin = time.perf_counter()
        found = limits.outlined(probability_of(in_torch(network), head.image, head.brain))
        seconds = time.perf_counter() - begin
        judged.append(
            Judged(
                name=f"virtual {number}",
                dice=dice_of(found, head.enhancing),
                outlined_ml=float(found.sum()) * float(np.prod(head.spacing_mm)) / 1000,
                true_ml=head.enhancing_ml,
                seconds=seconds,
            )
        )
        print(judged[-1], flush=True)
    return judged


def dice_of(found: np.ndarray, real: np.ndarray) -> float | None:
    """Dice coefficient; None where there is nothing to outline."""
    return 2 * float((found & real).sum()) / float(found.sum() + real.sum()) if real.any() else None


def card_text(
    plan: ReaderPlan,
    start_share: float,
    limits: Limits,
    fresh: list[Judged],
    real: list[Judged],
    healthy: list[Judged],
    factor: float,
) -> str:
    """The card, every number from the lists."""
    lines = [
        "# Lesion reader, trained on virtual heads only",
        "",
        "Not for clinical use: this network proposes an outline of enhancing tumor on T1Gd. A person has to check it.",
        "It has learned on virtual heads alone. Research use only. No scan of a patient took part in training.",
        "",
        "| | |",
        "|---|---|",
        "| Input | T1Gd, prepared by this software, 128 x 128 x 128 voxels of 1.5 mm |",
        f"| Output | probability of enhancing tumor; outlined from {limits.cut} on, in foci that reach {limits.peak} "
        f"(chosen on {CHOOSING} virtual heads) |",
        f"| Network | 3-D U-Net, {sum(p.numel() for p in LesionUNet().parameters())} parameters |",
        f"| Trained on | {_trained_on(plan)} |",
        f"| Started from | {plan.start}; share of its weights in the final ones: {start_share:g} |",
        f"| Seed, highest learning rate | {plan.seed}, {plan.learning_rate:g} |",
        f"| Steps | {plan.steps}, the last {plan.cooling} with a falling learning rate (a full run of "
        f"`make lesion-reader` has {ReaderPlan.steps}) |",
        f"| Command | {_command(plan)} |",
        "",
        f"## On {len(fresh)} fresh virtual heads",
        "",
        *_fresh_lines(fresh, factor),
        "",
        "## On real scans",
        "",
        *_real_lines(real, healthy),
        "",
        "## Do not use it for",
        "",
        "Decisions on patients; response assessment; tumor without enhancement; scans after surgery, which no virtual",
        "head imitates; T1 without contrast agent. Vessels, dura and choroid plexus can be outlined, faint and small",
        "tumor can be missed.",
    ]
    return "\n".join(lines) + "\n"


def _fresh_lines(fresh: list[Judged], factor: float) -> list[str]:
    rows = ["| enhancing tumor | heads | median Dice | median outlined mL |", "|---|---|---|---|"]
    for label, low, high in (("none", -1, 0), ("0 to 1 mL", 0, 1), ("1 to 10 mL", 1, 10), ("over 10 mL", 10, 1e9)):
        part = [one for one in fresh if one.true_ml is not None and low < one.true_ml <= high]
        dices = [one.dice for one in part if one.dice is not None]
        outlined = f"{np.median([one.outlined_ml for one in part]):.2f}" if part else "-"
        rows.append(f"| {label} | {len(part)} | {f'{np.median(dices):.2f}' if dices else '-'} | {outlined} |")
    return [
        *rows,
        "",
        "On nine of ten of these heads, (outlined mL + 0.5) and (true mL + 0.5) differ at most by a factor of",
        f"{factor:.2f}. The volume interval of a result is this factor to either side.",
    ]


def _real_lines(real: list[Judged], healthy: list[Judged]) -> list[str]:
    if not real and not healthy:
        return ["Not measured in this run."]
    lines = []
    if real:
        dices = [one.dice for one in real if one.dice is not None]
        inside = [one for one in real if one.interval_ml[0] <= (one.true_ml or 0.0) <= one.interval_ml[1]]
        lines += [
            f"{len(real)} gliomas of BraTS (Menze et al. 2015, Bakas et al. 2017), skull-stripped. They are",
            "not untouched: their look led to the brightness, size and rims of the virtual tumors and to wide",
            "sinuses, and they chose between candidates. Median Dice of enhancing tumor",
            f"{np.median(dices):.2f}; the volume interval holds the true volume in {len(inside)} of {len(real)}.",
            "",
            "| case | true mL | outlined mL | Dice | s for the outline |",
            "|---|---|---|---|---|",
        ]
        for one in real:
            dice = "-" if one.dice is None else f"{one.dice:.2f}"
            lines.append(f"| {one.name} | {one.true_ml:.1f} | {one.outlined_ml:.1f} | {dice} | {one.seconds:.1f} |")
    if healthy:
        lines += ["", "| scan without mask, whole head | outlined mL | s for the outline |", "|---|---|---|"]
        lines += [f"| {one.name} | {one.outlined_ml:.1f} | {one.seconds:.1f} |" for one in healthy]
    return lines


def _judge_real(folder: Path, reader: LesionReader, cache: Path) -> Judged:
    judged, mask_kji = _judge_scan(folder / "t1gd.nii.gz", reader, cache)
    truth = sitk.ReadImage(str(folder / "seg.nii.gz"))
    labels = sitk.GetArrayFromImage(truth)
    # BraTS called enhancing tumor 4 until 2020 and 3 later.
    real = labels == (3 if (labels == 3).any() else 4)
    true_ml = float(real.sum()) * Grid.of(truth).voxel_volume_ml
    return replace(judged, name=folder.name, dice=dice_of(mask_kji, real), true_ml=true_ml)


def _judge_scan(path: Path, reader: LesionReader, cache: Path) -> tuple[Judged, np.ndarray]:
    name = path.name.split(".")[0]
    try:
        result = segment_case(path, reader, CaseOptions(override_quality=True, cache_dir=cache))
    except PCNSLSurvivalError as problem:
        raise SystemExit(f"{name}: {problem}") from problem
    proposal = result.proposal
    print(name, f"{proposal.volume_ml:.2f} mL outlined", flush=True)
    judged = Judged(
        name=name,
        dice=None,
        outlined_ml=proposal.volume_ml,
        true_ml=None,
        seconds=result.seconds[Step.LESION_OUTLINE],
        interval_ml=proposal.interval_ml,
    )
    return judged, sitk.GetArrayFromImage(result.mask) > 0


def _volume_factor(fresh: list[Judged]) -> float:
    """Nine of ten outlined volumes are within this factor of the true ones, half a milliliter added to both."""
    gaps = [abs(np.log((one.outlined_ml + 0.5) / ((one.true_ml or 0.0) + 0.5))) for one in fresh]
    return float(np.exp(np.quantile(gaps, 0.9)))


def _command(plan: ReaderPlan) -> str:
    start = "" if plan.start == ReaderPlan.start else " --init-weights DIR --keep-start SHARE"
    return f"`make_lesion_reader.py --steps {plan.steps}{start}`"


def _trained_on(plan: ReaderPlan) -> str:
    heads = -(-plan.steps // plan.reuse)
    before = "" if plan.start == ReaderPlan.start else f", starting from {plan.start}"
    return f"{heads} virtual heads of {plan.people} virtual people, random in appearance{before}; no scan of a patient"


def _write(folder: Path, network: LesionUNet, plan: ReaderPlan, limits: Limits, factor: float, *, card: str) -> None:
    settings = ReaderSettings(
        name=bundled_reader_path().name,
        version=VERSION,
        widths=network.widths,
        hidden=network.hidden,
        spacing_mm=1.5,
        grid_size=128,
        probability=limits.cut,
        peak_probability=limits.peak,
        volume_factor=round(factor, 3),
        trained_on=_trained_on(plan),
        license="Apache-2.0",
    )
    weights = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    license_text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    write_reader_folder(folder, settings, weights, card=card, license_text=license_text)


def _report(begin: float):
    def show(step: int, loss: float, dice: float) -> None:
        print(f"step {step} loss {loss:.3f} Dice {dice:.3f} after {time.perf_counter() - begin:.0f} s", flush=True)

    return show


if __name__ == "__main__":
    sys.exit(main())
