"""The learning rates that are usual for an optimizer, and the largest that is probed."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class RateScale:
    """Learning rates of one optimizer.

    Args:
        usual: learning rates that are probed where the configured one fails, the most usual first.
        largest: that is probed, unless the configured one is larger.
    """

    usual: tuple[float, ...]
    largest: float


# Steps of Adam and its variants are as long as their learning rate however small the gradients are; scores of short
# runs at larger ones than these do not last
ADAM = RateScale((1e-3, 1e-2, 1e-4, 1e-1), 1e-2)
MOMENTUM = RateScale((1e-3, 1e-2, 1e-4, 1e-1), 1e-1)
SGD = RateScale((*MOMENTUM.usual, 3e-1), 3e-1)
# the sign of the gradient, whose steps are longer than Adam's: Chen et al. 2023, section 5
LION = RateScale((1e-4, 1e-3, 1e-5), 1e-3)
# the sum of all squared gradients grows, so that steps become shorter: Duchi et al. 2011
ADAGRAD = RateScale((1e-2, 1e-1, 1e-3), 3e-1)
# a ratio of root mean squares, meant for a learning rate of 1: Zeiler 2012
ADADELTA = RateScale((1.0, 10.0, 1e-1), 10.0)
SCALES = {"Lion": LION, "Adagrad": ADAGRAD, "Ftrl": ADAGRAD, "Adadelta": ADADELTA}


def rate_scale(optimizer: keras.optimizers.Optimizer) -> RateScale:
    """The learning rates of an optimizer, that of Adam for unknown ones."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(inner, keras.optimizers.SGD):
        return MOMENTUM if inner.momentum else SGD
    names = [one.__name__ for one in type(inner).__mro__]
    return next((SCALES[name] for name in names if name in SCALES), ADAM)
