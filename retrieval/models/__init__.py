"""Models that turn text into numbers: encoders and rerankers, their manifests, and how they are loaded."""
