"""Training of the 3D ResNet: one fold as one job that shares nothing with any other."""
