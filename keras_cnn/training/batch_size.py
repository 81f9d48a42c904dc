"""The batch size of a run that is given none, and those that a search chooses from: smaller for few images."""

from keras_cnn.data.dataset import DataFacts
from keras_cnn.task import TASKS

# steps of an epoch: with the 10 epochs of the default that is 100 steps, fewer than which teach a net little
MIN_STEPS = 10
# by the unit of the task
LARGEST = {"images": 128, "pixels": 4}
LARGEST_SEARCHED = {"images": 128, "pixels": 8}
# batch normalization needs the statistics of several images; with masks every pixel counts
SMALLEST = {"images": 4, "pixels": 1}
WINDOWS = {"images": "images", "pixels": "images or windows"}  # what an epoch is of


def default_batch_size(facts: DataFacts, replicas: int = 1, largest: int | None = None) -> int:
    """Images a replica and step: the largest power of two that leaves `MIN_STEPS` steps an epoch.

    Args:
        facts: of the data, with the shape of what the net sees of an image.
        replicas: devices that share a step.
        largest: the upper bound, a power of two; default `LARGEST` of the task.
    """
    images = max(1, facts.images("train") // replicas)
    wanted = max(images // MIN_STEPS, SMALLEST[TASKS[facts.task].unit])
    return 1 << min(wanted, images, largest or LARGEST[TASKS[facts.task].unit]).bit_length() - 1


def searched_batch_sizes(facts: DataFacts, replicas: int = 1) -> tuple[int, ...]:
    """The sizes that a search chooses from, rising; see `default_batch_size`."""
    largest = default_batch_size(facts, replicas, LARGEST_SEARCHED[TASKS[facts.task].unit])
    sizes = [size for size in (largest // 4, largest // 2) if size >= SMALLEST[TASKS[facts.task].unit]]
    return (*sizes, largest)


def searched_note(sizes: tuple[int, ...], facts: DataFacts) -> list[str]:
    """The note on a search that chooses from smaller batch sizes than usual; nothing for the usual ones."""
    if sizes[-1] >= LARGEST_SEARCHED[TASKS[facts.task].unit]:
        return []
    return [
        f"batch sizes searched: {', '.join(map(str, sizes))}, small for an epoch of {_count(facts)}; "
        "--batch_size sets one"
    ]


def batch_size_note(given: int | None, used: int | None, facts: DataFacts, replicas: int = 1) -> list[str]:
    """The note on a batch size that was chosen below the usual one; nothing if it was not."""
    usual = LARGEST[TASKS[facts.task].unit]
    if given is not None or used is None or used >= usual:
        return []
    steps, usual_steps = (facts.images("train") // (size * replicas) for size in (used, usual))
    return [
        f"batch size {used}, which makes {steps} steps an epoch of {_count(facts)} (the usual {usual} makes "
        f"{usual_steps}); --batch_size sets another"
    ]


def _count(facts: DataFacts) -> str:
    return f"{facts.images('train')} {WINDOWS[TASKS[facts.task].unit]}"
