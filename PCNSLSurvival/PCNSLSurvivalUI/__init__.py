"""The Slicer side of PCNSL Survival. Only this package and the module file import slicer or qt."""
