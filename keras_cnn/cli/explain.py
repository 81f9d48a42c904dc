"""keras-cnn explain: Grad-CAM, masks and feature maps of a trained model, as pictures."""

from pathlib import Path

from keras_cnn.parser import Parser, image_files, new_parser, start_tensorflow


def parser() -> Parser:
    result = new_parser(
        "Draw Grad-CAM, or the predicted mask, and the feature maps of a trained model's layers."
    )
    result.add_argument("run", help="directory of a run, of a trial, or of a study for its best trial")
    result.add_argument(
        "files", nargs="*", help="image files, and folders of such (default: some test images)"
    )
    result.add_argument("--layers", nargs="+", default=[], help="default: all activations, sums and pools")
    result.add_argument("--directory", help="where to put the pictures (default: RUN/explain)")
    return result


def run(options) -> None:
    files = image_files(options.files)
    start_tensorflow()
    from keras_cnn.serving.explain import explain_run

    source = Path(options.run)
    explain_run(source, files, options.layers, Path(options.directory or source / "explain"))
