"""Inputs as the world has them, each with the door it comes through and what is said of it: one table."""
