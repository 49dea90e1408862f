"""Performance of predictions with its uncertainty: discrimination, calibration, survival, comparison."""
