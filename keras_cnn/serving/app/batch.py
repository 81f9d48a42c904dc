"""Many images on the page: a table to read, to download, and to choose one from."""

import base64
import io
from collections.abc import Sequence

import numpy as np
import streamlit as st

from keras_cnn.data.decode import resize
from keras_cnn.errors import InputError
from keras_cnn.files import to_csv
from keras_cnn.serving.app.answer import answers
from keras_cnn.serving.app.inputs import Given
from keras_cnn.serving.predictor import Predictor

THUMBNAIL = 48
COLUMNS = ["file", "label", "probability", "error"]  # of the file


def show_batch(predictor: Predictor, given: Sequence[Given]) -> Given | None:
    """The table of all answers; returns the image whose row is chosen."""
    rows = []
    bar = st.progress(0.0, text="predicting")
    sources = [image.source for image in given]
    for index, found in enumerate(answers(predictor, sources)):
        bar.progress((index + 1) / len(given), text=f"{index + 1} of {len(given)}")
        rows.append(_row(given[index].name, found, predictor))
    bar.empty()
    failed = sum(bool(row["error"]) for row in rows)
    if failed:
        st.warning(f"{failed} of {len(rows)} files could not be read; the table says why.")
    st.download_button("Download as CSV", to_csv(rows, COLUMNS), "predictions.csv", "text/csv")
    event = st.dataframe(
        rows,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "image": st.column_config.ImageColumn("image", width="small"),
            "probability": st.column_config.ProgressColumn(
                "probability", format="percent", min_value=0, max_value=1
            ),
        },
    )
    st.caption("Choose a row to look at its image.")
    chosen = event.selection.rows
    return given[chosen[0]] if chosen else None


def _row(name: str, found, predictor: Predictor) -> dict:
    if isinstance(found, InputError):
        return {"image": None, "file": name, "label": "", "probability": None, "error": str(found)}
    return {
        "image": _thumbnail(predictor.displayed(found.seen)),
        "file": name,
        "label": found.label,
        "probability": found.probability,
        "error": "",
    }


def _thumbnail(pixels: np.ndarray) -> str:
    """A PNG as a data URL."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(resize(pixels, (THUMBNAIL, THUMBNAIL)).squeeze()).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
