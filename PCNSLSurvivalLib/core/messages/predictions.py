"""What is told of a prediction, its maps, its files and its exports."""

from __future__ import annotations

from PCNSLSurvivalLib.core.messages.marked import marked as _

TEMPLATES = {
    "runtime.none_installed": _(
        "Neither torch nor ONNX Runtime is installed. Install one of them: pip install onnxruntime onnx."
    ),
    "runtime.onnx_is_float32_on_cpu": _(
        "ONNX Runtime computes in float32 on the CPU here. Choose --device cpu and --precision float32, or "
        "--runtime torch."
    ),
}
