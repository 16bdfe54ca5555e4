"""The composition root: opens encoder, reranker, answerer and editor as the settings say.

Whatever is heavy is imported and made here, when a command first needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.settings import Settings
from bot.terminal.output import print_note

if TYPE_CHECKING:
    from bot.service.editing import Editor
    from bot.service.hot_reload import ReloadingAnswerer
    from retrieval.answering import Answerer
    from retrieval.models.encoder import Encoder
    from retrieval.models.reader import Reader
    from retrieval.models.reranker import Reranker


@dataclass(frozen=True, slots=True)
class SecondStage:
    """The models that read the best passages together with the question; None where the settings name none."""

    reranker: Reranker | None = None
    reader: Reader | None = None


def open_encoder(settings: Settings) -> Encoder:
    """The encoder in use; one that came as a package is converted first where it is not.

    Raises:
        ModelError: it is not there or cannot be used.
    """
    from retrieval.models.loading import open_encoder
    from retrieval.models.manifest import DEFAULT_SOURCE, MULTILINGUAL, read_manifest

    folder = settings.models_folder / settings.model
    if settings.model in {DEFAULT_SOURCE, MULTILINGUAL} and not folder.exists():
        from bot.service.models import add_model
        from bot.terminal.progress import build_progress_bar

        print_note("Preparing the language model: once, about half a minute.")
        add_model(settings, settings.model, progress=build_progress_bar)
    manifest = read_manifest(folder)
    if manifest.backend == "sentence-transformers":
        print_note(f"The model {manifest.name} is {manifest.note}; it takes seconds to start.")
    return open_encoder(folder)


def open_second_stage(settings: Settings) -> SecondStage:
    """The reranker and the reader of the settings, each converted first where it is not.

    Raises:
        SettingsError: there is no such model, or it cannot be used.
    """
    if settings.rerank is None and settings.reader is False:
        return SecondStage()
    from bot.service.models import open_configured_reader, open_configured_reranker
    from bot.terminal.progress import build_progress_bar

    reranker, reader = None, None
    if settings.rerank is not None:
        reranker = open_configured_reranker(settings, settings.rerank, print_note, build_progress_bar)
    if settings.reader is not False:
        source = None if settings.reader is True else settings.reader
        reader = open_configured_reader(settings, source, print_note, build_progress_bar)
    return SecondStage(reranker, reader)


def open_editor(settings: Settings) -> Editor:
    """An editor of the home's library and index; it opens the encoder when it first encodes."""
    from bot.service.editing import Editor
    from bot.terminal.progress import build_progress_bar

    return Editor(settings, lambda: open_encoder(settings), build_progress_bar)


def ensure_index(settings: Settings) -> None:
    """Build the index where there is none, with the shipped articles where the library is empty.

    Raises:
        CorpusError, RetrievalError: it cannot be built; the message says why.
    """
    from bot.service.storage import open_store

    if open_store(settings).current() is None:
        open_editor(settings).prepare(print_note)


def open_answerer(settings: Settings, second_stage: SecondStage) -> Answerer:
    """An answerer over the current snapshot.

    Raises:
        RetrievalError: there is no snapshot, or it or the encoder cannot be used.
    """
    from bot.service.storage import open_store
    from retrieval.answering import Answerer

    encoder = open_encoder(settings)
    index = open_store(settings).open(encoder=encoder.fingerprint)
    return Answerer(
        index, encoder, threshold=settings.threshold, reranker=second_stage.reranker, reader=second_stage.reader
    )


def open_reloading_answerer(settings: Settings, second_stage: SecondStage) -> ReloadingAnswerer:
    """An answerer that follows what is published, its snapshot opened already.

    Raises:
        RetrievalError: as `open_answerer`.
    """
    from bot.service.hot_reload import ReloadingAnswerer
    from bot.service.storage import open_store

    answerer = ReloadingAnswerer(lambda: open_answerer(settings, second_stage), lambda: open_store(settings).current())
    answerer.answerer()  # now, while the person types
    return answerer
