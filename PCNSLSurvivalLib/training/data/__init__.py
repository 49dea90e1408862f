"""What a network is shown: prepared scans as tensors, in batches, augmented."""
