"""Who does a step of the preparation: a module of Slicer, this software, or nobody because it is done already."""

SLICER, BUILT_IN, SKIP = "Slicer module", "Built in", "None (already done)"
