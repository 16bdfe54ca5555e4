"""A conversation without a transport: what is said to a person, and what to do about what they say."""
