"""Web addresses to bytes, politely and within limits: the only door to httpx."""
