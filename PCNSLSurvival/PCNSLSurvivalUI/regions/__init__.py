"""Names of brain regions from an atlas that the user brings."""
