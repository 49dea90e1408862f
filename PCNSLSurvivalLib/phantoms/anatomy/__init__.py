"""The virtual head: brain, skull, face, tissues."""
