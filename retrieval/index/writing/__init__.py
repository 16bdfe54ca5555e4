"""Builds, merges, publishes and migrates an index; answering never imports this."""
