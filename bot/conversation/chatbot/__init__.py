"""Conversations on a messenger: somebody's words or a tap in, a card out; knows no messenger itself."""
