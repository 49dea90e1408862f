"""The 3D ResNet and the folders that carry its weights, recipe and card."""
