"""The methods paragraph of a paper, from what was run."""
