"""The answer for one image on the page: what the net saw, its most probable classes, Grad-CAM or the mask."""

import html
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import streamlit as st

from keras_cnn.data.decode import header, resize, resize_nearest
from keras_cnn.data.overlays import heat_overlay, mask_colors, mask_overlay
from keras_cnn.errors import InputError
from keras_cnn.serving.app.inputs import Given
from keras_cnn.serving.markdown import escape
from keras_cnn.serving.predictor import Prediction, Predictor, Source

SHOWN = 320  # pixels of a picture's longer side, on the page
MAX_MASK_VALUES = 100_000_000  # pixels x classes of one mask, 400 MB of float32


def answers(predictor: Predictor, sources: Sequence[Source]) -> Iterator[Prediction | InputError]:
    """`Predictor.predict`, but for images whose masks would fill the server's memory."""
    if not predictor.makes_masks:
        yield from predictor.predict(sources)  # type: ignore[misc]  # the page opens no model of values
        return
    for source in sources:
        yield _too_large(predictor, source) or next(predictor.predict([source]))  # type: ignore[misc]


def _too_large(predictor: Predictor, source: Source) -> InputError | None:
    try:
        height, width = source.shape[:2] if isinstance(source, np.ndarray) else header(source).size
    except InputError as error:
        return error
    most = MAX_MASK_VALUES // len(predictor.classes)
    if height * width <= most:
        return None
    return InputError(
        f"{height} x {width} pixels are too many for this page, which takes up to {most:,} with this model. "
        "Shrink the image, or use the command predict."
    )


@st.cache_resource
def _worker() -> ThreadPoolExecutor:
    """The first call in a thread costs TensorFlow 60 ms, and each run of this script is in a new one."""
    return ThreadPoolExecutor(max_workers=1)


def show_answer(predictor: Predictor, given: Given) -> None:
    started = time.perf_counter()
    found = _worker().submit(lambda: next(answers(predictor, [given.source]))).result()
    seconds = time.perf_counter() - started
    if isinstance(found, InputError):
        st.error(escape(f"{given.name}: {found}"))
        return
    left, middle, right = st.columns(3)
    with left:
        _show_image(predictor, found, given)
        st.caption(f"{1000 * seconds:.0f} ms, from the file to the answer")
    with middle:
        st.subheader("Share of the pixels" if predictor.makes_masks else "Probability")
        for label, value in found.top:
            st.progress(value, text=f"{escape(label)}: {value:.1%}")
    with right:
        if predictor.makes_masks:
            _show_mask(predictor, found, given)
        else:
            _show_grad_cam(predictor, found)


def _show_image(predictor: Predictor, found: Prediction, given: Given) -> None:
    st.subheader(escape(found.label))
    height, width = found.seen.shape[:2]
    caption = f"what the net saw: {height} x {width} pixels of {escape(given.name)}"
    st.image(enlarged(predictor.displayed(found.seen)), caption=caption)
    if given.truth is not None and not predictor.makes_masks:
        name = predictor.classes[int(given.truth)]
        (st.success if name == found.label else st.warning)(f"The true class is {escape(name)}.")


def _show_mask(predictor: Predictor, found: Prediction, given: Given) -> None:
    st.subheader("Mask")
    count, size = len(predictor.classes), reduced(found.probabilities.shape[:2])
    image = predictor.displayed(predictor.read(given.source, size))
    mask = resize_nearest(found.probabilities, size).argmax(axis=-1)
    st.image(enlarged(mask_overlay(image, mask, count)))
    if given.truth is not None:
        truth = resize_nearest(np.asarray(given.truth), size)
        st.image(enlarged(mask_overlay(image, truth, count)), caption="the true mask")
    colors = (255 * mask_colors(count)).astype(int).tolist()
    legend = [
        f'<span style="color:rgb({red},{green},{blue})">&#9632;</span> {html.escape(name)}'
        for (red, green, blue), name in zip(colors, predictor.classes, strict=True)
    ]
    st.html("&ensp;".join(legend))


def _show_grad_cam(predictor: Predictor, found: Prediction) -> None:
    label = st.selectbox("Where it sees (Grad-CAM)", [name for name, _ in found.top])
    heat = predictor.grad_cam(found.seen, label)
    if heat is None:
        st.info("This model has no feature maps to look at.")
    else:
        picture = heat_overlay(enlarged(predictor.displayed(found.seen)), heat)
        st.image(picture, caption=f"red speaks most for {escape(label)}")


def reduced(size: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) with the same proportions, of at most SHOWN pixels."""
    height, width = size
    longer = max(height, width, SHOWN)
    return max(1, height * SHOWN // longer), max(1, width * SHOWN // longer)


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """Small images so large that their pixels can be seen; large ones shrunk for the way to the browser."""
    small = resize(pixels, reduced(pixels.shape[:2]))
    factor = SHOWN // max(small.shape[:2])
    return small.repeat(factor, axis=0).repeat(factor, axis=1)
