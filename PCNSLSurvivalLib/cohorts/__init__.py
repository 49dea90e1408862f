"""Cohorts: their patients, their outcomes, who is in which fold, and what a network is shown of them."""
