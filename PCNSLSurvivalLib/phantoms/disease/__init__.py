"""What the virtual patients have: diseases and their lesions."""
