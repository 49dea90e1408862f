"""The 3D ResNet in all its forms: architecture, MONAI, folded, ONNX, weights."""
