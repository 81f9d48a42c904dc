"""keras-cnn describe: the layers of an architecture, the counts of all, and the arithmetic of sizes."""

import json
from typing import Any

from keras_cnn.errors import InputError
from keras_cnn.models.conv_arithmetic import NAMES, solution_lines, solve
from keras_cnn.parser import Parser, new_parser
from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow


def parser() -> Parser:
    result = new_parser(
        "Print the layers of an architecture with sizes, parameters, multiply-adds and receptive fields, and its "
        "options; or solve "
        "floor((size - kernel + 2 padding) / stride) + 1 = output for what is not given."
    )
    result.add_argument("architecture", nargs="?", help="its name; --counts lists them")
    result.add_argument("--counts", action="store_true", help="print the parameters of every architecture")
    result.add_argument(
        "--input_shape", "--input-shape", nargs=3, type=int, default=[224, 224, 3], metavar=("H", "W", "C")
    )
    result.add_argument("--classes", type=int, default=1000)
    result.add_argument(
        "--options",
        type=dict[str, Any],
        default={},
        help="as in --options.blocks 3; those of an architecture are listed below its layers",
    )
    result.add_argument("--batch_norm", "--batch-norm", type=bool, default=False)
    result.add_argument("--json", action="store_true", help="print JSON")
    result.add_argument(
        "--output_size", "--output-size", type=int, metavar="SIZE", help="solve: the side going in"
    )
    for name in NAMES[1:]:
        result.add_argument(f"--{name}", type=int, help=f"solve: {name}")
    return result


def run(options) -> None:
    numbers = {"size": options.output_size, **{name: options[name] for name in NAMES[1:]}}
    known = {name: value for name, value in numbers.items() if value is not None}
    if known:
        _solve(known, options.json)
    elif options.counts:
        import_tensorflow(hidden=OPTIONAL)
        from keras_cnn.models.tables import count_lines

        for line in count_lines():
            print(line, flush=True)
    elif options.architecture:
        _describe(options)
    else:
        raise InputError(
            "name an architecture, as in describe vgg16, or give --counts, or --output_size and others."
        )


def _solve(known: dict[str, int], as_json: bool) -> None:
    # who leaves two numbers out and padding is one of them, means none
    known = known if len(known) > 3 or "padding" in known else {**known, "padding": 0}
    solutions = solve(**known)
    if as_json:
        print(json.dumps(solutions))
        return
    print("\n".join(solution_lines(solutions, known)))


def _describe(options) -> None:
    import_tensorflow(hidden=OPTIONAL)
    from keras_cnn.models.build import build_model
    from keras_cnn.models.describe import describe
    from keras_cnn.models.registry import describe_options
    from keras_cnn.models.spec import ModelSpec
    from keras_cnn.models.tables import layer_table, option_table
    from keras_cnn.models.unallocated import unallocated

    choices = describe_options(options.architecture)
    spec = ModelSpec(
        options.architecture,
        tuple(options.input_shape),
        options.classes,
        normalization="zero_one",
        batch_norm=options.batch_norm,
        options=options.options,
    )
    with unallocated():
        description = describe(build_model(spec))
    if options.json:
        print(json.dumps({**description, "options": choices}))
        return
    print(layer_table(description), option_table(choices), sep="\n\n")
