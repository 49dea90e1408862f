"""One run: its request, its plan, Slicer's modules and our process as its steps."""
