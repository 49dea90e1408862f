"""Quality control: each preprocessing step checks its own result."""
