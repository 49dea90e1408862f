"""The command line: one file per command, for the clinic or for research. None imports torch before it runs."""
