"""An atlas of named regions that the user brings, and its registration to a patient."""
