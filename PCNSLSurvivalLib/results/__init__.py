"""Results as data: the folder of one predicted case, and of a whole cohort."""
