"""What to do about a finding, and what to expect of it.

How often a single change made nets learn that learn at no rate was measured by long training: `MEASURED` is counted
from benchmarks/fault_labels.jsonl, and the effects below tell it.
"""

from dataclasses import dataclass

# change -> (nets that learned with it alone, nets it was tried on)
MEASURED = {
    "batch_normalization": (86, 87),
    "initializer": (24, 28),
    "initializer, sigmoid": (1, 29),
    "activation, sigmoid": (42, 58),
    "skip_connections": (45, 87),
}


@dataclass(frozen=True)
class Suggestion:
    """what: to do. effect: what it is expected to come to."""

    what: str
    effect: str

    def __str__(self) -> str:
        return f"{self.what}. Expect: {self.effect}"


def _measured(change: str) -> str:
    return "{} of {} nets that learned at no rate learned with it".format(*MEASURED[change])


INITIALIZER = Suggestion(
    "an initializer that suits the activation: he_normal for ReLU and its kin, glorot_uniform for tanh",
    f"each layer hands on the signal as strong as it came. {_measured('initializer')}; with sigmoid, which weakens "
    "whatever it is given, {} of {}".format(*MEASURED["initializer, sigmoid"]),
)
BATCH_NORM = Suggestion(
    "batch normalization",
    "every layer is fed mean 0 and deviation 1, whatever the weights before it, and larger rates work, for about a "
    f"tenth more time. {_measured('batch_normalization')}",
)
RELU = Suggestion(
    "ReLU for sigmoid and tanh",
    f"a slope of 1 instead of a quarter or less. Of sigmoid's {_measured('activation, sigmoid')}",
)
SKIP = Suggestion(
    "skip connections around layers that keep their shape",
    f"signal and gradient have a way past each layer. {_measured('skip_connections')}",
)
LEAKY = Suggestion("leaky_relu", "below 0 a little gradient passes, so that units come back")
CLIP = Suggestion(
    "clip the gradients",
    "no single batch can throw the weights away; of no use where every step is too large",
)
NORMALIZE = Suggestion(
    "normalize the inputs: normalization='zero_mean', or a Rescaling layer in front",
    "the first layer is fed what its weights were drawn for, and usual learning rates work",
)
LR_FIND = Suggestion(
    "the rate that keras-cnn lr-find suggests", "within a factor of 3 of the best in 7 of 8 sweeps"
)
SMALLER_RATE = Suggestion(
    "a third of the learning rate", "smaller steps, that stay where the slope was measured"
)
TENTH = Suggestion("a tenth of the learning rate", "steps a tenth as long, which seldom diverge")
TEN_TIMES = Suggestion(
    "ten times the learning rate", "where the loss falls, but slowly, it falls as much faster"
)
NEW_WEIGHTS = Suggestion(
    "draw the weights anew with he_normal or glorot_uniform, biases 0",
    "units that differ, and have a gradient",
)
SOFTMAX = Suggestion(
    "end the net in softmax", "probabilities that compete: one class goes up, the others go down"
)
USE_LOGITS = Suggestion(
    "remove the last activation, and tell the loss from_logits=True",
    "scores of any size, and a gradient for each",
)
INSPECT_SAMPLES = Suggestion(
    "look at some images with their labels", "a mistake in the data shows within a minute; no net mends it"
)
