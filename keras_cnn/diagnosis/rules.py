"""From what was measured to a verdict: does the net train at its own rate, at others, or at none that was tried?

The constants were set on six families of the fault set (`benchmarks/fault_set.py`) and are measured on three others.
"""

from collections.abc import Iterable

from keras_cnn.diagnosis.probe import Trace

HEALTHY, CONDITIONAL, DEAD = "healthy", "rate-conditional", "dead at every rate tried"

MOVED = 0.012  # of the chance loss, by which images held out must be better than chance after the probe
ALIVE = 5e-3  # sd of the logits over images, below which outputs are constant
# times the rate, where steps stand for more steps at the rate itself -> what they must move; a net that needs more than
# ten times its rate to move has a rate that is too low
FASTER = {3.0: 0.02, 10.0: 0.03}
LOUDER = 5.0  # times the rate, for one batch by heart
SILENT = 0.02  # sd of the logits of a net that stands still
STIRRED, GROWN = (
    1e-4,
    1.15,
)  # its sd of the logits after one batch by heart; the same as a multiple of that before
SHOT_UP = 2.0  # times the chance loss, at which learning that batch went wrong
UNSTABLE = 0.02  # of the chance loss by which it is worse after the probe
BY_HEART = 0.75  # of the chance loss: a net that cannot push 16 images below it holds too little


def drops(trace: Trace, chance: float) -> list[float]:
    """How far the loss of the images held out lies below chance, as a share of chance, at each measurement."""
    return [1 - loss / chance for loss in trace.held_out]


def trains(trace: Trace, chance: float, moved: float = MOVED) -> bool:
    """Whether images held out came below chance, by outputs that depend on the image.

    The mean of the last two measurements counts, for at high rates they differ.
    """
    return trace.finite and sum(drops(trace, chance)[-2:]) / 2 > moved and trace.spreads[-1] > ALIVE


def trains_later(trace: Trace, others: Iterable[Trace], overfit: Trace | None, chance: float) -> bool:
    """Whether a net that stood still in the probe, or moved little, will train at this rate all the same.

    Gradient descent at 10 times the rate goes about as far in as many steps as at the rate itself in ten times as
    many, so probes at larger rates, among the `others`, look ahead. And where outputs are nearly constant, one batch
    by heart (`overfit`) tells whether the signal grows at all, for it pushes always the same way.
    """
    if not trace.finite or _worse(trace, chance):
        return False
    for other in others:
        needed = [moved for factor, moved in FASTER.items() if 1 < other.rate / trace.rate <= 1.01 * factor]
        if needed and trains(other, chance, min(needed)):
            return True
    silent = 0 < trace.spreads[-1] < SILENT
    return bool(silent and overfit and overfit.finite and _stirs(overfit, chance))


def _worse(trace: Trace, chance: float) -> bool:
    """Whether training at this rate made it worse, or made its outputs constant."""
    found = drops(trace, chance)
    return found[-1] < found[0] - UNSTABLE or trace.spreads[-1] < 1e-3 * trace.spreads[0]


def _stirs(overfit: Trace, chance: float) -> bool:
    first, *_, before, last = overfit.spreads
    return max(overfit.losses) < SHOT_UP * chance and last > max(STIRRED, before, GROWN * first)


def by_heart(overfit: Trace, chance: float) -> float:
    """The least loss of the last steps on the one batch, as a share of chance; infinite if it diverged."""
    return min(overfit.losses[-3:]) / chance if overfit.finite else float("inf")
