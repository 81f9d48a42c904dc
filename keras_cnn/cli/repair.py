"""keras-cnn repair: apply remedies to a model that does not learn."""

from keras_cnn.cli.diagnose import add_common, prepared
from keras_cnn.errors import InputError
from keras_cnn.files import write_file
from keras_cnn.parser import Parser, new_parser
from keras_cnn.records import write_record

MESSAGES = "stderr"


def parser() -> Parser:
    result = new_parser(
        "Apply remedies to a model that does not learn, and train before and after on one budget of steps."
    )
    add_common(result, "DATA-repair-N")
    result.add_argument(
        "--budget", type=int, default=300, help="training steps of the original and of each attempt"
    )
    return result


def run(options) -> None:
    if options.budget < 10:
        raise InputError(f"--budget {options.budget} must be at least 10 steps; 300 is usual.")
    with prepared(options, "repair") as (directory, model, data):
        from keras_cnn.diagnosis.diagnose import diagnose
        from keras_cnn.diagnosis.repair import repair
        from keras_cnn.diagnosis.report import text, write_report

        found = diagnose(model, data, batch_size=options.batch_size)
        write_report(found, directory)
        print(text(found) + "\n")
        repaired = repair(model, data, found, budget=options.budget)
        write_record(directory / "repair.json", repaired.to_dict())
        print(f"\n{repaired}")
        if repaired.succeeded:
            write_file(directory / "repaired.keras", repaired.model.save)
            print(f"repaired model, with its initial weights: {directory / 'repaired.keras'}")
