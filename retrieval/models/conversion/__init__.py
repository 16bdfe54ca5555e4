"""SentenceTransformer and CrossEncoder models converted once to ONNX; the only part of the project that loads torch."""
