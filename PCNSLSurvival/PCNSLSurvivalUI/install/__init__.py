"""What the panel installs: packages, extensions, sample data."""
