"""Quality control: checks of the scans, the brain mask and the registrations."""

CHECKS_VERSION = 5
"""Raised when a check is added or judges otherwise: finished cases of a cohort are then made again. 2 has the order of
slices, the pattern of the tissue and the orientation of the brain; 3 the values of slices and voxels; 4 stops swapped
T1 and T1Gd by what each shows by itself, too; 5 stops one scan given as two sequences, and exchanged T1 and T2."""
