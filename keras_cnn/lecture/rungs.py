"""The rungs of the lecture: what each one changes, and what the lecture claims of it."""

from dataclasses import dataclass

RATE, LOWER = 1e-3, 3e-4
WIDTH = 64  # filters in the first block of VGG


@dataclass(frozen=True)
class Rung:
    """A step of the lecture.

    Args:
        name: of the rung.
        changes: values of `TrainSettings`.
        claim: of the lecture: `stuck`, `better` or `baseline`, see `judge`.
        than: name of the rung that it is compared with; empty for none.
        rates: further learning rates at which the claim is tested.
    """

    name: str
    changes: dict
    claim: str
    than: str = ""
    rates: tuple[float, ...] = ()


def vgg(blocks: int, convolutions: int) -> dict:
    return {"blocks": blocks, "convolutions": convolutions, "dense": []}


PLAIN = {
    "batch_norm": False,
    "activation": "relu",
    "kernel_initializer": "random_normal",
    "normalization": "zero_one",
}
DEEP = PLAIN | {"options": vgg(4, 4)}  # 16 convolutions
RUNGS = (
    Rung("small", PLAIN | {"options": vgg(1, 1)}, "baseline"),
    Rung("more_blocks", PLAIN | {"options": vgg(3, 1)}, "better", "small"),
    Rung("sigmoid", PLAIN | {"options": vgg(4, 2), "activation": "sigmoid"}, "stuck", rates=(LOWER, 1e-2)),
    Rung("relu", PLAIN | {"options": vgg(4, 2)}, "better", "sigmoid"),
    Rung("glorot", PLAIN | {"options": vgg(4, 2), "kernel_initializer": "glorot_uniform"}, "better", "relu"),
    Rung("deeper", DEEP | {"kernel_initializer": "glorot_uniform"}, "stuck", rates=(LOWER,)),
    Rung("he", DEEP | {"kernel_initializer": "he_normal"}, "better", "deeper", rates=(LOWER,)),
    *(
        Rung(
            f"normalization_{kind}",
            PLAIN | {"options": vgg(4, 2), "kernel_initializer": "he_normal", "normalization": kind},
            "baseline" if kind == "none" else "better",
            "" if kind == "none" else "normalization_none",
        )
        for kind in ("none", "zero_one", "minus_one_one", "zero_mean", "per_image")
    ),
    Rung(
        "batch_norm",
        DEEP | {"kernel_initializer": "he_normal", "normalization": "zero_mean", "batch_norm": True},
        "better",
        "he",
        rates=(LOWER,),
    ),
)
MATRIX: dict[str, tuple] = {
    "activation": ("sigmoid", "tanh", "relu"),
    "kernel_initializer": ("glorot_uniform", "he_normal"),
    "convolutions": (2, 4),  # in each of four blocks: 8 or 16
    "batch_norm": (False, True),
    "learning_rate": (RATE, LOWER),
}
