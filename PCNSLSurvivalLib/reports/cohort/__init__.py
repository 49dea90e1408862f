"""The report of a prepared cohort: contact sheet and data report."""
