"""What a remedy is applied to."""

from dataclasses import dataclass

import keras

from keras_cnn.diagnosis.probe.data import Sample
from keras_cnn.diagnosis.probe.objective import Objective
from keras_cnn.diagnosis.remedies.surgery import compiled_like


@dataclass(frozen=True)
class RepairContext:
    """What a remedy is applied to.

    Args:
        model: the original.
        sample: images and labels.
        objective: its loss and optimizer.
        rate: best learning rate of the probe; the configured one if there is none.
        seed: of new weights.
    """

    model: keras.Model
    sample: Sample
    objective: Objective
    rate: float
    seed: int = 0

    def compiled(self, new: keras.Model, **changes) -> keras.Model:
        return compiled_like(new, self.model, self.objective, **changes)
