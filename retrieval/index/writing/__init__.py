"""Builds, publishes, merges and migrates an index; answering never imports this."""
