"""What the user says about one case: the scans' state, where to compute, what to explain and what else to ask.

A new option is a field here. Every command in its ``commands`` then offers it, ``prediction.json`` records it, and
``verify`` repeats it; the panel passes it on once ``choices/parameters.py`` there sets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from PCNSLSurvivalLib.core.options import option, option_of
from PCNSLSurvivalLib.core.terms import OSClass
from PCNSLSurvivalLib.explain.methods import Method
from PCNSLSurvivalLib.inference.runtimes.names import Device, Precision, RuntimeName
from PCNSLSurvivalLib.models.networks.designs import FINER_BLOCKS, MAP_BLOCK, Block
from PCNSLSurvivalLib.preprocessing.scan_state import ScanState

_ONE_SCAN = ("predict", "explain")
_ONE = (*_ONE_SCAN, "demo")
"""Commands that predict one patient."""
_EVERY = (*_ONE, "predict-cohort")
_T1GD_ALONE = ("segment", "regions")
"""Commands that read T1Gd by itself."""
_MAP = "the map"


@dataclass(frozen=True, kw_only=True)
class CaseOptions(ScanState):
    """What the user says about the scans, where to compute, and what to explain."""

    brain_mask: Path | None = option(
        None,
        "brain mask on the T1Gd voxel grid",
        (*_ONE_SCAN, "register", *_T1GD_ALONE),
        heading="preprocessing that has already been done",
    )
    alignment: Path | None = option(
        None,
        "alignment.json of 'register', if other scans were registered with it; the head rotation is then checked",
        ("predict",),
    )
    """The movements that laid other scans over T1Gd, as ``register`` writes them: judged with the scans."""
    compare_t1: Path | None = option(
        None,
        "T1 without contrast agent that the model does not read: only compared with T1Gd, so that swapped scans are "
        "noticed",
        ("predict", "verify"),
        metavar="SCAN",
    )
    prepared: Path | None = option(
        None,
        "JSON of the Slicer module: who prepared the scans, and the scans as loaded; the result records both",
        _ONE_SCAN,
    )
    clinical: Path | None = option(
        None,
        'JSON file with clinical findings, such as {"age_years": 67, "ecog": 2} (entries: docs/result-folder.md); adds '
        "the published IELSG and MSKCC scores to the result",
        ("predict",),
    )
    lesion_mask: Path | None = option(
        None,
        "lesion mask on the T1Gd voxel grid, for the attribution by region and the checks of the explanation",
        (*_ONE_SCAN, "verify"),
    )
    lesion_labels: tuple[int, ...] | None = option(None, "labels of the mask that are lesion", ())
    """Every label but 0 if None; only a table of a cohort tells them."""
    cache_dir: Path | None = option(
        None,
        "cache of the slow preprocessing steps, reused by later runs",
        (*_ONE_SCAN, "register", *_T1GD_ALONE),
        metavar="DIR",
        changes_result=False,
    )
    device: Device = option("auto", "device for inference", (*_EVERY, "verify", "segment"), changes_result=False)
    runtime: RuntimeName = option(
        "auto", "inference runtime: torch or ONNX Runtime", (*_EVERY, "verify"), repeated=False
    )
    precision: Precision = option("float32", "numeric precision; bf16 needs hardware support", _EVERY)
    tta: bool = option(False, "test-time augmentation: average with the left-right mirrored scan", _EVERY)
    segment: bool = option(
        False,
        "also propose an outline of the enhancing tumor; attribution and checks use it if no mask is given",
        _ONE,
    )
    override_quality: bool = option(
        False, "continue despite failed quality checks; the override is recorded", (*_EVERY, *_T1GD_ALONE)
    )
    target: OSClass | None = option(
        None,
        "target class of the map: the predicted class, OS over one year, or OS up to one year",
        ("explain",),
        heading=_MAP,
        choices={"predicted": None, "over": OSClass.OVER_ONE_YEAR, "up-to": OSClass.UP_TO_ONE_YEAR},
    )
    block: Block = option(
        MAP_BLOCK,
        "network block of the map; earlier blocks have a finer resolution",
        ("explain",),
        heading=_MAP,
        choices=(MAP_BLOCK, *FINER_BLOCKS),
    )
    method: Method = option("grad_cam", "Grad-CAM, HiResCAM or LayerCAM", ("explain",), heading=_MAP)
    check_explanation: bool = option(
        False,
        "test the explanation: randomized weights, deletion and insertion, repeatability, members, lesion",
        ("explain",),
        heading=_MAP,
        flag="--check",
        repeated=False,
    )
    without_lesion: bool = option(
        False,
        "predict again with the lesion (or another region given as a mask) filled from its surroundings, and with a "
        "control region of equal size",
        ("explain",),
        heading=_MAP,
        repeated=False,
    )
    robustness: bool = option(
        False,
        "predict about 45 disturbed copies: shading, noise, a turned head, other brain outlines; reports the range of "
        "the probability and where the class changes",
        ("explain",),
        heading=_MAP,
        repeated=False,
    )
    other_brain_mask: Path | None = option(
        None,
        "brain mask of another program on the T1Gd voxel grid, for --robustness",
        ("explain",),
        heading=_MAP,
    )

    def deciding(self) -> dict[str, Any]:
        """The options that can change the result, by name; a new option counts unless its field says otherwise."""
        return {one.name: getattr(self, one.name) for one in fields(self) if option_of(one).changes_result}

    def record(self) -> dict[str, Any]:
        """What a result keeps of the options that decide it, as plain JSON values; no paths."""
        kept = {name: value for name, value in self.deciding().items() if name not in FILES}
        return kept | {"target": None if self.target is None else self.target.key}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> CaseOptions:
        """What ``record`` made; an option that is not there, or not known, is as by default.

        The values are not checked: a file may hold anything.
        """
        told = {name: record[name] for name in CaseOptions().record() if name in record}
        if "target" in told:
            told["target"] = next((each for each in OSClass if each.key == told["target"]), told["target"])
        return cls(**told)

    def repeated(self) -> dict[str, Any]:
        """The options, by name, that a second run on the same scans must share."""
        kept = {one.name for one in fields(self) if option_of(one).repeated}
        return {name: value for name, value in self.deciding().items() if name in kept - FILES}


FILES = frozenset(name for name, kind in get_type_hints(CaseOptions).items() if Path in get_args(kind))
"""The options that name a file or folder."""
