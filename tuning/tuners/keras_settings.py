"""Keras's global settings of a process, for another to have the same."""

from typing import Any

import keras
import tensorflow as tf


def keras_settings() -> dict[str, Any]:
    """The settings that change what a script's models are, and its registered classes."""
    return {
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
        "dtype_policy": keras.config.dtype_policy(),
        "run_functions_eagerly": tf.config.functions_run_eagerly(),
        "custom_objects": dict(keras.saving.get_custom_objects()),
    }


def apply_keras_settings(settings: dict[str, Any]) -> None:
    """Give this process the settings that `keras_settings` found in another."""
    keras.config.set_floatx(settings["floatx"])
    keras.config.set_epsilon(settings["epsilon"])
    keras.config.set_image_data_format(settings["image_data_format"])
    keras.config.set_dtype_policy(settings["dtype_policy"])
    tf.config.run_functions_eagerly(settings["run_functions_eagerly"])
    for name, custom in settings["custom_objects"].items():
        package, separator, short = name.partition(">")
        if name in keras.saving.get_custom_objects():
            continue
        if separator:
            keras.saving.register_keras_serializable(package, short)(custom)
        else:
            keras.saving.get_custom_objects()[name] = custom
