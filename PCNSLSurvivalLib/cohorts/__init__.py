"""Cohorts: their patients, their outcomes, who is in which fold, and the networks' inputs."""
