"""The chatbot behind a messenger: messages and taps in, cards out; it knows no particular messenger."""
