"""Virtual patients with every truth kept."""
