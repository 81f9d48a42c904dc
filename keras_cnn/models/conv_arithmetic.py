"""The arithmetic of sizes: floor((size - kernel + 2 padding) / stride) + 1 = output, solved for what is not given."""

import itertools
from collections.abc import Iterator

from keras_cnn.errors import InputError

NAMES = ("size", "kernel", "padding", "stride", "output")
LEAST = {"size": 1, "kernel": 1, "padding": 0, "stride": 1, "output": 1}
LARGEST = 4096  # pixels: where the search for one number ends
USUAL = 11  # the largest kernel and stride that are tried where two numbers are open


def output_size(size: int, kernel: int, padding: int, stride: int) -> int:
    """Pixels that a convolution or pool leaves of `size`; 0 or less if the kernel does not fit."""
    return (size - kernel + 2 * padding) // stride + 1


def solve(**known: int) -> list[dict[str, int]]:
    """All solutions of the formula as the five numbers of `NAMES`, rising, from three or four that are `known`.

    There are several where the floor hides a remainder, or where two numbers are open. In a solution less than half of
    the kernel is padding, or whole windows would lie outside the image. InputError, in words, for fewer than three
    numbers, for five, and where nothing solves.
    """
    unknown = [name for name in NAMES if name not in known]
    if not 1 <= len(unknown) <= 2:
        raise InputError(
            f"give three or four of {', '.join(NAMES)}, not {len(known)}: one equation finds one number, or with the "
            f"usual kernels and strides up to {USUAL} the pairs of two."
        )
    for name, value in known.items():
        if value < LEAST[name]:
            raise InputError(f"{name}={value} must be at least {LEAST[name]}.")
    candidates = ({**known, **dict(zip(unknown, values, strict=True))} for values in _values(unknown))
    found = [{name: numbers[name] for name in NAMES} for numbers in candidates if _holds(**numbers)]
    if not found:
        raise InputError(f"no {' and '.join(unknown)} solves it: {_why(unknown, known)}")
    return found


def _values(unknown: list[str]) -> itertools.product:
    """What is tried for the open numbers."""
    usual = len(unknown) > 1
    ends = {name: USUAL if usual and name in ("kernel", "stride", "padding") else LARGEST for name in unknown}
    return itertools.product(*(range(LEAST[name], ends[name] + 1) for name in unknown))


def _holds(size: int, kernel: int, padding: int, stride: int, output: int) -> bool:
    return 2 * padding < max(kernel, 1) and output_size(size, kernel, padding, stride) == output


def _why(unknown: list[str], known: dict[str, int]) -> str:
    """What is nearest to a solution, in words."""
    if 2 * known.get("padding", 0) >= known.get("kernel", LARGEST):
        return "half of the kernel or more would be padding, and whole windows would lie outside the image."
    if unknown == ["output"]:
        return f"a kernel of {known['kernel']} does not fit into {known['size']} + 2 x {known['padding']} pixels."
    if len(unknown) > 1:
        return f"not with kernels and strides up to {USUAL}."
    wanted, rest = known["output"], {name: value for name, value in known.items() if name != "output"}
    outputs = {
        value: output_size(**rest, **{unknown[0]: value}) for value in range(LEAST[unknown[0]], LARGEST)
    }
    value = min(outputs, key=lambda value: abs(outputs[value] - wanted))
    return f"it is no whole number; nearest is {unknown[0]} {value}, which gives {outputs[value]}."


def solution_lines(solutions: list[dict[str, int]], known: dict[str, int], most: int = 12) -> Iterator[str]:
    """The solutions of `solve` in words, the found numbers first."""
    found = [name for name in NAMES if name not in known]
    for numbers in solutions[:most]:
        listed = ", ".join(f"{name} {numbers[name]}" for name in found)
        formula = "floor(({size} - {kernel} + 2 x {padding}) / {stride}) + 1 = {output}".format(**numbers)
        yield f"{listed}: {formula}"
    if len(solutions) > most:
        yield f"and {len(solutions) - most} more"
