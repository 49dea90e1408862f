"""Volumes as regions of the patient in millimeters: grids, files, first checks."""
