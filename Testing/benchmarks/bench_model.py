"""Seconds and memory of a prediction with its Grad-CAM: stock MONAI, other Grad-CAM packages, and ours.

Every figure is measured in its own process in this run, in rounds over all ways, so that a busy moment spoils no
ratio; a package that is not installed is skipped with a word. Usage: ``make bench-model``, or
``python Testing/benchmarks/bench_model.py [--depths N ...] [--rounds R] [--keep]``, on an otherwise idle machine.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

from kept_tables import add_keep, report  # noqa: E402 — the path above comes first

WAYS = {
    "stock forward": "MONAI forward",
    "stock prediction + GradCAM": "MONAI forward, then MONAI GradCAM",
    "medcam": "MONAI forward with the map of M3d-CAM",
    "pytorch-grad-cam": "MONAI forward, then GradCAM of pytorch-grad-cam",
    "our forward": "our forward",
    "ours": "ours: prediction, Grad-CAM and evidence",
    "ours, ONNX Runtime": "the same in ONNX Runtime",
}


def main() -> None:
    """Measure every way on every depth and print one table a depth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", type=int, nargs="+", default=[10, 18, 50])
    parser.add_argument("--size", type=int, default=128, help="voxels along each edge")
    parser.add_argument(
        "--conv1-stride", type=int, default=2, choices=(1, 2), help="2 as MedicalNet; MONAI's default is 1"
    )
    parser.add_argument("--threads", type=int, default=2)
    # The first runs of a process are slower, while its memory grows.
    parser.add_argument("--repeats", type=int, default=6, help="runs in a process; the fastest counts")
    parser.add_argument("--rounds", type=int, default=3, help="rounds over all ways")
    add_keep(parser)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.one[0], int(args.one[1]), Path(args.one[2]), args)))
        return
    peak = matmul_flops(args.threads)
    rows = [row for depth in args.depths for row in measured(depth, args, peak)]
    settings = (
        f"{args.size}³, first stride {args.conv1_stride}, {args.threads} threads, {args.rounds} rounds; "
        f"matrix multiplication reaches {peak / 1e9:.0f} GFLOP/s"
    )
    columns = (
        "network",
        "way",
        "seconds (lowest to highest)",
        "times ours",
        "map, ms",
        "peak MB",
        "of matrix multiplication",
    )
    report("bench-model", columns, rows, settings=settings, keep=args.keep)


def measured(depth: int, args: argparse.Namespace, peak: float) -> Iterator[tuple[str, ...]]:
    """A row for each way on one depth."""
    from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
    from PCNSLSurvivalLib.models.untrained import write_untrained_model
    from PCNSLSurvivalLib.preprocessing.recipe import RECIPE, NetworkGridStep

    architecture = ResNetArchitecture(depth=depth, conv1_stride=args.conv1_stride)  # type: ignore[arg-type]
    recipe = replace(RECIPE, network_grid=NetworkGridStep(size=(args.size,) * 3, spacing_mm=(192 / args.size,) * 3))
    flops = forward_flops(architecture, args.size)
    found: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "bench_untrained"
        write_untrained_model(model, architecture=architecture, recipe=recipe)
        for way in list(WAYS) * args.rounds:
            words = [sys.executable, __file__, "--one", way, str(depth), str(model), "--size", str(args.size)]
            words += ["--threads", str(args.threads), "--repeats", str(args.repeats)]
            words += ["--conv1-stride", str(args.conv1_stride)]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            lines = done.stdout.strip().splitlines()
            figure = json.loads(lines[-1]) if done.returncode == 0 else {"skipped": done.stderr.strip()[-200:]}
            if "skipped" in figure:
                print(f"{way} skipped: {figure['skipped']}", file=sys.stderr)
            else:
                found[way].append(figure)
    for way, figures in found.items():
        if not figures:
            continue
        seconds = [float(figure["seconds"]) for figure in figures]
        ratio = statistics.median(a / float(b["seconds"]) for a, b in zip(seconds, found["ours"], strict=True))
        yield (
            f"ResNet-{depth}",
            WAYS[way],
            f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})",
            f"{ratio:.2f}",
            " to ".join(f"{1000 * end([f['map'] for f in figures]):.1f}" for end in (min, max))
            if figures[0]["map"] is not None
            else "",
            f"{max(figure['peak_mb'] for figure in figures):.0f}",
            f"{flops / min(seconds) / peak:.0%}" if way.endswith("forward") else "",
        )
    log_odds = [figure["log_odds"] for figures in found.values() for figure in figures if "log_odds" in figure]
    print(f"ResNet-{depth}: largest difference of the log-odds {max(log_odds) - min(log_odds):.1e}", file=sys.stderr)


