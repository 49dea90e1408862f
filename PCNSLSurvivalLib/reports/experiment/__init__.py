"""The report of an experiment: tables, figures, methods, checklists."""
