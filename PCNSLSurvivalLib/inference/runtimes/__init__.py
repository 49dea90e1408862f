"""Where networks run: torch or ONNX Runtime, the devices, and the answer that a device must reproduce."""