def measure(way: str, depth: int, model: Path, args: argparse.Namespace) -> dict[str, Any]:
    """One way in this process: the fastest of some runs, and the peak memory of the process."""
    warnings.filterwarnings("ignore")
    import numpy as np

    case = np.random.default_rng(0).standard_normal((1, args.size, args.size, args.size)).astype(np.float32)
    try:
        run = PREPARE[way](model, case, args.threads)
    except ImportError as problem:
        return {"skipped": f"{problem.name} is not installed"}
    seconds = []
    for _ in range(args.repeats):
        begin = time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - begin)
    log_odds, seconds_map = answer if isinstance(answer, tuple) else (answer, None)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": min(seconds), "peak_mb": peak_mb, "log_odds": float(log_odds), "map": seconds_map}


def _stock(model, threads):
    import torch

    from PCNSLSurvivalLib.models.model_folder import read_model_folder
    from PCNSLSurvivalLib.models.networks.resnet3d import build_resnet, load_tensors

    torch.set_num_threads(threads)
    folder = read_model_folder(model)
    network = build_resnet(folder.architecture).eval()
    load_tensors(network, folder.load_members()[0])
    return torch, network


def _prepare_stock_forward(model, case, threads):
    torch, network = _stock(model, threads)
    x = torch.from_numpy(case)[None]

    def run():
        with torch.no_grad():
            logits = network(x)[0]
        return logits[1] - logits[0]

    return run


def _prepare_stock_cam(model, case, threads):
    torch, network = _stock(model, threads)
    from monai.visualize import GradCAM

    x = torch.from_numpy(case)[None]
    cam = GradCAM(nn_module=network, target_layers="layer4")

    def run():
        with torch.no_grad():
            logits = network(x)[0]
        cam(x=x, class_idx=int(logits.argmax()))
        return logits[1] - logits[0]

    return run


def _prepare_medcam(model, case, threads):
    torch, network = _stock(model, threads)
    from medcam import medcam

    x = torch.from_numpy(case)[None]
    network = medcam.inject(
        network, backend="gcam", layer="layer4", label="best", save_maps=False, return_attention=True
    )

    def run():
        logits = network(x)[0][0].detach()
        return logits[1] - logits[0]

    return run


def _prepare_pytorch_grad_cam(model, case, threads):
    torch, network = _stock(model, threads)
    from pytorch_grad_cam import GradCAM

    x = torch.from_numpy(case)[None]

    def run():
        with torch.no_grad():
            logits = network(x)[0]
        with GradCAM(model=network, target_layers=[network.layer4]) as cam:
            cam(input_tensor=x, targets=None)
        return logits[1] - logits[0]

    return run


def _prepare_our_forward(model, case, threads):
    import torch

    from PCNSLSurvivalLib.models.model_folder import read_model_folder
    from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet

    torch.set_num_threads(threads)
    folder = read_model_folder(model)
    network = FoldedResNet(folder.architecture, folder.load_members()[0])
    x = torch.from_numpy(case)[None]

    def run():
        with torch.no_grad():
            logits = network.head(network.up_to("layer4", x))[0]
        return logits[1] - logits[0]

    return run


def _prepare_ours(model, case, threads, runtime="torch"):
    from PCNSLSurvivalLib.inference.network import SurvivalNetwork
    from PCNSLSurvivalLib.models.model_folder import read_model_folder

    network = SurvivalNetwork(read_model_folder(model), "cpu", runtime=runtime, threads=threads)

    def run():
        result = network.predict(case)
        return result.log_odds, result.seconds_map

    return run


PREPARE = {
    "stock forward": _prepare_stock_forward,
    "stock prediction + GradCAM": _prepare_stock_cam,
    "medcam": _prepare_medcam,
    "pytorch-grad-cam": _prepare_pytorch_grad_cam,
    "our forward": _prepare_our_forward,
    "ours": _prepare_ours,
    "ours, ONNX Runtime": lambda model, case, threads: _prepare_ours(model, case, threads, "onnx"),
}


def forward_flops(architecture, size: int) -> float:
    """Multiplications and additions of the convolutions of one forward pass."""
    total = 0.0
    for name, shape in architecture.tensor_shapes().items():
        if len(shape) != 5:
            continue
        layer = int(name[5]) if name.startswith("layer") else 0
        edge = size // architecture.conv1_stride if layer == 0 else size // architecture.cell_stride(f"layer{layer}")
        # The first 1 x 1 x 1 convolution of a bottleneck still works at the resolution of the layer before.
        if architecture.expansion > 1 and layer > 1 and name.endswith(".0.conv1.weight"):
            edge *= 2
        total += 2.0 * math.prod(shape) * edge**3
    return total


def matmul_flops(threads: int) -> float:
    """What this machine reaches in float32 matrix multiplication, in operations a second."""
    import torch

    torch.set_num_threads(threads)
    edge = 2048
    a, b = torch.randn(edge, edge), torch.randn(edge, edge)
    best = float("inf")
    for _ in range(40):
        begin = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - begin)
    return 2.0 * edge**3 / best


if __name__ == "__main__":
    main()
