"""Web pages to articles: the only door to trafilatura and lxml."""
