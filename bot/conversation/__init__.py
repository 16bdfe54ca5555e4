"""Conversations, independent of terminal and messenger: what people say, and what is said to them."""
