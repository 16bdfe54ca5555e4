"""Conversion of SentenceTransformer and CrossEncoder models to ONNX; the only part of the project that loads torch."""
