"""What the library says, in the user's language."""
