"""The steps of the preparation, one file each."""
