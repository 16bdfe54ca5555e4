"""Fetching web pages, politely and within limits. The only package that imports httpx."""
