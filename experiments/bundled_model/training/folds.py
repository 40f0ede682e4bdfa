"""Five folds of games: training and validation games together, each unknown to one model."""

from collections.abc import Collection, Sequence

from experiments.bundled_model.features.material import Material
from neural_mastering.chance import seed_of

FOLDS = 5


def fold_of(groups: Sequence[str]) -> dict[str, int]:
    """Games in the order of their hashes, dealt out."""
    return {g: i % FOLDS for i, g in enumerate(sorted(set(groups), key=lambda g: seed_of(0, "fold", g)))}


def games_by_fold(material: Material) -> list[set[str]]:
    """The games that the model of each fold does not know."""
    folds = fold_of([song.group for song in (*material.songs, *material.validation_songs)])
    return [{game for game, fold in folds.items() if fold == number} for number in range(FOLDS)]


def without(material: Material, games: Collection[str]) -> Material:
    """The material of training and validation together, trained on all but these games."""
    songs = [*material.songs, *material.validation_songs]
    windows = material.training.joined(material.validation, len(material.songs))
    own = [i for i, song in enumerate(songs) if song.group not in games]
    return material.replaced([songs[i] for i in own], windows.of_songs(own))
