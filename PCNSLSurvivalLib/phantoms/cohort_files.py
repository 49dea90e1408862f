"""Make a cohort on disk: patient by patient, each whole or not at all, going on where an earlier run stopped."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import SimpleITK as sitk

from PCNSLSurvivalLib.core.errors import OutputFolderError
from PCNSLSurvivalLib.core.messages import Message
from PCNSLSurvivalLib.core.storage.files import claim_folder, whole_folder, write_whole_text
from PCNSLSurvivalLib.core.storage.leftovers import clear_leftovers
from PCNSLSurvivalLib.core.storage.strict_json import read_own_json
from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.phantoms.anatomy.template import brain_template
from PCNSLSurvivalLib.phantoms.cohort import CohortPatient, CohortPlan, draw_cohort
from PCNSLSurvivalLib.phantoms.contact_sheet import write_contact_sheet, write_preview
from PCNSLSurvivalLib.phantoms.layouts import LAYOUTS
from PCNSLSurvivalLib.phantoms.layouts.layout import Layout, clinical_row, write_table
from PCNSLSurvivalLib.phantoms.patient import VirtualPatient
from PCNSLSurvivalLib.phantoms.scanner.dicom import write_dicom_series
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES
from PCNSLSurvivalLib.phantoms.survival_model import survival_model
from PCNSLSurvivalLib.phantoms.truth import write_truth
from PCNSLSurvivalLib.phantoms.virtual_marker import COHORT_FILE, MADE_BY

_VERSION = 1


@dataclass(frozen=True)
class CohortSummary:
    """What a run made.

    Attributes:
        made: Patients made by this run.
        found: Patients that an earlier run had finished.
        over_one_year, up_to_one_year, without_class: Counts of the OS classes.
        oracle_auc: Best achievable AUC for OS > 1 year, all variables known.
        oracle_image_auc: The same from the scan alone.
        oracle_volume_auc: The same from the true volume of all lesions alone.
    """

    made: int
    found: int
    over_one_year: int
    up_to_one_year: int
    without_class: int
    oracle_auc: float
    oracle_image_auc: float
    oracle_volume_auc: float


def make_cohort(
    plan: CohortPlan,
    out: Path,
    *,
    layout: str = "bids",
    sequences: tuple[MRSequence, ...] = VIRTUAL_SEQUENCES,
    stripped: bool = False,
    dicom: bool = False,
    jobs: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CohortSummary:
    """Make all patients of a cohort that are not there yet, and its tables.

    Besides the layout's own files the folder gets ``cohort.json`` (the plan, the survival model and its best
    achievable AUC), ``patients_truth.csv`` (every drawn value), ``contact_sheet.png`` (the first twenty patients), and
    a truth folder for each patient.

    Args:
        plan: The cohort.
        out: Its folder; one that holds the same cohort already is completed.
        layout: "bids", "table", "brats2020" or "ucsf-pcnsl"; the last two hold registered, stripped volumes.
        sequences: Which sequences are made, T1Gd among them.
        stripped: Brains without skull and shading on the grids of the scans; the plain table alone can say so.
        dicom: Write each scan as a DICOM series too, under ``dicom/``; for layouts with whole heads.
        jobs: Patients made at the same time, each in its own process (about 1.2 GB each).
        progress: Called with the number of finished patients and of all.

    Returns:
        What was made, and the class balance.

    Raises:
        OutputFolderError: ``out`` holds something else, or cannot be written.
        MissingFilesError: The tissue maps are not installed.
        ValueError: The plan is impossible, or ``dicom``, ``stripped`` or several sites do not go with the layout.
    """
    if MRSequence.T1GD not in sequences:
        raise ValueError("T1Gd must be among the sequences: the true masks lie on its voxels.")
    if stripped and layout != "table":
        raise ValueError(f"The {layout} layout has no place to say that its scans are stripped. Use the table.")
    place = LAYOUTS[layout](out, sequences, stripped)
    if plan.sites > 1 and not place.whole_heads:
        raise ValueError(f"The {layout} layout has no column for the site. Use bids or the table.")
    if dicom and (stripped or not place.whole_heads):
        raise ValueError(f"The {layout} layout holds processed volumes, which never were DICOM.")
    brain_template()
    members = draw_cohort(plan)
    _claim_folder(place, plan, layout)
    place.write_tables(plan, members)
    write_table(out / "patients_truth.csv", [_truth_row(place, member) for member in members])
    waiting = [member for member in members if not place.folder(member).is_dir()]
    found = len(members) - len(waiting)
    progress(found, len(members))
    _make_all(
        partial(make_member, place, dicom=dicom), waiting, jobs, lambda done: progress(found + done, len(members))
    )
    write_contact_sheet([place.truth_folder(m) / "preview.png" for m in members[:20]], out / "contact_sheet.png")
    labels = [over_one_year(member) for member in members]
    model = survival_model(plan.kind, plan.oracle_auc)
    return CohortSummary(
        made=len(waiting),
        found=found,
        over_one_year=labels.count(True),
        up_to_one_year=labels.count(False),
        without_class=labels.count(None),
        oracle_auc=model.oracle_auc,
        oracle_image_auc=model.oracle_image_auc,
        oracle_volume_auc=model.oracle_volume_auc,
    )


def make_member(place: Layout, member: CohortPatient, *, dicom: bool = False) -> None:
    """Make one patient; its scan folder appears last, so that a folder that is there is complete."""
    patient = place.make(member)
    with whole_folder(place.truth_folder(member), overwrite=True) as staging:
        write_truth(patient, staging)
        write_preview(patient, staging / "preview.png")
    if dicom:
        with whole_folder(place.out / "dicom" / place.name(member), overwrite=True) as staging:
            _write_dicom(place.name(member), patient, staging)
    with whole_folder(place.folder(member), overwrite=True) as staging:
        place.write_scans(member, patient, staging)


def over_one_year(member: CohortPatient) -> bool | None:
    """OS class of a patient as a registry knows it; None when censored within the first year."""
    outcome = member.outcome
    if outcome.os_days > 365:
        return True
    return False if outcome.death_observed else None


def _make_all(
    make: Callable[[CohortPatient], None],
    waiting: list[CohortPatient],
    jobs: int,
    progress: Callable[[int], None],
) -> None:
    if jobs == 1:
        for done, member in enumerate(waiting, start=1):
            make(member)
            progress(done)
        return
    # Fresh processes, not forks: a fork of a process with running ITK threads can hang.
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_share_cores, initargs=(threads,)) as pool:
        running = [pool.submit(make, member) for member in waiting]
        try:
            for done, finished in enumerate(as_completed(running), start=1):
                finished.result()
                progress(done)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _share_cores(threads: int) -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)


def _claim_folder(place: Layout, plan: CohortPlan, layout: str) -> None:
    """Write ``cohort.json``, or check that the folder holds this very cohort."""
    model = survival_model(plan.kind, plan.oracle_auc)
    about = {
        "made_by": MADE_BY,
        "version": _VERSION,
        "layout": layout,
        "seed": plan.seed,
        "kind": str(plan.kind),
        "grid": plan.grid,
        "sequences": [str(sequence) for sequence in place.sequences],
        "stripped": place.stripped,
        "best_auc_asked": plan.oracle_auc,
        "survival_model": asdict(model),
    }
    if plan.sites > 1:
        about |= {"sites": plan.sites, "confounding": plan.confounding}
    out = place.out
    path = out / COHORT_FILE
    if path.is_file():
        try:
            held = read_own_json(path)
        except (OSError, ValueError) as problem:
            raise OutputFolderError(Message("phantom.other_cohort")) from problem
        held.pop("patients", None)
        if held != about:
            raise OutputFolderError(Message("phantom.other_cohort"))
    claim_folder(out, is_ours=path.is_file())
    for folder in {left_over.parent for kind in ("previous", "partial") for left_over in out.rglob(f".*.{kind}")}:
        clear_leftovers(folder)
    write_whole_text(path, json.dumps(about | {"patients": plan.patients}, indent=2) + "\n")


def _truth_row(place: Layout, member: CohortPatient) -> dict[str, object]:
    outcome, anatomy = member.outcome, member.anatomy
    return {
        "patient_id": place.name(member),
        "seed": member.seed,
        **asdict(member.features),
        **clinical_row(member),
        "true_os_days": outcome.true_os_days,
        "risk": round(outcome.risk, 6),
        "probability_over_one_year": round(outcome.probability_over_one_year, 6),
        "head_size": round(sum(anatomy.size) / 3, 4),
        "ventricle_shift_mm": round(anatomy.ventricle_shift_mm, 3),
        "atrophy": round(anatomy.atrophy, 3),
    }


def _write_dicom(name: str, patient: VirtualPatient, staging: Path) -> None:
    for sequence, image in patient.scans.items():
        write_dicom_series(
            image,
            staging / sequence.label,
            patient_id=name,
            sequence=sequence,
            protocol=patient.protocol.sequences[sequence],
        )
