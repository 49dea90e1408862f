"""The version of this software, stated here and nowhere else."""

__version__ = "0.1.0"
