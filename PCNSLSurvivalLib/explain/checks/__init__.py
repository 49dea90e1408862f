"""Sanity checks of an explanation from the literature, each a number with a verdict."""
