"""What Slicer's modules for the brain and the bias field change in the prediction, measured in any installed Slicer.

    Slicer --no-splash --additional-module-paths REPOSITORY/PCNSLSurvival \
        --python-script REPOSITORY/Testing/Slicer/measure_engines_in_slicer.py T1Gd

Needs SwissSkullStripper. Every row is a run of the panel, with its own settings of the modules, by the default model.
Slicer quits at the end; its exit code is 1 when something failed.
"""

import pathlib
import sys
import traceback

import slicer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from screenshots_in_slicer import LONGEST_RUN_S, wait, wait_until


def predicted(panel, brain: str, bias: str, mask=None) -> str:
    """Probability and log-odds of OS > 1 year, with these engines or with a brain mask of the user."""
    from PCNSLSurvivalUI.scene.output_nodes import storedResult

    parameters = panel.logic.getParameterNode()
    parameters.brainEngine, parameters.biasEngine, parameters.brainMask = brain, bias, mask
    wait(0.5)
    panel.ui.predictButton.click()
    wait_until(lambda: panel.logic.run is None, LONGEST_RUN_S)
    if panel.ui.messageLabel.text:
        raise RuntimeError(panel.ui.messageLabel.text)
    result = storedResult(parameters.result)
    return f"{result['probability_over_one_year']:.4f} | {result['log_odds']:+.4f}"


def own_mask():
    """The brain mask of the last run, as a label map of the user."""
    source = slicer.util.getNode("Brain mask")
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "built-in outline")
    mask.CopyOrientation(source)
    slicer.util.updateVolumeFromArray(mask, slicer.util.arrayFromVolume(source).copy())
    return mask


def main(t1gd: str) -> None:
    """Print one row per choice of engines."""
    from PCNSLSurvivalUI.run.engines import BUILT_IN, SLICER

    slicer.util.selectModule("PCNSLSurvival")
    panel = slicer.util.getModuleWidget("PCNSLSurvival")
    panel.logic.getParameterNode().t1gdVolume = slicer.util.loadVolume(t1gd)
    print("| brain | N4 | probability of OS > 1 year | log-odds |\n|---|---|---|---|")
    print(f"| built-in | built-in | {predicted(panel, BUILT_IN, BUILT_IN)} |", flush=True)
    mask = own_mask()
    print(f"| built-in | Slicer's, inside the brain | {predicted(panel, BUILT_IN, SLICER, mask)} |", flush=True)
    print(f"| built-in | Slicer's, whole head | {predicted(panel, BUILT_IN, SLICER)} |", flush=True)
    print(f"| SwissSkullStripper | built-in | {predicted(panel, SLICER, BUILT_IN)} |", flush=True)
    # The outline is kept from the run before: SwissSkullStripper draws another one each time.
    print(f"| the same outline | Slicer's, inside the brain | {predicted(panel, SLICER, SLICER)} |", flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1])
        code = 0
    except Exception:
        traceback.print_exc()
        code = 1
    slicer.util.exit(code)
