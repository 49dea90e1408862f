"""A shown result asked once more: checks of its map, without its lesion, under disturbances."""
