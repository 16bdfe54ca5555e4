"""Words, index terms, answer types, spelling and late interaction: what text says before any model reads it. Pure."""
