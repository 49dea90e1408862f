"""The Slicer side of PCNSL Survival: one job a file. Only this package and the door import slicer or qt."""
