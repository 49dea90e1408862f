"""Out of an experiment comes a model folder with its card."""
