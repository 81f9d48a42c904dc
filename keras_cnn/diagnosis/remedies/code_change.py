"""What a repair changed, as instructions for the code of the user."""

import inspect
from typing import Any

import keras

from keras_cnn.diagnosis.graph.graph import layers_of, predecessors

NOT_SHOWN = {"name", "dtype", "trainable", "build_config", "batch_shape", "seed"}


def code_changes(old: keras.Model, new: keras.Model) -> list[str]:
    """How to change the code that builds and compiles `old` so that it gives `new`.

    Args:
        old: the original model.
        new: the repaired one, in which layers kept their names.

    Returns:
        One instruction for each change, in the order of the layers, the arguments of `compile` last.
    """
    known = {layer.name: layer for layer in layers_of(old)}
    changes = []
    for layer in layers_of(new):
        if layer.name in known:
            changes += _changed(known[layer.name], layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            changes.append(_inserted(layer, new))
    return [*changes, *_compiled(old, new)]


def constructor(layer: keras.layers.Layer) -> str:
    """The call that creates a layer: its class with the arguments that are not defaults."""
    given = {key: value for key, value in _shown(layer).items() if value != _defaults(layer).get(key)}
    return f"{type(layer).__name__}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _inserted(layer: keras.layers.Layer, model: keras.Model) -> str:
    before = [one.name for one in predecessors(layer, model) if not isinstance(one, keras.layers.InputLayer)]
    where = f"after {before[0]}" if before else "in front of the model"
    return f"add {constructor(layer)} {where}"


def _changed(old: keras.layers.Layer, new: keras.layers.Layer) -> list[str]:
    if type(new).__name__ != type(old).__name__:
        return [f"{old.name}: replace {constructor(old)} by {constructor(new)}"]
    before, after = _shown(old), _shown(new)
    given = ", ".join(f"{key}={value!r}" for key, value in after.items() if value != before.get(key))
    changes = [f"{old.name}: {given}"] if given else []
    if new.trainable != old.trainable and old.weights:
        changes.append(f"{old.name}.trainable = {new.trainable}")
    return changes


def _compiled(old: keras.Model, new: keras.Model) -> list[str]:
    """The changes of loss and optimizer."""
    before, after = (_settings(model) for model in (old, new))
    given = {key: value for key, value in after.items() if value != before.get(key)}
    return [f"compile: {', '.join(f'{key}={value}' for key, value in given.items())}"] if given else []


def _settings(model: keras.Model) -> dict[str, str]:
    if getattr(model, "optimizer", None) is None:
        return {}
    inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    config = inner.get_config()
    rate = config["learning_rate"]
    shown = f"{rate:.3g}" if isinstance(rate, int | float) else "a schedule"
    clip = config.get("global_clipnorm")
    optimizer = f"{type(inner).__name__}({shown}{f', global_clipnorm={clip:g}' if clip else ''})"
    loss = model.loss
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")
    return {"optimizer": optimizer, "loss": repr(name)}


def _shown(layer: keras.layers.Layer) -> dict[str, Any]:
    return {key: _plain(value) for key, value in layer.get_config().items() if key not in NOT_SHOWN}


def _defaults(layer: keras.layers.Layer) -> dict[str, Any]:
    """The configuration of such a layer that is given its required arguments only, without these."""
    config = layer.get_config()
    parameters = inspect.signature(type(layer)).parameters.values()
    required = {one.name for one in parameters if one.default is one.empty and one.name in config}
    try:
        plain = type(layer)(**{key: config[key] for key in required})
    except (TypeError, ValueError):
        return {}
    return {key: value for key, value in _shown(plain).items() if key not in required}


def _plain(value: Any) -> Any:
    """Serialized objects as their names: `HeNormal` for an initializer with its default settings."""
    if isinstance(value, dict) and "class_name" in value:
        settings = {
            key: one for key, one in value.get("config", {}).items() if one is not None and key != "seed"
        }
        return (
            f"{value['class_name']}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"
            if settings
            else value["class_name"]
        )
    return value
