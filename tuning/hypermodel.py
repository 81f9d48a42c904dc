"""HyperCNN: the search space and the builders as a plain KerasTuner HyperModel, for stock tuners too."""

from collections.abc import Sequence

import keras
import keras_tuner as kt
import numpy as np
import tensorflow as tf

from keras_cnn.data.dataset import DataFacts, Split
from keras_cnn.data.pipeline import evaluation_batches, steps_per_epoch, training_batches
from keras_cnn.data.windows import cut
from keras_cnn.models.build import build_model
from keras_cnn.task import TASKS
from keras_cnn.training.batchnorm_statistics import BatchStatistics
from keras_cnn.training.compile import compile_model
from keras_cnn.training.config import TrainSettings
from keras_cnn.training.ema import AveragedWeights
from keras_cnn.training.evaluate import window_of
from keras_cnn.training.train import batches_of
from tuning.space.space import overlay, suggest


class HyperCNN(kt.HyperModel):
    """`build` and `fit` of one point of an architecture's space.

    Works in every stock KerasTuner tuner, with or without its `distribution_strategy`:

        tuner = kt.RandomSearch(HyperCNN(facts), objective="val_accuracy", distribution_strategy=strategy, ...)
        tuner.search(images, labels, validation_data=(images, labels), epochs=5)

    facts: of the data (`keras_cnn.data.sources.load(name).facts`). base: settings that are not searched.
    given: hyperparameters to leave at their value in `base`, by dotted name. wide: as in `space.point`.
    """

    def __init__(
        self,
        facts: DataFacts,
        base: TrainSettings | None = None,
        fixed_hyperparameters: dict | None = None,
        *,
        use_gpu_widths: bool = False,
    ):
        super().__init__()
        self.facts, self.fixed_hyperparameters, self.use_gpu_widths = (
            facts,
            fixed_hyperparameters or {},
            use_gpu_widths,
        )
        self.base = (base or TrainSettings()).resolved(facts)
        self._seen = self.base.input_facts(facts)

    def settings(self, hp: kt.HyperParameters) -> TrainSettings:
        """The settings for the values of `hp`; declares hyperparameters that `hp` lacks."""
        values = suggest(
            hp,
            [self.base.architecture],
            self._seen,
            self.fixed_hyperparameters,
            use_gpu_widths=self.use_gpu_widths,
        )
        return TrainSettings.from_dict(overlay(self.base.to_dict(), values))

    def build(self, hp: kt.HyperParameters) -> keras.Model:
        """A compiled model; its learning-rate schedule is the one of `base.epochs` epochs."""
        settings = self.settings(hp)
        batch_size = settings.batch_size * tf.distribute.get_strategy().num_replicas_in_sync
        model = build_model(settings.model_spec(self.facts))
        images, window = self.facts.images("train"), window_of(model)
        count = window.count(images, self.facts.shape) if window else images
        compile_model(
            model, settings, max(1, count // batch_size), TASKS[self.facts.task], self.facts.classes
        )
        return model

    def fit(
        self,
        hp: kt.HyperParameters,
        model: keras.Model,
        x: np.ndarray,
        y: np.ndarray,
        *,
        validation_data: tuple[np.ndarray, np.ndarray],
        epochs: int = 1,
        initial_epoch: int = 0,
        callbacks: Sequence[keras.callbacks.Callback] = (),
        **arguments,
    ) -> keras.callbacks.History:
        """Train on uint8 images `x` (N, H, W, C) and labels `y` (N,), or masks (N, H, W), with the point's batch size
        and augmentation."""
        settings, window = self.settings(hp), window_of(model)
        train, validation = (
            Split(images, np.asarray(labels, np.uint8 if window else np.int64))
            for images, labels in ((x, y), validation_data)
        )
        replicas = model.distribute_strategy.num_replicas_in_sync
        batch_size = settings.batch_size * replicas
        batches = batches_of(
            settings, train, self.facts, batch_size, window, epochs=epochs, initial_epoch=initial_epoch
        )
        statistics = BatchStatistics(
            training_batches(train, batch_size, epochs=1, seed=settings.seed, window=window)
        )
        validation = cut(validation, window) if window else validation
        return model.fit(
            batches,
            validation_data=evaluation_batches(validation, 2 * batch_size, replicas=replicas),
            steps_per_epoch=steps_per_epoch(train, batch_size, window),
            epochs=epochs,
            initial_epoch=initial_epoch,
            shuffle=False,
            callbacks=[AveragedWeights(), statistics, *callbacks],
            **arguments,
        )
