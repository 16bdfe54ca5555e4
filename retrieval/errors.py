"""What can go wrong between a question and its answer.

RetrievalError
├── ModelError           a model that cannot be loaded, converted or verified
├── SnapshotMissing      there is no snapshot to answer from, or none of that name
├── SnapshotCorrupt      a snapshot whose files are not what its manifest says
├── SnapshotOutdated     made by another encoder or format version: must be rebuilt
├── IndexUnreachable     an index on a server that does not answer or cannot be used
├── PublishError         a snapshot that could not be written
└── QuestionError        a question that cannot be asked (empty, too long)
"""

from __future__ import annotations


class RetrievalError(Exception):
    """Base of all errors raised on purpose in retrieval/; the message is one line for a person."""


class ModelError(RetrievalError):
    """A model that cannot be loaded, converted or verified."""


class SnapshotMissing(RetrievalError):
    """There is no snapshot to answer from, or none of that name."""


class SnapshotCorrupt(RetrievalError):
    """A snapshot whose files are not what its manifest says."""


class SnapshotOutdated(RetrievalError):
    """A snapshot made by another encoder or format version."""


class IndexUnreachable(RetrievalError):
    """An index on a server that does not answer or cannot be used."""


class PublishError(RetrievalError):
    """A snapshot that could not be written; the previous one stays in use."""


class QuestionError(RetrievalError):
    """A question that cannot be asked; the message says why."""
