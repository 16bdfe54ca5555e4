"""Candidates, the evidence of their sentences, scores, confidence and quotes."""
