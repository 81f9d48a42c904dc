"""Configuration files in YAML, checked before they are parsed: a few lines can stand for more than memory holds."""

import contextlib

from keras_cnn.errors import InputError

MAX_CONFIG_BYTES = 1_000_000
MAX_DEPTH = 20  # lists and mappings in one another; options need 3


def check_yaml(text: str) -> None:
    """Raise InputError for YAML with aliases, each of which may repeat others, or nested too deeply.

    What is no YAML at all is left to the parser.
    """
    import yaml

    depth = 0
    with contextlib.suppress(yaml.YAMLError):
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.AliasEvent):
                raise InputError(
                    f"the configuration has an alias (*{event.anchor}), and aliases are not read. "
                    "Write the value out where it is needed."
                )
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise InputError(
                    f"the configuration is nested deeper than {MAX_DEPTH} lists and mappings, and options need 3."
                )
