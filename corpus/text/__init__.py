"""What a text is made of: clean text, dates, language, sentences, passages and near-duplicates. Pure."""
