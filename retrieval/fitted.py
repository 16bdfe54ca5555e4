"""What was fitted on invented news; written by tests/fit/fit.py, which says how. Do not edit by hand."""

RANKING = {
    "words": 5.15,
    "around": 3.78,
    "passage words": 6.264,
    "exact": -1.244,
    "passage exact": 5.02,
    "cosine": 21.168,
    "passage cosine": -8.42,
    "bm25": -1.262,
    "kind": 2.069,
    "weakest": 0.868,
    "heading": -6.06,
}
CONFIDENCE = {
    "score": 0.2,
    "lead": 0.2,
    "cosine": 2.0,
    "words": 1.0,
    "passage words": 1.0,
    "article words": 1.0,
    "exact": 0.0,
    "unmet": -6.0,
    "article unmet": -3.0,
    "weakest": 1.0,
    "absent": -1.0,
    "kind": 0.3,
    "length": 0.0,
    "respelt": 0.0,
}
BIAS = -4.0
