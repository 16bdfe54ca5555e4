"""What was fitted on invented news; written by tests/fit/fit.py, which says how. Do not edit by hand."""

RANKING = {
    "words": 1.993,
    "around": 2.197,
    "passage words": 8.971,
    "exact": 0.09675,
    "passage exact": 3.452,
    "cosine": 21.36,
    "passage cosine": -10.68,
    "bm25": 0.002352,
    "kind": 2.3,
    "weakest": 1.548,
    "heading": -2.28,
}
