"""Our command line as a child process, and work in small pieces."""
