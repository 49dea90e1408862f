"""What a run leaves behind: the result file, the volumes and the page."""
