"""The panel as a whole: its widgets in each state, its step list, and what it can do without any widget."""
