"""The terminal: chat, progress bars, tables and reports."""
