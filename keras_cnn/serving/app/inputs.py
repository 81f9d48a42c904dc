"""Ways to give the page images: files, the camera, a drawing, or test images of the model's own data."""

import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import streamlit as st

from keras_cnn.data.dataset import Split
from keras_cnn.data.decode import ENDINGS
from keras_cnn.serving.predictor import Predictor

logger = logging.getLogger(__name__)

MOST = 200  # files at a time
CANVAS = 320  # pixels of a side
DARK = 0.4  # of the value range: data whose mean is below it is taken for light strokes on dark


@dataclass(frozen=True)
class Given:
    """An image with its name. truth: its class number, or mask (H, W), where it is known."""

    name: str
    source: bytes | np.ndarray
    truth: np.ndarray | int | None = None


def uploaded(predictor: Predictor) -> list[Given]:
    files = st.file_uploader(
        f"One image, or up to {MOST}, each of at most {st.get_option('server.maxUploadSize')} MB",
        type=sorted(ending[1:] for ending in ENDINGS),
        accept_multiple_files=True,
    )
    if len(files) > MOST:
        st.error(
            f"{len(files)} files are too many: the first {MOST} are taken. For more, there is the command predict."
        )
    return [Given(file.name, file.getvalue()) for file in files[:MOST]]


def photographed(predictor: Predictor) -> list[Given]:
    photo = st.camera_input("Take a picture")
    return [Given("the photo", photo.getvalue())] if photo else []


def drawn(predictor: Predictor) -> list[Given]:
    from streamlit_drawable_canvas import st_canvas

    low, high = predictor.value_range
    dark = np.mean(predictor.card["data"]["mean"]) < low + DARK * (high - low)
    paper, ink = ("#000000", "#ffffff") if dark else ("#ffffff", "#000000")
    left, right = st.columns([1, 2])
    with right:
        brush = st.slider("Brush", 8, 64, 32)
        st.caption("Fill the square, in the way of the images that the model was trained on.")
    with left:
        result = st_canvas(
            stroke_width=brush,
            stroke_color=ink,
            background_color=paper,
            height=CANVAS,
            width=CANVAS,
            return_image_data=True,
            key="canvas",
        )
    strokes = (result.json_data or {}).get("objects")
    if not strokes or result.image_data is None:
        return []
    return [Given("the drawing", np.asarray(result.image_data, np.uint8))]


def sampled(predictor: Predictor) -> list[Given]:
    """A test image of the data that the model was measured on, if it is on this machine."""
    try:
        test = _test_split(json.dumps(predictor.card["settings"]))
    except (
        Exception
    ):  # whatever is wrong with the data or the card, visitors need not know the machine's folders
        logger.exception("the test images cannot be read")
        st.info("The data of this model cannot be read here; the server's log says why.")
        return []
    if "sample" not in st.session_state or st.session_state.sample >= len(test):
        st.session_state.sample = 0
    st.button("Another", on_click=lambda: st.session_state.update(sample=random.randrange(len(test))))
    row = st.number_input(f"Test image, 0 to {len(test) - 1}", 0, len(test) - 1, key="sample")
    truth = test.labels[row]
    return [Given(f"test image {row}", test.images[row], truth if truth.ndim else int(truth))]


@st.cache_resource(max_entries=2, show_spinner="Reading the data")
def _test_split(settings: str) -> Split:
    """settings: those of the model as JSON, which Streamlit can tell apart."""
    from keras_cnn.data.sources import load
    from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow
    from keras_cnn.training.config import TrainSettings

    import_tensorflow(keras=False, hidden=OPTIONAL)
    return load(**TrainSettings.from_dict(json.loads(settings)).load_arguments()).load_test()


INPUTS: dict[str, Callable[[Predictor], list[Given]]] = {
    "Upload": uploaded,
    "Camera": photographed,
    "Drawing": drawn,
    "Test images": sampled,
}
