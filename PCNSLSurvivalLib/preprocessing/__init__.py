"""From a scan to what the network reads: a recipe of steps, each of which judges itself."""
