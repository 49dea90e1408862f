"""The sections of the panel: what each shows, and what a click in it does."""
