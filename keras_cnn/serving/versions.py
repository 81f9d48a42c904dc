"""Exported models on disk: `MODELS/NAME/VERSION`, each with its card."""

from pathlib import Path

from keras_cnn.errors import InputError

CARD = "card.json"


def version_folders(path: Path) -> dict[int, Path]:
    """Version -> its folder in `path`, in ascending order; names that are no plain number are none."""
    if not path.is_dir():
        return {}
    numbered = {
        int(entry.name): entry for entry in path.iterdir() if entry.name.isascii() and entry.name.isdigit()
    }
    return dict(sorted(numbered.items()))


def find_version(path: Path) -> Path:
    """Find an exported model.

    Args:
        path: folder of a version, or of versions, of which the newest with a card is taken.

    Returns:
        The folder of the version.

    Raises:
        InputError: if there is none.
    """
    for folder in (path, *reversed(version_folders(path).values())):
        if (folder / CARD).exists():
            return folder
    raise InputError(
        f"{str(path)!r} is no exported model: it holds no {CARD} and no numbered version with one. "
        "Make one with keras-cnn export RUN."
    )


def exported_models(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """List the exported models in a folder.

    Args:
        folder: of models, each of numbered versions.

    Returns:
        (models, problems): name -> folder of the version, the last exported first; the newest version of a model has
        the model's name alone. And folder -> why it is not among them.
    """
    found: list[tuple[float, int, str, Path]] = []
    problems: dict[str, str] = {}
    for model in sorted(folder.iterdir()) if folder.is_dir() else []:
        if model.name.startswith(".") or not model.is_dir():
            continue
        try:
            found += _versions_of(model, problems)
        except OSError as error:
            problems[model.name] = f"it cannot be read: {error.strerror}"
    return {name: path for *_, name, path in sorted(found, reverse=True)}, problems


def _versions_of(model: Path, problems: dict[str, str]) -> list[tuple[float, int, str, Path]]:
    """(time of export, number, name, folder) of the versions of a model; adds to `problems`."""
    folders = version_folders(model)
    with_card = {number: path for number, path in folders.items() if (path / CARD).exists()}
    for number in folders.keys() - with_card.keys():
        problems[f"{model.name}, version {number}"] = f"it holds no {CARD}"
    if not folders:
        problems[model.name] = "it holds no version, a folder named 1, 2, ..."
    names = {number: f"{model.name}, version {number}" for number in with_card}
    if with_card:
        names[max(with_card)] = model.name
    return [
        ((path / CARD).stat().st_mtime, number, names[number], path) for number, path in with_card.items()
    ]
