"""The library: the user's folder of article files, its catalog, and safe writes to it."""
