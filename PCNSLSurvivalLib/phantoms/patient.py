"""A virtual patient: a person, a disease and an exam, with every truth kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import SimpleITK as sitk

from PCNSLSurvivalLib.core.terms import MRSequence
from PCNSLSurvivalLib.imaging.geometry import Grid
from PCNSLSurvivalLib.phantoms.anatomy.head import Head, build_head
from PCNSLSurvivalLib.phantoms.anatomy.individual import PatientAnatomy, draw_anatomy
from PCNSLSurvivalLib.phantoms.disease.lesions import Lesion, LesionPlan
from PCNSLSurvivalLib.phantoms.scanner.acquisition import VirtualScan, acquire
from PCNSLSurvivalLib.phantoms.scanner.protocol import VIRTUAL_SEQUENCES, Protocol, draw_clinical_protocol

REFERENCE_SEED = 5


@dataclass(frozen=True)
class VirtualPatient:
    """A patient that never lived; nothing about it is unknown.

    Attributes:
        anatomy, plan, protocol: The values the patient was made from.
        head: Tissue fractions in the head frame.
        acquisitions: Scans with their truths, by sequence.
    """

    anatomy: PatientAnatomy
    plan: LesionPlan
    protocol: Protocol
    head: Head
    acquisitions: dict[MRSequence, VirtualScan]

    @cached_property
    def scans(self) -> dict[MRSequence, sitk.Image]:
        """The images, ``int16``, each on its own grid."""
        return {sequence: scan.image for sequence, scan in self.acquisitions.items()}

    @cached_property
    def brain_masks(self) -> dict[MRSequence, sitk.Image]:
        """True brain masks, ``uint8``, on the grids of the scans."""
        return {sequence: scan.brain_mask for sequence, scan in self.acquisitions.items()}

    @cached_property
    def lesion_masks(self) -> dict[MRSequence, sitk.Image]:
        """True tumor masks (without edema), ``uint8``, on the grids of the scans."""
        return {sequence: scan.lesion_mask for sequence, scan in self.acquisitions.items()}

    @cached_property
    def bias_fields(self) -> dict[MRSequence, sitk.Image]:
        """Fields that multiplied the ideal signal, ``float32``, on the grids of the scans."""
        return {sequence: scan.bias_field for sequence, scan in self.acquisitions.items()}

    @cached_property
    def poses(self) -> dict[MRSequence, sitk.Euler3DTransform]:
        """Transforms from LPS points of each scan to LPS points of the head frame."""
        return {sequence: scan.pose for sequence, scan in self.acquisitions.items()}

    def true_transform(self, fixed: MRSequence, moving: MRSequence) -> sitk.Transform:
        """The transform from LPS points of one scan to LPS points of another, as a registration should find it."""
        return sitk.CompositeTransform([self.poses[moving].GetInverse(), self.poses[fixed]])


def scan_patient(
    anatomy: PatientAnatomy,
    plan: LesionPlan,
    protocol: Protocol,
    *,
    sequences: tuple[MRSequence, ...] = VIRTUAL_SEQUENCES,
    brain_only: bool = False,
    on: Grid | None = None,
) -> VirtualPatient:
    """Build the head of a patient and acquire the sequences asked for.

    Args:
        anatomy, plan, protocol: Who, what disease, how scanned.
        sequences: Which sequences of the protocol to acquire.
        brain_only: Leave out everything around the brain.
        on: One grid for all sequences, instead of those the protocol plans.
    """
    head = build_head(anatomy, plan, brain_only=brain_only)
    acquisitions = {
        sequence: acquire(head, sequence, protocol.sequences[sequence], seed=protocol.seed, on=on)
        for sequence in sequences
    }
    return VirtualPatient(anatomy, plan, protocol, head, acquisitions)


def reference_patient(
    seed: int = REFERENCE_SEED, *, sequences: tuple[MRSequence, ...] = VIRTUAL_SEQUENCES
) -> VirtualPatient:
    """One solid periventricular lymphoma of 13 mL in the right frontal lobe: tests and benchmarks measure on it.

    Args:
        seed: Another seed gives another head, pose, shading and noise around the same kind of lesion.
        sequences: Which sequences to acquire.
    """
    lesion = Lesion(
        center_lps_mm=(-22.0, -22.0, 20.0),
        volume_ml=13.0,
        boundary_mm=2.0,
        elongation=(0.9, 1.2, 1.0),
    )
    plan = LesionPlan(seed=seed, lesions=(lesion,))
    return scan_patient(draw_anatomy(seed, age_years=61.0), plan, draw_clinical_protocol(seed), sequences=sequences)
