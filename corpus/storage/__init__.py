"""The folder of article files a person owns: what is in it, and writing to it without losing anything."""
