"""Learning from lesion masks: the auxiliary task, and a head fitted to what it found."""
