"""Commands that research runs: cohorts, virtual patients, training, baselines, experiments and validation."""
