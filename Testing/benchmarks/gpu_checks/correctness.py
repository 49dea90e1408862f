"""CUDA against the CPU: prediction, map, evidence, lesion reader, bf16, and what happens without memory."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import SimpleITK as sitk
import torch

from gpu_checks.section import Bench, Section
from gpu_checks.settings import fold_of, paper_settings, processes_on
from PCNSLSurvivalLib import load_model
from PCNSLSurvivalLib.cohorts.prepared_cohort import PreparedExam, read_prepared_cohort
from PCNSLSurvivalLib.core.errors import TrainingError
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.inference.lesion_reader import LesionReader
from PCNSLSurvivalLib.inference.network import NetworkError, NetworkResult, SurvivalNetwork
from PCNSLSurvivalLib.inference.runtimes.automatic_device import torch_difference
from PCNSLSurvivalLib.models.lesion_reader_folder import read_reader_folder
from PCNSLSurvivalLib.models.model_folder import ModelFolder, read_model_folder
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.untrained import write_untrained_model
from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, NetworkGridStep
from PCNSLSurvivalLib.preprocessing.steps.resampling import to_network
from PCNSLSurvivalLib.training.job import NetworkJob, run_job

PROBABILITY, BF16, OF_LARGEST, READER = 1e-4, 0.01, 1e-3, 1e-3
"""Largest differences: of a probability in float32 and in bf16; of a map or evidence, as a share of its largest value;
of the lesion reader's probability in any voxel."""


def run(bench: Bench, section: Section) -> None:
    """All comparisons, the bundled model first."""
    exams = read_prepared_cohort(bench.patients).exams[:: 1 if bench.small else 4][: 1 if bench.small else 4]
    section.note("patients compared", len(exams))
    section.check("stored answer, log-odds", torch_difference(bench.device), 1e-4)
    if not bench.small:
        _model(bench, section, "bundled model", load_model(), exams, finer=True)
    _reader(bench, section, exams[:2])
    size = 32 if bench.small else 128
    recipe = replace(RECIPE, network_grid=NetworkGridStep(size=(size,) * 3, spacing_mm=(192 / size,) * 3))
    untrained = []
    for depth in (10,) if bench.small else (10, 50):
        architecture = ResNetArchitecture(depth=depth, widen_factor=0.125 if bench.small else 1.0)
        folder = bench.work / f"untrained_{depth}"
        write_untrained_model(folder, architecture=architecture, recipe=recipe)
        untrained.append(read_model_folder(folder))
    if bench.device == "cuda":
        _memory(section, load_model(), exams[0], "bundled model")
        _memory_in_training(bench, section)
    else:
        section.note("memory", "not run: needs CUDA")
    for model in untrained:
        _model(bench, section, f"untrained {model.architecture.name}", model, exams[:1], finer=bench.small)
    if bench.device == "cuda":
        _memory(section, untrained[-1], exams[0], "untrained ResNet-50")


def _model(
    bench: Bench, section: Section, name: str, model: ModelFolder, exams: tuple[PreparedExam, ...], *, finer: bool
) -> None:
    cases = [exam.network_input(model.sequences, model.recipe.network_grid) for exam in exams]
    reference, here = SurvivalNetwork(model, "cpu"), SurvivalNetwork(model, bench.device)
    here.predict(cases[0])  # loads the kernels
    expected, seconds = _all(reference, cases)
    found, seconds_here = _all(here, cases)
    section.note(f"{name}, seconds per case", {"cpu": min(seconds), bench.device: min(seconds_here)})
    _compare(section, f"{name}, float32", expected, found, PROBABILITY, OF_LARGEST)
    section.check(f"{name}, other device than asked for", sum(one.device != bench.device for one in found), 0)
    automatic = SurvivalNetwork(model).predict(cases[0])
    section.check(f"{name}, auto takes another device", int(automatic.device != bench.device), 0)
    if finer:
        block = "layer2"
        pair = [[network.predict(case, block=block) for case in cases[:2]] for network in (reference, here)]
        _compare(section, f"{name}, map of {block}", *pair, PROBABILITY, OF_LARGEST)
    try:
        half = SurvivalNetwork(model, bench.device, precision="bf16")
    except NetworkError as problem:
        section.note(f"{name}, bf16", f"not run: {problem}")
        return
    half.predict(cases[0])
    rounded, seconds_half = _all(half, cases)
    section.note(f"{name}, bf16, seconds per case", min(seconds_half))
    # Random weights answer with large numbers of either sign, whose rounding says nothing of a trained network.
    _compare(section, f"{name}, bf16", expected, rounded, BF16 if model.path == load_model().path else None, None)


