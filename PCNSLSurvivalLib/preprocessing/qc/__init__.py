"""Quality control: what each step of the preparation says of its own result."""
