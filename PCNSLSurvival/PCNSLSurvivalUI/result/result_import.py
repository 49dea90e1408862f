"""From the folder that the prediction left to nodes in the scene, piece by piece."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCNSLSurvivalLib.core.terms import BESIDE_T1GD
from PCNSLSurvivalUI.result.lesion import placeProposal, replaceProposal
from PCNSLSurvivalUI.result.map_display import EVIDENCE_KIND, labelOf
from PCNSLSurvivalUI.result.profile import axialProfile
from PCNSLSurvivalUI.result.repair import isRepair
from PCNSLSurvivalUI.result.slice_axis import SliceAxis
from PCNSLSurvivalUI.scene.kept_views import oneRender
from PCNSLSurvivalUI.scene.output_nodes import (
    ALIGNED,
    CORRECTED,
    EVIDENCE,
    EVIDENCE_MAP,
    HATCHED,
    INPUT,
    MASK,
    PROPOSAL,
    REPORT,
    T1GD,
    TRANSFORM,
    SceneOutputs,
    classOf,
    mapRole,
)
from PCNSLSurvivalUI.scene.volume_files import newHidden, readVolume, removeNode


def importResult(folder: Path, outputs: SceneOutputs, t1gd: Any, parameters: Any) -> Generator[None, None, list[Any]]:
    """Bring a result into the scene; a generator for ``InPieces``.

    Nothing shows before everything is read; if it is stopped before, the scene is as it was.

    Args:
        folder: What the command line wrote, with the worker's ``scene`` folder.
        outputs: Where the nodes go.
        t1gd: The T1Gd of this run; None when it is gone.
        parameters: The panel's choices; gets the result.

    Returns:
        Nodes of the result before, which the caller removes.
    """
    result = json.loads((folder / "prediction.json").read_text(encoding="utf-8"))
    scene = folder / "scene"
    made: dict[str, Any] = {}
    names: dict[str, str] = {}
    try:
        for role, file, name, window in _volumes(result):
            if not (scene / f"{file}.npy").is_file():
                continue
            # The user chose, and perhaps repaired, the mask of an earlier run: it is this run's as well, and stays.
            if role == MASK and parameters.brainMask is not None and parameters.brainMask is outputs.node(MASK):
                continue
            kind = "vtkMRMLLabelMapVolumeNode" if role in (MASK, PROPOSAL) else "vtkMRMLScalarVolumeNode"
            node = made[role] = newHidden(kind, file)
            names[role] = name
            if window is not None:
                node.CreateDefaultDisplayNodes()
                # Before the image arrives: window and level are not worth a histogram of the whole volume.
                node.GetDisplayNode().AutoWindowLevelOff()
                node.GetDisplayNode().SetWindowLevelMinMax(*window)
            yield from readVolume(scene, file, node)
        if CORRECTED in made:
            _showAs(made[CORRECTED], t1gd)
        for entry in _maps(result):
            explained = classOf(entry["explains"])
            _multiply(made[mapRole(explained, cells=True)], 1.0 / (float(entry.get("scale") or 0.0) or 1.0))
        _multiply(made[EVIDENCE], 100.0 / _volumeMl(made[EVIDENCE]))
        yield
        yield from _addProfiles(result, scene, made)
        made[REPORT], names[REPORT] = newHidden("vtkMRMLTextNode", "report"), _("Report (HTML)")
        made[REPORT].SetText((folder / "report.html").read_text(encoding="utf-8"))
        yield
        with oneRender():  # until here the user could scroll; the caller goes on without a drawing in between
            replaceProposal(outputs, parameters)
            if PROPOSAL in made:
                placeProposal(outputs, made[PROPOSAL], t1gd)
                removeNode(made.pop(PROPOSAL))  # the segmentation stands for it
            gone = {CORRECTED, INPUT, *outputs.roles(HATCHED), *made}
            if t1gd is None or outputs.node(T1GD) is not t1gd:
                gone |= _ofOtherT1Gd(outputs)
            earlier = [outputs.letGo(role) for role in gone]
            for role, node in list(made.items()):
                kept = role not in (CORRECTED, INPUT) or parameters.keepIntermediate
                outputs.place(role, node, names[role], t1gd, kept=kept)
                del made[role]
            if parameters.mapKind != EVIDENCE_KIND:
                parameters.mapKind = ""  # a new patient is shown the predicted class first
            parameters.result = json.dumps(_forTheScene(result))
        return [node for node in earlier if node is not None]
    finally:
        for node in made.values():
            removeNode(node)


def _ofOtherT1Gd(outputs: SceneOutputs) -> set[str]:
    """Roles of the scans that lie on the T1Gd of the result before; nothing of it is under repair."""
    for sequence in BESIDE_T1GD:
        aligned = outputs.node(ALIGNED + sequence)
        if aligned is not None and isRepair(aligned):  # by hand as well
            outputs.release(ALIGNED + sequence)
            if outputs.node(TRANSFORM + sequence) is not None:
                outputs.release(TRANSFORM + sequence)
    return {role for start in (ALIGNED, TRANSFORM) for role in outputs.roles(start)}


def _volumes(result: dict[str, Any]) -> list[tuple[str, str, str, tuple[float, float] | None]]:
    """Role, file, name and window of every volume; what the worker did not write is passed over.

    Names of maps have at most 24 letters: Slicer's data probe shows no more of them beside the value.
    """
    volumes: list[tuple[str, str, str, tuple[float, float] | None]] = []
    for entry, ending in zip(_maps(result), ("", "_other_class"), strict=False):
        explained, share = classOf(entry["explains"]), (0.0, 1.0)
        label = labelOf(explained).replace("≤", "<=")  # the font of Slicer's slice annotations lacks the sign
        smooth, cells = _("Grad-CAM {name}"), _("CAM cells {name}")
        volumes += [
            (mapRole(explained, cells=False), f"activation_map{ending}", smooth.format(name=label), share),
            (mapRole(explained, cells=True), f"activation_cells{ending}", cells.format(name=label), share),
        ]
    return [
        *volumes,
        (EVIDENCE_MAP, "evidence_map", _("Evidence, log-odds/100mL"), (-1.0, 1.0)),
        (EVIDENCE, "evidence_cells", _("Cells, log-odds/100mL"), (-1.0, 1.0)),
        (MASK, "brain_mask", _("Brain mask"), None),
        (PROPOSAL, "lesion_proposal", "", None),
        (CORRECTED, "t1gd_corrected", _("T1Gd without bias field"), (0.0, 1.0)),
        (INPUT, "t1gd_preprocessed", _("Preprocessed T1Gd (network input)"), (-3.0, 5.0)),
    ]


def _maps(result: dict[str, Any]) -> list[dict[str, Any]]:
    """What the result says of the map of the explained class, and of that of the other class."""
    return [result[key] for key in ("activation_map", "activation_map_other_class") if key in result]


def _multiply(node: Any, factor: float) -> None:
    """Cells come in logits or log-odds; they are shown in the unit of the legend."""
    array = slicer.util.arrayFromVolume(node)
    array *= np.float32(factor)
    slicer.util.arrayFromVolumeModified(node)


def _volumeMl(node: Any) -> float:
    return float(np.prod(node.GetSpacing())) / 1000.0


def _showAs(node: Any, t1gd: Any) -> None:
    """Give a volume the gray window of the T1Gd it was made from."""
    display = t1gd.GetDisplayNode() if t1gd is not None else None
    if display is not None:
        node.GetDisplayNode().SetWindowLevelMinMax(display.GetWindowLevelMin(), display.GetWindowLevelMax())


def _addProfiles(result: dict[str, Any], scene: Path, made: dict[str, Any]) -> Iterator[None]:
    """Activation along the axial slices of T1Gd, for every kind of map."""
    profiles: dict[str, Any] = {}
    axis = SliceAxis()
    entries = zip(_maps(result), ("", "_other_class"), strict=False)
    files = {classOf(entry["explains"]): f"activation_map{ending}" for entry, ending in entries}
    for kind, file in {**files, EVIDENCE_KIND: "evidence_map"}.items():
        stored = np.load(scene / f"{file}.npy", mmap_mode="r")
        place = json.loads((scene / f"{file}.json").read_text(encoding="utf-8"))
        affine = np.array(place["affine_ras"])
        axis = SliceAxis.of(affine, stored.shape)
        for profile in axialProfile(stored, affine, axis, signed=kind == EVIDENCE_KIND):
            profiles[kind] = profile
            yield
    result["profiles"], result["profile_axis"] = profiles, asdict(axis)


def _forTheScene(result: dict[str, Any]) -> dict[str, Any]:
    """What the panel shows again when a saved scene is opened; the recipe's figures stand in the report."""
    kept = dict(result)
    preprocessing = dict(kept.get("preprocessing", {}))
    preprocessing.pop("recipe", None)
    kept["preprocessing"] = preprocessing
    return kept
