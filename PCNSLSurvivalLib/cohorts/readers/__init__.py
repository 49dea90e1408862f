"""The shapes in which cohorts come, one reader each."""
