"""Plays one CLI module in a child process with SimpleITK: ``cli_player.py MODULE FOLDER``.

N4 and the rigid registration are the same filters as in the modules, on coarser grids and with fewer
iterations so that a test takes a second; the skull stripper is played by the largest bright component. The
figures a test may ask of them are geometric (which grid, which pose), not those of the real modules.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def _image(folder: Path, name: str, matrix_ras: Any) -> Any:
    import SimpleITK as sitk

    matrix = _RAS_TO_LPS @ np.asarray(matrix_ras)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.load(folder / f"{name}.npy").astype(np.float32))
    image.SetSpacing(spacing.tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    image.SetDirection((matrix[:3, :3] / spacing).ravel().tolist())
    return image


def _matrix_ras(image: Any) -> list[list[float]]:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return (_RAS_TO_LPS @ matrix).tolist()


def _n4(inputs: dict[str, Any], scalars: dict[str, Any]) -> dict[str, Any]:
    import SimpleITK as sitk

    image = inputs["inputImageName"]
    n4 = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([8, 8])
    small = sitk.Shrink(image, [int(scalars["shrinkFactor"])] * 3)
    n4.Execute(small, sitk.Cast(sitk.OtsuThreshold(small, 0, 1, 200), sitk.sitkUInt8))
    field = sitk.Exp(n4.GetLogBiasFieldAsImage(image))
    return {"outputImageName": image / field, "outputBiasFieldName": field}


def _brainsfit(inputs: dict[str, Any], scalars: dict[str, Any]) -> dict[str, Any]:
    import SimpleITK as sitk

    fixed, moving = inputs["fixedVolume"], inputs["movingVolume"]
    if not scalars.get("useRigid"):
        raise RuntimeError("ERROR: No registration phases specified to perform!")
    if "pose" in scalars:
        found = sitk.VersorRigid3DTransform()
        to_moving = _RAS_TO_LPS @ np.linalg.inv(scalars["pose"]) @ _RAS_TO_LPS
        found.SetMatrix(to_moving[:3, :3].ravel().tolist())
        found.SetTranslation(to_moving[:3, 3].tolist())
        return {"outputVolume": sitk.Resample(moving, fixed, found, sitk.sitkLinear, 0.0), "linearTransform": found}
    start = sitk.CenteredTransformInitializer(
        fixed, moving, sitk.VersorRigid3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.RANDOM)
    method.SetMetricSamplingPercentage(0.05, 121212)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(1.0, 0.01, 30)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([4])
    method.SetSmoothingSigmasPerLevel([2])
    method.SetInitialTransform(start)
    method.Execute(fixed, moving)
    return {"outputVolume": sitk.Resample(moving, fixed, start, sitk.sitkLinear, 0.0), "linearTransform": start}


def _swiss(inputs: dict[str, Any], scalars: dict[str, Any]) -> dict[str, Any]:
    import SimpleITK as sitk

    image = inputs["patientVolume"]
    small = sitk.Shrink(image, [4] * 3)
    mask = sitk.BinaryErode(sitk.OtsuThreshold(small, 0, 1, 200), [4] * 3)
    mask = sitk.RelabelComponent(sitk.ConnectedComponent(mask)) == 1
    mask = sitk.BinaryFillhole(sitk.BinaryDilate(mask, [2] * 3))
    mask = sitk.Cast(sitk.Resample(mask, image, sitk.Transform(), sitk.sitkNearestNeighbor), sitk.sitkUInt8)
    return {"patientMaskLabel": mask, "patientOutputVolume": sitk.Mask(image, mask)}


_PLAYERS = {"n4itkbiasfieldcorrection": _n4, "brainsfit": _brainsfit, "swissskullstripper": _swiss}


def play_quickly(folder: Path) -> None:
    """No filter at all, for tests of what happens around a module: images are copied, masks cut at a level."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    source = next(name for name in ("inputImageName", "fixedVolume", "patientVolume") if name in plan["inputs"])
    array, matrix = np.load(folder / f"{source}.npy"), plan["inputs"][source]
    results = {}
    for name, output in plan["outputs"].items():
        if output["tag"] == "transform":
            results[name] = {**output, "matrix": np.eye(4).tolist()}
            continue
        is_mask = name == "patientMaskLabel"
        values = (array > 0.1 * array.max()).astype(np.uint8) if is_mask else array.astype(np.float32)
        if name == "outputBiasFieldName":
            values = np.ones_like(values)
        np.save(folder / f"{name}.npy", values)
        results[name] = {**output, "matrix": matrix}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


def main(module: str, folder: Path) -> None:
    """Read the plan and the inputs, play the module, write what was asked for."""
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    time.sleep(plan.get("seconds", 0.0))
    if "fail" in plan:
        sys.exit(plan["fail"])
    if plan.get("quick"):
        play_quickly(folder)
        return
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(2)
    inputs = {name: _image(folder, name, matrix) for name, matrix in plan["inputs"].items()}
    known = {"pose": plan["pose"]} if "pose" in plan else {}
    made = _PLAYERS[module](inputs, {**plan["scalars"], **known})
    results = {}
    for name, output in plan["outputs"].items():
        value = made[name]
        if isinstance(value, sitk.Image):
            np.save(folder / f"{name}.npy", sitk.GetArrayFromImage(value))
            results[name] = {**output, "matrix": _matrix_ras(value)}
        else:
            rigid = np.eye(4)
            rigid[:3, :3] = np.reshape(value.GetMatrix(), (3, 3))
            rigid[:3, 3] = np.asarray(value.TransformPoint((0.0, 0.0, 0.0)))
            to_fixed = np.linalg.inv(rigid)  # a transform node takes the moving volume to the fixed one
            results[name] = {**output, "matrix": (_RAS_TO_LPS @ to_fixed @ _RAS_TO_LPS).tolist()}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
