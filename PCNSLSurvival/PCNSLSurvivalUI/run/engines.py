"""The engine of a preprocessing step: a Slicer module, the built-in method, or none because it is already done."""

SLICER, BUILT_IN, SKIP = "slicer", "built_in", "skip"
