"""One patient from files to a prediction."""
