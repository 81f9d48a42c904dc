"""The page of `keras-cnn app`: images in, predictions and Grad-CAM out.

A Streamlit script; its one argument is the folder of models. Every name and number on it comes from a model's card or
from its answer, and passes `escape` where Streamlit reads Markdown. What goes wrong on the server stays in its log.
"""

import logging
import sys
from pathlib import Path

import numpy as np
import streamlit as st

from keras_cnn.serving.app.answer import show_answer
from keras_cnn.serving.app.batch import show_batch
from keras_cnn.serving.app.inputs import INPUTS
from keras_cnn.serving.markdown import escape
from keras_cnn.serving.predictor import Predictor
from keras_cnn.serving.readme import data_name, limits, readme
from keras_cnn.serving.versions import CARD, exported_models
from keras_cnn.task import TASKS

logger = logging.getLogger(__name__)

HOW_TO_EXPORT = """keras-cnn train --data folder:/photos --image_size 96 96
keras-cnn export runs/photos-vgg-1"""


def page(models: Path) -> None:
    st.set_page_config("keras-cnn", layout="wide")
    found, problems = exported_models(models)
    if not found:
        st.title("No model yet")
        st.write(
            f"{escape(models.name)} holds no exported model. Train and export one, then reload this page:"
        )
        st.code("make search", language="bash")
        st.write("or, of a run of your own:")
        st.code(HOW_TO_EXPORT, language="bash")
        _list_problems(problems)
        return
    with st.sidebar:
        name = st.selectbox("Model", list(found))
        predictor = _loaded(models, found[name])
        _list_problems(problems)
    if predictor is None:
        return
    way = st.radio("Images from", list(INPUTS), horizontal=True)
    given = INPUTS[way](predictor)
    if len(given) == 1:
        show_answer(predictor, given[0])
    elif given and (chosen := show_batch(predictor, given)):
        show_answer(predictor, chosen)


def _list_problems(problems: dict[str, str]) -> None:
    for name, reason in problems.items():
        st.warning(escape(f"{name} is not listed: {reason}."))


def _loaded(models: Path, path: Path) -> Predictor | None:
    """The model in `path`, its card shown; None, and why, if one of the two is damaged."""
    try:
        predictor = _predictor(str(path), (path / CARD).stat().st_mtime)
        if not predictor.task.class_ids:
            name = escape(predictor.task.name)
            st.error(
                f"The page shows models of classes and masks; this one is for {name}. Use keras-cnn predict."
            )
            return None
        _show_card(predictor)
    except Exception as error:  # a model may be of anybody, and any other must stay usable
        logger.exception(f"{path} cannot be loaded")
        reason = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
        st.error(escape(f"This model cannot be loaded: {reason.replace(str(models), models.name)}"))
        return None
    return predictor


@st.cache_resource(max_entries=3, show_spinner="Loading the model")
def _predictor(path: str, modified: float) -> Predictor:
    """modified: so that another model under the same name is loaded anew."""
    from keras_cnn.tensorflow_import import OPTIONAL, import_tensorflow

    import_tensorflow(keras=False, hidden=OPTIONAL)
    predictor = Predictor(path)
    if predictor.task.class_ids:
        predictor.probabilities(np.zeros((1, *predictor.shape), predictor.dtype))  # the first call is slow
    return predictor


def _show_card(predictor: Predictor) -> None:
    card = predictor.card
    score = TASKS[card["task"]].score
    low, high = card["test"][f"{score}_interval"]
    st.metric(
        f"{score.replace('_', ' ')} on {card['test']['images']:,d} test images", f"{card['test'][score]:.1%}"
    )
    st.caption(
        f"95 % interval {low:.1%} to {high:.1%}. {escape(card['settings']['architecture'])} of "
        f"{card['parameters']:,d} parameters on {escape(data_name(card))}; {len(predictor.classes)} classes."
    )
    for limit in limits(card):
        st.caption(f"· {escape(limit)}")
    with st.expander("The whole card"):
        st.markdown(readme(card))
    with st.expander("Confusion matrix: true classes in rows"):
        matrix = np.array(card["test"]["confusion"])
        st.dataframe(
            {"": predictor.classes} | dict(zip(predictor.classes, matrix.T, strict=True)), hide_index=True
        )


if __name__ == "__main__":
    page(Path(sys.argv[1] if len(sys.argv) > 1 else "saved_models"))
