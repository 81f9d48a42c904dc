"""Models whose weights have shapes but no values, to be counted without their memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import keras
from keras.src.backend.common import global_state


@contextmanager
def unallocated() -> Iterator[None]:
    """A context in which models are built with names, shapes and counts of weights, but without values for them.

    Such a model can be described, not computed with. A variable made inside Keras's stateless scope keeps its
    initializer for later; that list, which Keras has no public name for, is restored at the end, so that no later
    scope allocates what was only counted.
    """
    pending = global_state.get_global_attribute("uninitialized_variables", [], set_to_default=True)
    before = list(pending)
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        pending[:] = before
