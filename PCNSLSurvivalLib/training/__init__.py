"""Training of the 3D ResNet: one fold as one unit of work that shares nothing with any other."""
