"""One-year overall survival of primary CNS lymphoma from post-contrast T1 MRI, without Slicer.

Research use only. Not for clinical decisions.
"""

__version__ = "0.1.0"