def _all(network: SurvivalNetwork, cases: list[np.ndarray]) -> tuple[list[NetworkResult], list[float]]:
    results, seconds = [], []
    for case in cases:
        begin = time.perf_counter()
        results.append(network.predict(case))
        seconds.append(time.perf_counter() - begin)
    return results, seconds


def _compare(
    section: Section,
    name: str,
    expected: list[NetworkResult],
    found: list[NetworkResult],
    probability: float | None,
    of_largest: float | None,
) -> None:
    """Hold probability, map and evidence against their limits; what has none is noted."""
    pairs = list(zip(expected, found, strict=True))
    gap = max(abs(a.probability_over_one_year - b.probability_over_one_year) for a, b in pairs)
    if probability is None:
        section.note(f"{name}, probability, largest difference", gap)
    else:
        section.check(f"{name}, probability", gap, probability)
    section.note(f"{name}, log-odds, largest difference", max(abs(a.log_odds - b.log_odds) for a, b in pairs))
    maps = max(_of_largest(getattr(a, part), getattr(b, part)) for a, b in pairs for part in ("raw_map", "other_map"))
    evidence = max(_of_largest(a.evidence, b.evidence) for a, b in pairs)
    for part, value in (("map", maps), ("evidence", evidence)):
        if of_largest is None:
            section.note(f"{name}, {part}, difference over its largest value", value)
        else:
            section.check(f"{name}, {part}, difference over its largest value", value, of_largest)


def _of_largest(expected: np.ndarray, found: np.ndarray) -> float:
    largest = float(np.abs(expected).max())
    gap = float(np.abs(expected - found).max())
    return gap / largest if largest else gap


def _reader(bench: Bench, section: Section, exams: tuple[PreparedExam, ...]) -> None:
    folder = read_reader_folder()
    settings = folder.settings
    step = NetworkGridStep(size=(settings.grid_size,) * 3, spacing_mm=(settings.spacing_mm,) * 3)
    reference, here = LesionReader(folder, device="cpu"), LesionReader(folder, device=bench.device)
    gaps, outlined = [], []
    for exam in exams:
        image = exam.network_input((MRSequence.T1GD,), step)[0]
        brain = to_network(sitk.Cast(exam.brain_mask(), sitk.sitkFloat32), exam.network_block(step)).clip(0, 1)
        a, b = (reader.probability(image, brain) for reader in (reference, here))
        gaps.append(float(np.abs(a - b).max()))
        outlined.append(int(((a >= settings.probability) != (b >= settings.probability)).sum()))
    section.check("lesion reader, probability in any voxel", max(gaps), READER)
    section.note("lesion reader, voxels outlined otherwise", outlined)


def _memory(section: Section, model: ModelFolder, exam: PreparedExam, name: str) -> None:
    """A GPU without memory: for the cells of a case, and for the weights themselves."""
    case = exam.network_input(model.sequences, model.recipe.network_grid)
    expected = SurvivalNetwork(model, "cpu").predict(case)
    network = SurvivalNetwork(model, "cuda")
    with _memory_left(4):
        ended = [network.predict(case)]
    with _memory_left(0):
        ended.append(SurvivalNetwork(model, "cuda").predict(case))
    for when, result in zip(("for a case", "for the weights"), ended, strict=True):
        said = [note.code for note in result.notes] == ["runtime.memory_short"]
        section.check(
            f"{name}, no memory {when}: not told, or not on the CPU", int(not said or result.device != "cpu"), 0
        )
        gap = abs(result.log_odds - expected.log_odds)
        section.check(f"{name}, no memory {when}: log-odds", gap, 1e-5)
    section.note(f"{name}, sentence", str(ended[0].notes[0]) if ended[0].notes else "")


def _memory_in_training(bench: Bench, section: Section) -> None:
    cohort = read_prepared_cohort(bench.patients)
    job = NetworkJob(
        arm="no_memory", fold=fold_of(cohort), sequences=(MRSequence.T1GD,), settings=paper_settings(small=bench.small)
    )
    said = "no error"
    with _memory_left(400):
        try:
            run_job(cohort, job, bench.work / "no_memory", processes=processes_on(bench.device))
        except TrainingError as problem:
            said = str(problem)
    section.check("training without memory: not told in a sentence", int("memory of the GPU is full" not in said), 0)
    section.note("training without memory, sentence", said)


@contextmanager
def _memory_left(mebibytes: int) -> Iterator[None]:
    """Let this process have no more memory of the GPU than it has, and a little."""
    gc.collect()
    torch.cuda.empty_cache()
    allowed = torch.cuda.memory_reserved() + mebibytes * 2**20
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.get_device_properties(0).total_memory)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        gc.collect()
        torch.cuda.empty_cache()
