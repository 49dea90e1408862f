"""The report of a validation: a finished model on the patients of another cohort."""
