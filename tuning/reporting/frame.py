"""Rows as a pandas data frame, which is optional."""

from typing import TYPE_CHECKING

from keras_cnn.errors import InputError

if TYPE_CHECKING:
    import pandas


def to_frame(rows: list[dict], method: str) -> "pandas.DataFrame":
    """The data frame; InputError without pandas. method: of a study, that returns it."""
    try:
        import pandas as pd
    except ImportError:
        raise InputError(
            f"{method}() returns a pandas.DataFrame: pip install pandas, or read trials.csv, which report() writes."
        ) from None
    return pd.DataFrame(rows)
