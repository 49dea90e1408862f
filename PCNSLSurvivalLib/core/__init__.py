"""What every room uses: errors, the vocabulary, progress, files that are written whole, locks, workers."""
