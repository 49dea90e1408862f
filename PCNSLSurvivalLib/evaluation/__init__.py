"""How good predictions are, and how sure of that one can be: discrimination, calibration, survival, comparison."""
