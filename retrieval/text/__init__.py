"""Text analysis without models: words, index terms, answer types, spelling, and late interaction over word vectors."""
