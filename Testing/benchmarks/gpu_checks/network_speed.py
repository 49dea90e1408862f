"""Forward pass and training step of our networks beside MONAI's own, and their share of matrix multiplication."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from bench_model import forward_flops
from monai.networks.nets import resnet

from gpu_checks.section import Bench, Section
from gpu_checks.settings import paper_settings
from gpu_checks.timing import rates, seconds_of
from PCNSLSurvivalLib.models.networks.architecture import ResNetArchitecture
from PCNSLSurvivalLib.models.networks.devices import reproducible_float32
from PCNSLSurvivalLib.models.networks.folded_resnet import FoldedResNet
from PCNSLSurvivalLib.models.networks.resnet3d import monai_arguments, tensors_of
from PCNSLSurvivalLib.training.network import build_network, build_optimizer
from PCNSLSurvivalLib.training.network_outputs import as_network_wants


def run(bench: Bench, section: Section) -> None:
    """Matrix multiplication first, then each depth."""
    peaks = _matmul(bench)
    section.note("matmul, TFLOP/s", {name: peak / 1e12 for name, peak in peaks.items()})
    section.figures["depths"] = {}
    for depth in (10,) if bench.small else (50, 10):
        rows: dict[str, dict[str, Any]] = {}
        section.figures["depths"][depth] = rows
        _depth(bench, section, depth, peaks, rows)


def _depth(
    bench: Bench, section: Section, depth: int, peaks: dict[str, float], rows: dict[str, dict[str, Any]]
) -> None:
    size, batch = (32, 2) if bench.small else (128, 8)
    architecture = ResNetArchitecture(depth=depth, widen_factor=0.125 if bench.small else 1.0)  # type: ignore[arg-type]
    flops = forward_flops(architecture, size)
    section.note(f"ResNet-{depth}, {size}³, GFLOP per forward pass", flops / 1e9)
    for count in (1, batch):
        for name, (precision, work) in _forwards(bench, architecture, size, count).items():
            _row(bench, rows, f"forward, batch {count}, {name}", work, count, flops, peaks.get(precision))
    for name, (precision, make) in _steps(bench, architecture, size, batch).items():
        _row(bench, rows, f"training step, batch {batch}, {name}", make, batch, 3 * flops, peaks.get(precision), True)


def _row(
    bench: Bench,
    rows: dict[str, dict[str, Any]],
    name: str,
    work: Callable[[], Any],
    count: int,
    flops: float,
    peak: float | None,
    makes: bool = False,
) -> None:
    """Measure one way; one that the device cannot do is kept with its error."""
    try:
        if bench.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        seconds = seconds_of(work() if makes else work, bench.device)
    except RuntimeError as problem:
        rows[name] = {"error": str(problem)[:300]}
        print(f"       {name}: {str(problem)[:150]}", flush=True)
        return
    row: dict[str, Any] = {"samples per second": rates(seconds, count)}
    row["TFLOP/s"] = flops * count / statistics.median(seconds) / 1e12
    if peak is not None:
        row["share of matmul"] = row["TFLOP/s"] * 1e12 / peak
    if bench.device == "cuda":
        row["peak GiB"] = torch.cuda.max_memory_allocated() / 2**30
    rows[name] = row
    rate = row["samples per second"]
    share = f", {row['share of matmul']:.0%} of matmul" if peak is not None else ""
    print(
        f"       {name}: {rate['median']:.1f} samples/s ({rate['least']:.1f} to {rate['most']:.1f}){share}", flush=True
    )
    gc.collect()
    if bench.device == "cuda":
        torch.cuda.empty_cache()


def _forwards(
    bench: Bench, architecture: ResNetArchitecture, size: int, count: int
) -> dict[str, tuple[str, Callable[[], Any]]]:
    """Every way of a forward pass: precision of its convolutions, and one call."""
    device = torch.device(bench.device)
    network = getattr(resnet, architecture.design.builder)(**monai_arguments(architecture)).eval()
    tensors = tensors_of(network)
    network.to(device)
    x = torch.randn(count, 1, size, size, size, device=device)

    def monai(tf32: bool, half: bool) -> Callable[[], Any]:
        def forward() -> Any:
            cast = torch.autocast(bench.device, dtype=torch.bfloat16) if half else nullcontext()
            with torch.no_grad(), _tf32(tf32), cast:
                return network(x)

        return forward

    def ours(dtype: torch.dtype) -> Callable[[], Any]:
        folded = FoldedResNet(architecture, tensors, device=device, dtype=dtype)

        def forward() -> Any:
            with torch.no_grad(), reproducible_float32():
                return folded.head(folded.up_to("layer4", x))

        return forward

    ways = {
        "ours, float32": ("float32", ours(torch.float32)),
        "MONAI, float32": ("float32", monai(False, False)),
    }
    if bench.device == "cuda":
        ways |= {
            "MONAI as it comes (TF32)": ("tf32", monai(True, False)),
            "ours, bf16": ("bf16", ours(torch.bfloat16)),
            "MONAI, bf16 autocast": ("bf16", monai(True, True)),
        }
    return ways


def _steps(
    bench: Bench, architecture: ResNetArchitecture, size: int, count: int
) -> dict[str, tuple[str, Callable[[], Callable[[], Any]]]]:
    """Every way of a training step: precision of its convolutions, and what makes the call."""
    device = torch.device(bench.device)
    settings = paper_settings(small=bench.small)

    def step(ours: bool, half: bool) -> Callable[[], Callable[[], Any]]:
        def make() -> Callable[[], Any]:
            x = torch.randn(count, 1, size, size, size, device=device)
            target = torch.arange(count, device=device) % 2
            if ours:
                sized = replace(settings, architecture=architecture)
                network = build_network(sized, 1, None, seed=1).to(device)
                network.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
                optimizer = build_optimizer(network, sized, transfer=False)
            else:
                network = getattr(resnet, architecture.design.builder)(**monai_arguments(architecture)).to(device)
                optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate)
            network.train()

            def one() -> None:
                with reproducible_float32() if ours else _tf32(True):
                    with torch.autocast(bench.device, dtype=torch.bfloat16, enabled=half):
                        logits = network(as_network_wants(x) if ours else x)
                    optimizer.zero_grad(set_to_none=True)
                    torch.nn.functional.cross_entropy(logits.float(), target).backward()
                    optimizer.step()

            return one

        return make

    ways = {"ours, float32": ("float32", step(True, False)), "MONAI as it comes (TF32)": ("tf32", step(False, False))}
    if bench.device == "cuda":
        ways = {
            "ours, bf16": ("bf16", step(True, True)),
            "MONAI, bf16 autocast": ("bf16", step(False, True)),
        } | ways
    return ways


def _matmul(bench: Bench) -> dict[str, float]:
    """Operations per second of one large matrix multiplication in each precision."""
    edge = 512 if bench.small else 8192
    a = torch.randn(edge, edge, device=bench.device)
    found = {}
    before = torch.backends.cuda.matmul.allow_tf32
    kinds = [("float32", torch.float32, False), ("tf32", torch.float32, True), ("bf16", torch.bfloat16, False)]
    for name, dtype, tf32 in kinds if bench.device == "cuda" else kinds[:1]:
        x = a.to(dtype)
        torch.backends.cuda.matmul.allow_tf32 = tf32
        try:
            found[name] = 2.0 * edge**3 / min(seconds_of(lambda x=x: torch.mm(x, x), bench.device))  # type: ignore[misc]
        finally:
            torch.backends.cuda.matmul.allow_tf32 = before
    return found


@contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    """Convolutions as torch chooses them, with or without TF32."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=False, allow_tf32=allowed):
        yield
