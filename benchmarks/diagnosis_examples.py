"""Diagnose eight well-known models on CIFAR-10 and write the reports to docs/diagnosis-examples.md; about an hour.

TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.diagnosis_examples
"""

import datetime
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "diagnosis-examples.md"
IMAGES = 2048
HEAD = """# Diagnosis, eight examples

Eight models on 2,048 CIFAR-10 images, diagnosed before any training; pixels divided by 255 and Adam at a learning
rate of 1e-3 unless stated otherwise. Written by `python -m benchmarks.diagnosis_examples`; numbers of {date}.
"""


def main() -> None:
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow()
    import keras
    import numpy as np

    from keras_cnn.data.sources import load
    from keras_cnn.diagnosis.diagnose import diagnose
    from keras_cnn.diagnosis.report import text
    from keras_cnn.models.build import build_model
    from keras_cnn.models.spec import ModelSpec

    train = load("cifar10").train
    x, y = train.images[:IMAGES].astype("float32") / 255, train.labels[:IMAGES].astype("int32")

    def vgg(convolutions: int, loss="sparse_categorical_crossentropy", rate=1e-3, **settings) -> keras.Model:
        options = {"blocks": 4, "convolutions": convolutions, "width": 16, "dense": []}
        keras.utils.set_random_seed(0)
        settings = {"batch_norm": False, "normalization": "none", "options": options} | settings
        model = build_model(ModelSpec("vgg", (32, 32, 3), 10, **settings))
        model.compile(keras.optimizers.Adam(rate), loss)
        return model

    def lenet(**settings) -> keras.Model:
        keras.utils.set_random_seed(0)
        settings = {"activation": "tanh", "kernel_initializer": "glorot_uniform"} | settings
        model = build_model(
            ModelSpec("lenet5", (32, 32, 3), 10, batch_norm=False, normalization="none", **settings)
        )
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    def softmax_twice() -> keras.Model:
        model = lenet(activation="relu", kernel_initializer="he_normal")
        model = keras.Model(model.inputs[0], keras.layers.Softmax(name="again")(model.outputs[0]))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    shuffled = np.random.default_rng(0).permutation(y)
    models = {
        "The lecture's VGG with sigmoid, 8 convolutions": lambda: (vgg(2, activation="sigmoid"), x, y),
        "16 convolutions with ReLU and Glorot": lambda: (vgg(4, kernel_initializer="glorot_uniform"), x, y),
        "The same with batch normalization": lambda: (vgg(4, batch_norm=True), x, y),
        "LeNet-5 with tanh, on pixels from 0 to 255": lambda: (lenet(), 255 * x, y),
        "LeNet-5 with a second softmax": lambda: (softmax_twice(), x, y),
        "A softmax model whose loss expects logits": lambda: (vgg(1, loss=logits), x, y),
        "A learning rate of 0.3": lambda: (vgg(2, rate=0.3), x, y),
        "Labels shuffled against the images": lambda: (vgg(1), x, shuffled),
    }
    parts = [HEAD.format(date=datetime.date.today())]
    for name, make in models.items():
        model, images, labels = make()
        found = diagnose(model, (images, labels))
        print(name, "|", found.verdict, [finding.name for finding in found.findings], flush=True)
        parts.append(f"## {name}\n\n```\n{text(found)}\n```\n")
    PAGE.write_text("\n".join(parts))


if __name__ == "__main__":
    main()
