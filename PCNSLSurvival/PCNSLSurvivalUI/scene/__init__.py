"""Volume nodes to files and back, geometry intact, and the nodes of a result."""
