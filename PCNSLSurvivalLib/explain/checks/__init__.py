"""Is the explanation telling the truth? The tests that the literature accepts, as numbers with a verdict."""
