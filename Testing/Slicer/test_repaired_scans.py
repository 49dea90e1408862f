"""Which T1Gd a repaired brain mask belongs to, and which scan a repaired alignment."""

from __future__ import annotations

import numpy as np
import pytest
from made_scenes import add_head, outputs_of

from PCNSLSurvivalLib.core.messages import Message


@pytest.fixture
def outputs(standin):
    """Outputs of a parameter node without any panel."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import SceneOutputs

    return SceneOutputs(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode"))


def _repaired_mask(outputs, t1gd, first_slice):
    """Repair the brain mask of a T1Gd: every voxel from one slice on."""
    import slicer
    from PCNSLSurvivalUI.result import repair
    from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD

    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    values = np.zeros(slicer.util.arrayFromVolume(t1gd).shape, np.uint8)
    values[first_slice:] = 1
    slicer.util.updateVolumeFromArray(mask, values)
    mask.CopyOrientation(t1gd)
    outputs.refer(T1GD, t1gd)
    outputs.place(MASK, mask, "Brain mask", t1gd)
    repair.startMask(outputs)
    repaired = repair.finishMask(outputs)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(repaired), values)
    return repaired


def test_every_t1gd_keeps_its_own_repaired_mask(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor

    voxels = np.ones((8, 10, 12), np.int16)
    first, second, third = (
        slicer.util.addVolumeFromArray(voxels + number, name=f"T1 Gd of {name}") for number, name in enumerate("ABC")
    )
    of_first = _repaired_mask(outputs, first, 3)
    voxels = slicer.util.arrayFromVolume(of_first).copy()
    of_second = _repaired_mask(outputs, second, 5)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(of_first), voxels)
    assert brainMaskFor(outputs, of_second, first) is of_first
    assert brainMaskFor(outputs, of_first, second) is of_second
    assert brainMaskFor(outputs, of_second, third) is None
    assert [of.GetName() for of in (of_first, of_second)] == [f"Brain mask of T1 Gd of {n}, repaired" for n in "AB"]
    assert _repaired_mask(outputs, first, 4) is of_first, "one for each T1Gd: the selector keeps its node"
    assert brainMaskFor(outputs, None, second) is of_second
    slicer.mrmlScene.RemoveNode(first)
    assert brainMaskFor(outputs, of_first, third) is None, "the mask of a T1Gd that is gone is no mask for all"


def test_a_repaired_mask_is_known_again_when_its_t1gd_is_loaded_once_more(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor, whyNotFor

    t1gd = add_head("T1 Gd of A")
    mask = _repaired_mask(outputs, t1gd, 3)
    again = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, t1gd, "T1 Gd of A")
    slicer.mrmlScene.RemoveNode(t1gd)
    assert whyNotFor(outputs, mask, again) == ""
    slicer.util.arrayFromVolume(again)[3, 3, 3] += 1
    assert "repaired for another T1Gd" in whyNotFor(outputs, mask, again)
    bend = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    again.SetAndObserveTransformNodeID(bend.GetID())
    assert brainMaskFor(outputs, mask, again) is None, "and the panel goes on"


def test_a_large_scan_is_known_by_some_of_its_slices(outputs, monkeypatch):
    import slicer
    from PCNSLSurvivalUI.result import repair

    voxels, read = np.arange(20 * 330 * 330, dtype=np.int32).reshape(20, 330, 330), []  # more than are hashed
    t1gd = slicer.util.addVolumeFromArray(voxels)
    mask = _repaired_mask(outputs, t1gd, 3)
    again = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, t1gd, "T1 Gd")
    own = slicer.util.arrayFromVolume
    monkeypatch.setattr(slicer.util, "arrayFromVolume", lambda volume: read.append(volume) or own(volume))
    assert repair.isRepairedFor(mask, again)
    again.SetOrigin(0.0, 0.0, 1.0)
    assert not repair.isRepairedFor(mask, again)
    assert read == [again], "its place is looked at first"
    again.SetOrigin(0.0, 0.0, 0.0)
    own(again)[::2] += 1
    assert not repair.isRepairedFor(mask, again)


def test_a_repair_stays_with_its_t1gd_when_its_scene_is_added_to_another(outputs):
    """Both scenes name their first volume alike; Slicer renames the volumes of the one that is added."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor
    from PCNSLSurvivalUI.result.repair import REPAIRED_MASK, markRepaired, repairedAlignments
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, SceneOutputs

    from PCNSLSurvivalLib.core.terms import MRSequence

    def add(name, kind="vtkMRMLScalarVolumeNode"):
        return slicer.mrmlScene.AddNewNodeByClass(kind, name)

    t1gd, t2, aligned = add("T1 Gd of A"), add("T2 of A"), add("T2 of A aligned")
    mask = add("mask of A", "vtkMRMLLabelMapVolumeNode")
    markRepaired(aligned, ALIGNED + MRSequence.T2, t1gd, t2)
    markRepaired(mask, REPAIRED_MASK, t1gd)
    first_id = t1gd.GetID()
    slicer.mrmlScene.SetSaveToXMLString(1)
    slicer.mrmlScene.Commit()
    saved = slicer.mrmlScene.GetSceneXMLString()
    slicer.mrmlScene.SetSaveToXMLString(0)
    slicer.mrmlScene.Clear(0)

    mine = {MRSequence.T1GD: add("T1 Gd of B"), MRSequence.T2: add("T2 of B")}
    assert mine[MRSequence.T1GD].GetID() == first_id
    slicer.mrmlScene.SetLoadFromXMLString(1)
    slicer.mrmlScene.SetSceneXMLString(saved)
    slicer.mrmlScene.Import()
    slicer.mrmlScene.SetLoadFromXMLString(0)
    outputs = SceneOutputs(add("choices", "vtkMRMLScriptedModuleNode"))
    theirs = {
        MRSequence.T1GD: slicer.mrmlScene.GetFirstNodeByName("T1 Gd of A"),
        MRSequence.T2: slicer.mrmlScene.GetFirstNodeByName("T2 of A"),
    }
    assert repairedAlignments(outputs, mine) == {}
    assert brainMaskFor(outputs, None, mine[MRSequence.T1GD]) is None
    assert [node.GetName() for node in repairedAlignments(outputs, theirs).values()] == ["T2 of A aligned"]
    assert brainMaskFor(outputs, None, theirs[MRSequence.T1GD]).GetName() == "mask of A"


