"""How fast the views follow the panel on a large T1Gd: ``make bench-panel``.

A T1Gd of 512 x 512 x 200 voxels with two maps of its size stands in the scene. For every control the time from the
change to the finished picture of all three slice views is measured, blended by Slicer's own slice logics; drawing
the blended picture on the screen is left out. Rounds go through all controls in turn, so that a busy moment of the
machine spoils none of them; the median by the clock and of the processor time of all threads are printed. On a
machine that does other work as well, the processor time is the one that means something.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import numpy as np  # noqa: E402 — the environment above comes first
from kept_tables import add_keep, report  # noqa: E402

SIZE_KJI = (200, 512, 512)
SPACING_MM = (0.47, 0.47, 0.9)


def _place_result(parameters: Any) -> Any:
    """A scan, both maps, cells and evidence as a prediction leaves them."""
    import slicer
    from PCNSLSurvivalUI.scene.output_nodes import (
        EVIDENCE,
        MASK,
        OVER,
        T1GD,
        UP_TO,
        SceneOutputs,
        mapRole,
    )

    rng = np.random.default_rng(1)
    affine = np.diag([*SPACING_MM, 1.0])
    affine[:3, 3] = [-0.5 * n * mm for n, mm in zip(SIZE_KJI[::-1], SPACING_MM, strict=True)]
    axes = [np.linspace(-1, 1, n, dtype=np.float32) for n in SIZE_KJI]
    radius = np.sqrt(axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2)
    brain = radius < 0.8
    scan = (400 * brain + rng.integers(0, 40, SIZE_KJI)).astype(np.int16)
    t1gd = slicer.util.addVolumeFromArray(scan, affine, "T1Gd")
    outputs = SceneOutputs(parameters.parameterNode)
    for explains, shift in ((OVER, 0.2), (UP_TO, -0.2)):
        smooth = (np.clip(1 - np.abs(radius - 0.4 - shift), 0, 1) * brain).astype(np.float32)
        outputs.place(mapRole(explains, cells=False), slicer.util.addVolumeFromArray(smooth, affine), "map", t1gd)
    cells = np.diag([24.0, 24.0, 24.0, 1.0])
    cells[:3, 3] = -84.0
    for role in (mapRole(OVER, cells=True), mapRole(UP_TO, cells=True), EVIDENCE):
        values = rng.normal(0, 0.2, (8, 8, 8)).astype(np.float32)
        outputs.place(role, slicer.util.addVolumeFromArray(values, cells), "cells", t1gd)
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "mask")
    slicer.util.updateVolumeFromArray(mask, brain.astype(np.uint8))
    mask.CopyOrientation(t1gd)
    outputs.place(MASK, mask, "mask", t1gd)
    parameters.parameterNode.SetNodeReferenceID(T1GD, t1gd.GetID())
    profile = {"s_mm": [float(s) for s in range(-80, 80, 2)], "value": [0.5] * 80}
    parameters.result = json.dumps(
        {
            "probability_over_one_year": 0.6,
            "class": "OS > 1 year",
            "decision_threshold": 0.5,
            "log_odds": 0.4,
            "activation_map": {"explains": "OS > 1 year", "cell_size_mm": [24.0, 24.0, 24.0]},
            "activation_map_other_class": {"explains": "OS ≤ 1 year"},
            "profiles": {OVER: profile, UP_TO: profile, "evidence": profile},
        }
    )
    return t1gd


def _actions(ui: Any, red: Any) -> dict[str, Any]:
    return {
        "class": lambda n: ui.mapSelector.setCurrentIndex(n % 2),
        "class or evidence": lambda n: ui.mapSelector.setCurrentIndex(2 * (n % 2)),
        "smooth or cells": lambda n: ui.smoothSelector.setCurrentIndex(n % 2),
        "opacity": lambda n: setattr(ui.opacitySlider, "value", 0.4 + 0.1 * (n % 2)),
        "lower threshold": lambda n: setattr(ui.thresholdSlider, "value", 0.2 + 0.1 * (n % 2)),
        "color map": lambda n: ui.colorsSelector.setCurrentIndex(n % 2),
        "show or hide": lambda n: ui.mapVisibleCheckBox.setChecked(n % 2 == 0),
        "slice": lambda n: red.SetSliceOffset(-20.0 + 9.0 * (n % 5)),
    }


def _draw(views: list[Any]) -> None:
    for view in views:
        view.sliceLogic().GetImageDataConnection().GetProducer().Update()


def main() -> None:
    """Print a table with one row for every control."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    add_keep(parser)
    args = parser.parse_args()
    rounds = args.rounds
    from slicer_standin.application import start

    application = start()
    application.reset()
    widget = application.open_module(HERE.parents[1] / "PCNSLSurvival" / "PCNSLSurvival.py")
    _place_result(widget.logic.getParameterNode())
    manager = application.app.layoutManager()
    views = [manager.sliceWidget(name) for name in ("Red", "Green", "Yellow")]
    for view in views:
        view.mrmlSliceNode().SetDimensions(600, 600, 1)
    manager.resetSliceViews()
    # The first round only warms the caches and is not counted.
    seconds: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for name, act in _actions(widget.ui, views[0].mrmlSliceNode()).items():
            begin, computed = time.perf_counter(), time.process_time()
            act(number)
            _draw(views)
            if number:
                spent = (time.perf_counter() - begin, time.process_time() - computed)
                seconds.setdefault(name, []).append(spent)
        widget.ui.mapVisibleCheckBox.setChecked(True)
        widget.ui.smoothSelector.setCurrentIndex(0)
        _draw(views)
    rows = []
    for name, values in seconds.items():
        clock, processor = ([1000 * time for time in times] for times in zip(*values, strict=True))
        spread = f"{statistics.median(clock):.1f} ({min(clock):.1f} to {max(clock):.1f})"
        rows.append((name, spread, f"{statistics.median(processor):.1f}"))
    size = " x ".join(map(str, SIZE_KJI[::-1]))
    settings = f"stand-in for Slicer, T1Gd of {size} voxels, three views of 600 x 600 pixels, {rounds} rounds"
    columns = ("control", "ms by the clock (lowest to highest)", "processor ms")
    report("bench-panel", columns, rows, settings=settings, keep=args.keep)
    application.close_module(widget)
    application.reset()
    application.stop()


if __name__ == "__main__":
    main()
