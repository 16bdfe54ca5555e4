"""Reads articles from web pages. The only package that imports trafilatura and lxml."""
