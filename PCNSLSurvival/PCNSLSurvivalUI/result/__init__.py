"""The result in the scene: map, navigation, profile, quality strip, repair, export."""
