"""Pure functions on text: cleaning, dates, language, sentences, passages and near-duplicates."""
