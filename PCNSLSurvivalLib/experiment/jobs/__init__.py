"""The jobs of an experiment: what each is decided by, their table, their run."""
