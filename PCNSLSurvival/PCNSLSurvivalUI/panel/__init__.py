"""The panel: its sections, its logic, and what the user chose."""
