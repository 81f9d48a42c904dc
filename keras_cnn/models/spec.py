"""ModelSpec: everything that determines a model except its weights, as plain data."""

import dataclasses
from dataclasses import dataclass, field

from keras_cnn.errors import InputError, unknown_name

NORMALIZATIONS = ("none", "zero_one", "minus_one_one", "zero_mean", "per_image")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class ModelSpec:
    """A model as names and numbers; equal specs build equal graphs.

    Args:
        architecture: a name of `registry.ARCHITECTURES`.
        input_shape: (height, width, channels) of the images.
        classes: number of classes, at least 2.
        activation: name of a Keras activation, used by every hidden layer.
        kernel_initializer: name of a Keras initializer, used by every hidden layer.
        batch_norm: whether to put batch normalization between each hidden layer and its activation.
        synchronized: whether, under a distribution strategy, batch normalization uses the statistics of the global
            batch instead of each replica's own.
        dropout: rate in [0, 1) after every block and hidden dense layer.
        normalization: of the pixels in the first layer; a name of `NORMALIZATIONS`.
        mean: per channel, in pixel units; needed by `zero_mean` only.
        variance: per channel, in squared pixel units; needed by `zero_mean` only.
        value_range: the smallest and the largest value of a pixel, which `zero_one` and `minus_one_one` map to the ends
            of theirs.
        precision: a Keras dtype policy; the output is float32 in all of them.
        options: the architecture's own keyword arguments, such as `{"blocks": 3}`.

    Raises:
        InputError: for a value outside its range.
    """

    architecture: str
    input_shape: tuple[int, int, int]
    classes: int
    activation: str = "relu"
    kernel_initializer: str = "he_normal"
    batch_norm: bool = True
    synchronized: bool = False
    dropout: float = 0.0
    normalization: str = "zero_mean"
    mean: tuple[float, ...] | None = None
    variance: tuple[float, ...] | None = None
    value_range: tuple[float, float] = (0.0, 255.0)
    precision: str = "float32"
    options: dict = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.input_shape) != 3 or min(self.input_shape) < 1:
            raise InputError(f"input_shape {self.input_shape} is not (height, width, channels), each >= 1.")
        if self.classes < 2:
            raise InputError(f"classes={self.classes}: a classifier needs at least 2 classes.")
        if not 0 <= self.dropout < 1:
            raise InputError(f"dropout={self.dropout} is outside [0, 1).")
        if self.normalization not in NORMALIZATIONS:
            raise unknown_name("normalization", self.normalization, NORMALIZATIONS)
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        if len(self.value_range) != 2 or not self.value_range[0] < self.value_range[1]:
            raise InputError(f"value_range={self.value_range} must be (low, high) with low below high.")
        if self.normalization == "zero_mean":
            self._check_statistics()

    def _check_statistics(self) -> None:
        for name in ("mean", "variance"):
            values = getattr(self, name)
            if values is None or len(values) != self.input_shape[2]:
                raise InputError(
                    f"normalization 'zero_mean' needs one {name} per channel ({self.input_shape[2]}), "
                    f"received {values}; take them from the data's facts or choose another normalization."
                )

    def to_dict(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "ModelSpec":
        unknown = set(values) - {f.name for f in dataclasses.fields(cls)}
        if unknown:
            raise unknown_name("model setting", min(unknown), (f.name for f in dataclasses.fields(cls)))
        tuples = {
            key: tuple(values[key])
            for key in ("input_shape", "mean", "variance", "value_range")
            if values.get(key)
        }
        return cls(**{**values, **tuples})
