"""`describe` and `lr-find`, as a user runs them."""

import json
import resource

import pytest

import keras_cnn.cli
from keras_cnn.models.registry import ARCHITECTURES


def test_describe_prints_json(capsys):
    arguments = ["describe", "vgg16", "--input-shape", "32", "32", "3", "--classes", "10"]
    assert keras_cnn.cli.main([*arguments, "--options.dense", "[]", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == ""
    assert found["parameters"] == found["trainable_parameters"] == 14_719_818
    assert [layer["name"] for layer in found["layers"]][1] == "block1_conv1"
    assert found["options"] == {
        "dense": {"default": [4096, 4096], "allowed": "a list of positive integers, which may be empty"}
    }


def test_describe_prints_a_table_of_layers(capsys):
    arguments = ["describe", "lenet5", "--input_shape", "28", "28", "1", "--classes", "10"]
    assert keras_cnn.cli.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "61,706 parameters" in printed
    assert "block2_conv1" in printed and "10x10x16" in printed
    assert printed.endswith("no options of its own\n")


def test_describe_lists_the_options_of_the_architecture(capsys):
    arguments = ["describe", "unet", "--input_shape", "32", "32", "1", "--options.width", "4"]
    assert keras_cnn.cli.main(arguments) == 0
    options = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()[-6:]]
    assert options[0] == ["option", "default", "allowed"]
    assert options[3] == ["--options.width", "64", "an integer of at least 1"]
    assert options[5] == ["--options.upsampling", '"transpose"', "one of transpose, resize"]


def test_describe_of_an_output_size_prints_the_stride(capsys):
    exercise = ["describe", "--output-size", "28", "--kernel", "2", "--padding", "0", "--output", "14"]
    assert keras_cnn.cli.main(exercise) == 0
    assert capsys.readouterr().out == "stride 2: floor((28 - 2 + 2 x 0) / 2) + 1 = 14\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["describe"], "name an architecture"),
        (["describe", "vgg17"], "unknown architecture 'vgg17'"),
        (["describe", "vgg16", "--input_shape", 8, 8, 3], "too small"),
        (
            ["describe", "--output_size", 28, "--kernel", 5, "--padding", 0, "--output", 17],
            "nearest is stride",
        ),
        (["lr-find", "--steps", 3], "steps=3 must be at least 10"),
        (["lr-find", "--threads", 0], "threads=0 must be at least 1"),
        (["train", "--directory", ""], "directory is empty"),
        (["predict", "model", ""], "files is empty"),
        (["app", "--hosts", ""], "hosts is empty"),
        (["train", "--directory", "/proc/run", "--epochs", 1], "/proc/run: No such file or directory"),
        (["lr-find", "--threads", 10**9], "threads=1000000000 must be at most"),
        (["train", "--resume", ""], "resume is empty"),
        (["lr-find", "--architecture", "vgg17"], "unknown architecture 'vgg17'"),
    ],
)
def test_command_with_a_mistake_prints_one_line(complain, arguments, message):
    assert message in complain(keras_cnn.cli, *map(str, arguments))


@pytest.mark.slow
def test_lr_find_prints_a_rate_and_leaves_a_plot(keras_cnn, tmp_path):
    """`training/test_lr_finder.py` does the same in one process."""
    arguments = [
        "--options.width",
        8,
        "--options.blocks",
        2,
        "--steps",
        60,
        "--threads",
        1,
        "--directory",
        "lr",
    ]
    run = keras_cnn("lr-find", *arguments, folder=tmp_path)
    assert run.returncode == 0 and run.stderr == "", run.stderr
    assert "suggested: --learning_rate" in run.stdout and "plot: lr/lr_find.png" in run.stdout
    assert (tmp_path / "lr" / "lr_find.png").exists() and (tmp_path / "lr" / "lr_find.json").exists()


@pytest.mark.slow
def test_describe_counts_the_parameters_of_all_architectures(capsys):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert keras_cnn.cli.main(["describe", "--counts"]) == 0
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    counts = {line.split()[0]: line.split()[3:] for line in capsys.readouterr().out.splitlines()[1:]}
    assert list(counts) == list(ARCHITECTURES)
    assert counts["alexnet"][0] == "60,965,224" and counts["vgg19"][0] == "143,667,240"
    assert counts["convnext_xlarge"] == ["350,196,968"] and counts["lenet5"][0] == "61,706"
    assert counts["vgg16"] == ["138,357,544", "138,382,376,", "138,407,208"]
    assert grown < 350_196_968  # a quarter of the weights of the largest


def test_ctrl_c_before_a_command_runs_prints_one_line(monkeypatch, capsys):
    def interrupted(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras_cnn.cli, "main", interrupted)
    monkeypatch.setattr(keras_cnn.cli.stderr_filter, "install", lambda: None)
    with pytest.raises(SystemExit, match="2"):
        keras_cnn.cli.console()
    assert capsys.readouterr().err == "error: interrupted.\n"
