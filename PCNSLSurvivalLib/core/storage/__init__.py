"""Files and folders on this computer: written whole or not at all, locked, cleared of leftovers, read strictly."""
