"""Commands that a clinic runs: one patient from scan to verified report, and the models installed here."""