def test_a_repair_of_a_scene_saved_before_belongs_to_no_t1gd(standin, quick_panel):
    """It holds an ID, which may name another volume by now: the panel says that it is not used."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED

    parameters, outputs = quick_panel.logic.getParameterNode(), outputs_of(quick_panel)
    t1gd, t2, aligned = (add_head(name) for name in ("T1 Gd", "T2", "T2 moved by hand"))
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    mask.SetAttribute("PCNSLSurvival.output", "output.repairedMask")  # masks had no more than that
    aligned.SetAttribute("PCNSLSurvival.repairedFor", t1gd.GetID())
    outputs.place(ALIGNED + "t2", aligned, "T2 aligned with T1Gd", t1gd)
    assert brainMaskFor(outputs, mask, t1gd) is None
    parameters.t1gdVolume, parameters.brainMask = t1gd, mask
    assert quick_panel.ui.scansNote.text == "", "no T2 is chosen"
    parameters.t2Volume = t2
    assert "T2 was aligned by hand in this scene" in quick_panel.ui.scansNote.text
    quick_panel.ui.predictButton.click()
    assert "the scene does not say for which" in quick_panel.ui.messageLabel.text
    assert quick_panel.logic.run is None


def test_a_brain_mask_is_refused_for_a_t1gd_that_it_was_not_made_on(outputs):
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import brainMaskFor, whyNotFor
    from PCNSLSurvivalUI.scene.output_nodes import MASK, T1GD
    from PCNSLSurvivalUI.two_dates.kept_exam import EARLIER, EARLIER_T1GD

    def labels(like, size=None):
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
        shape = slicer.util.arrayFromVolume(like).shape if size is None else size
        slicer.util.updateVolumeFromArray(node, np.ones(shape, np.uint8))
        node.CopyOrientation(like)
        return node

    first, second = (slicer.util.addVolumeFromArray(np.ones((8, 10, 12), np.int16), name=n) for n in "AB")
    for role, source in ((MASK, T1GD), (EARLIER + MASK, EARLIER_T1GD)):
        made = labels(first)
        outputs.refer(source, first)
        outputs.place(role, made, "Brain mask", first)
        assert whyNotFor(outputs, made, first) == ""
        assert 'was made on "A"' in whyNotFor(outputs, made, second), "although both lie on the same voxels"
        assert brainMaskFor(outputs, made, second) is None
        assert brainMaskFor(outputs, made, first) is made
    slicer.mrmlScene.RemoveNode(first)
    for orphan in (made, outputs.node(MASK)):
        assert "no longer in the scene" in whyNotFor(outputs, orphan, second)
        assert brainMaskFor(outputs, orphan, second) is None
    drawn = labels(second)
    assert whyNotFor(outputs, drawn, second) == ""
    assert brainMaskFor(outputs, drawn, second) is drawn
    for wrong in (labels(second, (8, 10, 11)), slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")):
        assert whyNotFor(outputs, wrong, second) == str(Message("grid.brain_mask_on_t1gd"))
    finer = labels(second, (8, 10, 23))
    finer.SetSpacing(0.5, 1.0, 1.0)  # the same block of the patient
    assert whyNotFor(outputs, finer, second) == str(Message("grid.brain_mask_on_t1gd"))


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 2, 0), (2, 1, 0)], ids=["as T1Gd", "turned", "mirrored"])
@pytest.mark.parametrize("backward", [(), (0,), (1, 2)], ids=["forward", "rows backward", "two backward"])
def test_a_brain_mask_is_used_whichever_way_its_axes_run(outputs, axes, backward):
    """It has the voxels of T1Gd, stored in another order: each of them must count where it lies in the patient."""
    import slicer
    from PCNSLSurvivalUI.choices.brain_masks import whyNotFor
    from PCNSLSurvivalUI.run.request import RunRequest
    from PCNSLSurvivalUI.run.volumes import RunVolumes

    from PCNSLSurvivalLib.core.terms import MRSequence

    t1gd = add_head("T1 Gd", "oblique")
    shape = slicer.util.arrayFromVolume(t1gd).shape
    brain = (np.random.default_rng(7).random(shape) > 0.5).astype(np.uint8)
    stored, size, matrix = np.flip(brain.transpose(2, 1, 0), backward), brain.shape[::-1], _ijk_to_ras(t1gd)
    for axis in backward:
        matrix[:3, 3] += matrix[:3, axis] * (size[axis] - 1)
        matrix[:3, axis] *= -1.0
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "drawn elsewhere")
    slicer.util.updateVolumeFromArray(mask, np.ascontiguousarray(stored.transpose(axes).transpose(2, 1, 0)))
    matrix[:3, :3] = matrix[:3, axes]
    mask.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    assert whyNotFor(outputs, mask, t1gd) == ""
    request = RunRequest(volumes={MRSequence.T1GD: t1gd}, model=None, engines={}, brainMask=mask)
    volumes = RunVolumes(request)
    volumes.copyScans(request)
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(volumes.mask), brain)
    np.testing.assert_allclose(_ijk_to_ras(volumes.mask), _ijk_to_ras(t1gd), atol=1e-6)
    volumes.remove()
    assert mask.GetScene() is not None


def _ijk_to_ras(node):
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def test_a_repaired_alignment_waits_until_its_scan_is_chosen_again(outputs):
    """The run with another series neither reads it nor overwrites it."""
    import slicer
    from PCNSLSurvivalUI.result.repair import markRepaired, placeAligned, repairedAlignments, takeBackRepairs
    from PCNSLSurvivalUI.scene.output_nodes import ALIGNED, TRANSFORM

    from PCNSLSurvivalLib.core.terms import MRSequence

    def add(name, kind="vtkMRMLScalarVolumeNode"):
        return slicer.mrmlScene.AddNewNodeByClass(kind, name)

    roles = (ALIGNED + MRSequence.T2, TRANSFORM + MRSequence.T2)
    t1gd, scan, other = add("T1 Gd"), add("T2"), add("T2 of another series")
    repaired = add("aligned by hand"), add("its transform", "vtkMRMLLinearTransformNode")
    placeAligned(outputs, MRSequence.T2, repaired, scan, t1gd)
    for role, node in zip(roles, repaired, strict=True):
        markRepaired(node, role, t1gd, scan)
    chosen = {MRSequence.T1GD: t1gd, MRSequence.T2: scan}
    instead = {MRSequence.T1GD: t1gd, MRSequence.T2: other}
    assert repairedAlignments(outputs, chosen) == {MRSequence.T2: repaired[0]}
    assert repairedAlignments(outputs, instead) == {}

    by_run = add("aligned by a run"), add("transform of a run", "vtkMRMLLinearTransformNode")
    placeAligned(outputs, MRSequence.T2, by_run, other, t1gd)
    takeBackRepairs(outputs, t1gd, instead)
    assert tuple(outputs.node(role) for role in roles) == by_run
    assert all(node.GetScene() is not None for node in repaired)
    assert repairedAlignments(outputs, chosen) == {MRSequence.T2: repaired[0]}
    takeBackRepairs(outputs, t1gd, chosen)
    assert tuple(outputs.node(role) for role in roles) == repaired
    assert all(node.GetScene() is None for node in by_run)
