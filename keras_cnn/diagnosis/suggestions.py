"""What to do about a finding, with the expected effect; and the record that describes one kind of finding.

MEASURED is counted from benchmarks/fault_labels.jsonl (long training of generated networks, 2026-11-25): how often a
single change made a network learn that had learned at no learning rate.
"""

from dataclasses import dataclass

# change -> (networks that learned with this change alone, networks it was tried on)
MEASURED = {
    "batch_normalization": (86, 87),
    "initializer": (24, 28),
    "initializer, sigmoid": (1, 29),
    "activation, sigmoid": (42, 58),
    "skip_connections": (45, 87),
}


@dataclass(frozen=True)
class Suggestion:
    """A change that may fix a finding.

    Args:
        what: the change, as an instruction without a full stop.
        effect: the expected effect.
    """

    what: str
    effect: str

    def __str__(self) -> str:
        return f"{self.what}. Expect: {self.effect}"


@dataclass(frozen=True)
class FindingKind:
    """One kind of finding: a row of `findings.FINDINGS`.

    Args:
        meaning: one sentence: what is wrong and why it impairs training.
        threshold: the value with its unit above or below which it is reported, and the source of the value.
        suggestions: what to do, the cheapest change first.
        remedies: names of `remedies.REMEDIES` that may fix it, the most promising first.
    """

    meaning: str
    threshold: str
    suggestions: tuple[Suggestion, ...]
    remedies: tuple[str, ...] = ()


def _measured(change: str) -> str:
    return "{} of {} untrainable networks learned with it".format(*MEASURED[change])


INITIALIZER = Suggestion(
    "use an initializer that suits the activation: he_normal for ReLU and its variants, glorot_uniform for tanh",
    f"every layer preserves the variance of its input. {_measured('initializer')}; with sigmoid, which attenuates "
    "every signal, {} of {}".format(*MEASURED["initializer, sigmoid"]),
)
BATCH_NORM = Suggestion(
    "add batch normalization",
    "the input of every activation has mean 0 and standard deviation 1 whatever the weights before it; larger learning "
    f"rates work; a step takes about 10 % longer. {_measured('batch_normalization')}",
)
RELU = Suggestion(
    "replace sigmoid and tanh by ReLU",
    f"the slope is 1 instead of at most 0.25 (sigmoid). {_measured('activation, sigmoid')} in place of sigmoid",
)
SKIP = Suggestion(
    "add skip connections around layers that keep their shape",
    f"signal and gradient bypass each layer. {_measured('skip_connections')}",
)
LEAKY = Suggestion("use leaky_relu", "a small gradient passes below 0, so that dead units recover")
CLIP = Suggestion(
    "clip the gradients",
    "no single batch can destroy the weights; it does not help where every step is too large",
)
NORMALIZE = Suggestion(
    "normalize the inputs: normalization='zero_mean', or a Rescaling layer in front",
    "inputs have the scale that initializers assume, and usual learning rates work",
)
LR_FIND = Suggestion(
    "use the learning rate that keras-cnn lr-find suggests",
    "within a factor of 3 of the best learning rate in 7 of 8 sweeps",
)
SMALLER_RATE = Suggestion(
    "divide the learning rate by 3", "shorter steps, along which the gradient stays valid"
)
TENTH = Suggestion("divide the learning rate by 10", "steps a tenth as long, which rarely diverge")
TEN_TIMES = Suggestion(
    "multiply the learning rate by 10", "a loss that falls slowly falls up to ten times as fast"
)
NEW_WEIGHTS = Suggestion(
    "initialize the weights again with he_normal or glorot_uniform, biases 0",
    "units differ from each other and receive gradients",
)
SOFTMAX = Suggestion("end the model in softmax", "probabilities compete: raising one class lowers the others")
USE_LOGITS = Suggestion(
    "remove the last activation and compile the loss with from_logits=True",
    "logits of any size, each with a gradient",
)
INSPECT_SAMPLES = Suggestion(
    "inspect some images with their labels",
    "an error in the data becomes visible; no change of the model corrects it",
)
