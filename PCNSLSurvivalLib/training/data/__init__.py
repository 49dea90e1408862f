"""Input of a network: prepared scans as tensors, in batches, augmented."""
