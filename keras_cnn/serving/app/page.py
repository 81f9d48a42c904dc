"""The page of `keras-cnn app`: images in, predictions and Grad-CAM out.

A Streamlit script; its one argument is the folder of models. Every name and number on it comes from a model's card or
from its answer.
"""

import html
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import streamlit as st

from keras_cnn.data.decode import resize
from keras_cnn.errors import InputError
from keras_cnn.serving.app.batch import show_batch
from keras_cnn.serving.app.inputs import INPUTS, Given
from keras_cnn.serving.overlays import heat_overlay, mask_colors, mask_overlay
from keras_cnn.serving.predictor import Prediction, Predictor, exported_models
from keras_cnn.training.tasks import score_name

HOW_TO_EXPORT = """keras-cnn train --data folder:/photos --image_size 96 96
keras-cnn export runs/photos-vgg-1"""
SHOWN = 320  # pixels of a picture's longer side, on the page


def page(models: Path) -> None:
    st.set_page_config("keras-cnn", layout="wide")
    found = exported_models(models)
    if not found:
        st.title("No model yet")
        st.write(f"`{models}` holds no exported model. Train and export one, then reload this page:")
        st.code("make search", language="bash")
        st.write("or, of a run of your own:")
        st.code(HOW_TO_EXPORT, language="bash")
        return
    with st.sidebar:
        name = st.selectbox("Model", list(found))
        try:
            predictor = _predictor(str(found[name]), (found[name] / "card.json").stat().st_mtime)
        except (InputError, OSError) as error:
            st.error(f"This model cannot be loaded: {error}")
            return
        _card(predictor)
    way = st.radio("Images from", list(INPUTS), horizontal=True)
    given = INPUTS[way](predictor)
    if len(given) == 1:
        _show_one(predictor, given[0])
    elif given and (chosen := show_batch(predictor, given)):
        _show_one(predictor, chosen)


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def _predictor(path: str, modified: float) -> Predictor:
    """modified: so that another model under the same name is loaded anew."""
    from keras_cnn.tensorflow_import import import_tensorflow

    import_tensorflow(keras=False)
    predictor = Predictor(path)
    predictor.probabilities(np.zeros((1, *predictor.shape), np.uint8))  # the first call is slow
    return predictor


@st.cache_resource
def _worker() -> ThreadPoolExecutor:
    """The first call in a thread costs TensorFlow 60 ms, and each run of this script is in a new one."""
    return ThreadPoolExecutor(max_workers=1)


def _card(predictor: Predictor) -> None:
    card = predictor.card
    score = score_name(card["task"])
    low, high = card["test"][f"{score}_interval"]
    st.metric(
        f"{score.replace('_', ' ')} on {card['test']['images']:,} test images", f"{card['test'][score]:.1%}"
    )
    st.caption(
        f"95 % interval {low:.1%} to {high:.1%}. {card['settings']['architecture']} of {card['parameters']:,} "
        f"parameters on {card['data']['name']}; {len(predictor.classes)} classes."
    )
    for limit in card["limits"]:
        st.caption(f"· {limit}")
    with st.expander("The whole card"):
        st.markdown((predictor.path / "README.md").read_text())
    with st.expander("Confusion matrix: true classes in rows"):
        matrix = np.array(card["test"]["confusion"])
        st.dataframe(
            {"": predictor.classes} | dict(zip(predictor.classes, matrix.T, strict=True)), hide_index=True
        )


def _show_one(predictor: Predictor, given: Given) -> None:
    started = time.perf_counter()
    try:
        image = predictor.read(given.source)
    except InputError as error:
        st.error(f"{given.name}: {error}")
        return
    found = _worker().submit(lambda: next(predictor.predict([image]))).result()
    seconds = time.perf_counter() - started
    if isinstance(found, InputError):
        st.error(f"{given.name}: {found}")
        return
    left, middle, right = st.columns(3)
    with left:
        st.subheader(found.label)
        height, width = found.seen.shape[:2]
        st.image(enlarged(found.seen), caption=f"what the net saw: {width} x {height} pixels of {given.name}")
        if given.truth is not None and not predictor.makes_masks:
            name = predictor.classes[int(given.truth)]
            (st.success if name == found.label else st.warning)(f"The true class is {name}.")
        st.caption(f"{1000 * seconds:.0f} ms, from the file to the answer")
    with middle:
        st.subheader("Share of the pixels" if predictor.makes_masks else "Probability")
        for label, value in found.top:
            st.progress(value, text=f"{label}: {value:.1%}")
    with right:
        if predictor.makes_masks:
            _masks(predictor, image, found, given.truth)
        else:
            _where(predictor, found)


def _masks(
    predictor: Predictor, image: np.ndarray, found: Prediction, truth: np.ndarray | int | None
) -> None:
    st.subheader("Mask")
    count = len(predictor.classes)
    st.image(enlarged(mask_overlay(image, found.probabilities.argmax(axis=-1), count)))
    if truth is not None:
        st.image(enlarged(mask_overlay(image, np.asarray(truth), count)), caption="the true mask")
    colors = (255 * mask_colors(count)).astype(int).tolist()
    legend = [
        f'<span style="color:rgb({red},{green},{blue})">&#9632;</span> {html.escape(name)}'
        for (red, green, blue), name in zip(colors, predictor.classes, strict=True)
    ]
    st.html("&ensp;".join(legend))


def _where(predictor: Predictor, found: Prediction) -> None:
    label = st.selectbox("Where it sees (Grad-CAM)", [name for name, _ in found.top])
    heat = predictor.grad_cam(found.seen, label)
    if heat is None:
        st.info("This model has no feature maps to look at.")
    else:
        st.image(heat_overlay(enlarged(found.seen), heat), caption=f"red speaks most for {label}")


def enlarged(pixels: np.ndarray) -> np.ndarray:
    """Small images so large that their pixels can be seen; large ones shrunk for the way to the browser."""
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if longer > SHOWN:
        return resize(pixels, (max(1, height * SHOWN // longer), max(1, width * SHOWN // longer)))
    factor = SHOWN // longer
    return pixels.repeat(factor, axis=0).repeat(factor, axis=1)


if __name__ == "__main__":
    page(Path(sys.argv[1] if len(sys.argv) > 1 else "saved_models"))
