"""ladder.html: claim, curves, signals and verdict of each rung, in one file without external resources."""

from collections.abc import Iterable, Sequence
from html import escape
from itertools import product

import numpy as np
from matplotlib.ticker import MaxNLocator

from keras_cnn.data.dataset import DataFacts
from keras_cnn.lecture.claims import accuracy, by_name, judge
from keras_cnn.lecture.ladder import LadderSettings, Result, matrix_name
from keras_cnn.lecture.rungs import MATRIX, RATE, RUNGS, Rung
from keras_cnn.lecture.svg import POINT, STYLE, new_figure, to_svg
from keras_cnn.lecture.texts import TEXTS

COLORS = ("#4477aa", "#cc3311", "#228833")  # of the learning rates
MORE_STYLE = """
.held { color: #17692a } .failed { color: #a33 } .conditional { color: #8a5a00 } .open { color: #555 }
h2 .outcome { font-size: 15px; font-weight: normal } .matrix td { text-align: center } details pre { font-size: 12px }
"""


def page(settings: LadderSettings, results: Sequence[Result], facts: DataFacts) -> str:
    """The ladder as HTML, in `settings.language`."""
    words = TEXTS[settings.language]
    majority = max(facts.counts["train"]) / sum(facts.counts["train"])
    body = [
        f"<h1>{escape(words['title'])}</h1>",
        f"<p>{escape(words['intro'].format(**vars(settings)))}</p>",
        f"<p>{escape(words['chance'].format(majority=majority))}</p>",
        *(part for rung in RUNGS for part in _rung(rung, results, words, majority)),
        *(_matrix(results, words) if settings.matrix else []),
    ]
    title = escape(words["title"])
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}{MORE_STYLE}</style>'
    return f'<!doctype html><html lang="{settings.language}"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _rung(rung: Rung, results: Sequence[Result], words: dict, majority: float) -> Iterable[str]:
    outcome, held = judge(rung, results, majority)
    text = words["outcomes"][outcome].format(
        yes=", ".join(f"{rate:.0e}" for rate, one in held.items() if one),
        no=", ".join(f"{rate:.0e}" for rate, one in held.items() if not one),
    )
    name, claim = words["rungs"][rung.name]
    yield f'<h2>{escape(name)} <span class="outcome {outcome}">{escape(text)}</span></h2><p>{escape(claim)}</p>'
    yield _numbers(rung, results, words)
    mine = [result for result in results if result.rung == rung.name]
    yield _curves(mine, words) + _depth([result for result in mine if result.layers], words)
    for result in mine:
        if result.findings:
            verdict = words["diagnosis"].format(rate=result.rate, verdict=words["verdicts"][result.verdict])
            yield f"<details><summary>{escape(verdict)}</summary><pre>{escape(result.findings)}</pre></details>"


def _numbers(rung: Rung, results: Sequence[Result], words: dict) -> str:
    header = "".join(f"<th>{escape(word)}</th>" for word in words["columns"])
    lines = []
    rungs = [(by_name(rung.than), RATE)] if rung.than else []
    for shown, rate in [*rungs, *((rung, rate) for rate in (RATE, *rung.rates))]:
        found = accuracy(results, shown.name, rate)
        validation = [
            result.history["val_accuracy"][-1]
            for result in results
            if result.rung == shown.name and abs(result.rate / rate - 1) < 0.01 and result.history
        ]
        cells = [
            words["rungs"][shown.name][0],
            f"{rate:.0e}",
            f"{found.mean:.3f}",
            f"{found.low:.3f} to {found.high:.3f}" if found.runs > 1 else "-",
            f"{np.mean(validation):.3f}" if validation else "-",
            str(found.runs),
        ]
        lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    return f'<div class="table"><table><tr>{header}</tr>{"".join(lines)}</table></div>'


def _curves(results: Sequence[Result], words: dict) -> str:
    figure, ax = new_figure(7, 3)
    rates = list(dict.fromkeys(result.rate for result in results))
    for result in results:
        color = COLORS[rates.index(result.rate) % len(COLORS)]
        label = f"{words['rate']} {result.rate:.0e}" if result.seed == 0 else None
        epochs = range(1, len(result.history.get("accuracy", [])) + 1)
        ax.plot(epochs, result.history.get("accuracy", []), ".-", color=color, label=label)
        ax.plot(epochs, result.history.get("val_accuracy", []), ":", color=color)
    ax.set(xlabel=words["epoch"], ylabel=words["accuracy"], ylim=(0, 1.02))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(frameon=False, fontsize=8)
    return to_svg(figure)


def _depth(results: Sequence[Result], words: dict) -> str:
    """Signal and gradient by layer before training, of the first seed; equal at every learning rate."""
    if not results:
        return ""
    figure, ax = new_figure(7, 3)
    layers = results[0].layers
    ax.semilogy([max(std, 1e-12) for _, std, _ in layers], ".-", color=POINT, label=words["signal"])
    kernels = [(place, ratio) for place, (_, _, ratio) in enumerate(layers) if ratio is not None]
    heights = [max(ratio, 1e-12) for _, ratio in kernels]
    ax.semilogy([place for place, _ in kernels], heights, ".-", color=COLORS[1], label=words["gradient"])
    shown = range(0, len(layers), max(1, len(layers) // 12))
    ax.set_xticks(list(shown), [layers[place][0] for place in shown], rotation=60, ha="right", fontsize=7)
    ax.legend(frameon=False, fontsize=8)
    return to_svg(figure)


def _matrix(results: Sequence[Result], words: dict) -> Iterable[str]:
    yield f"<h2>{escape(words['matrix'])}</h2><p>{escape(words['matrix_intro'])}</p>"
    columns = list(product(MATRIX["convolutions"], MATRIX["batch_norm"], MATRIX["learning_rate"]))
    header = "".join(
        f"<th>{4 * convolutions} conv{'<br>BN' if batch_norm else '<br>-'}<br>{rate:.0e}</th>"
        for convolutions, batch_norm, rate in columns
    )
    lines = []
    for activation, initializer in product(MATRIX["activation"], MATRIX["kernel_initializer"]):
        cells = ""
        for convolutions, batch_norm, rate in columns:
            name = matrix_name(activation, initializer, convolutions, batch_norm)
            mean = accuracy(results, name, rate).mean
            shade = f"rgb({255 - 150 * mean:.0f},{255 - 60 * mean:.0f},{255 - 130 * mean:.0f})"
            cells += f'<td style="background:{shade}">{mean:.2f}</td>'
        lines.append(f"<tr><td>{activation}, {initializer}</td>{cells}</tr>")
    yield f'<div class="table matrix"><table><tr><th></th>{header}</tr>{"".join(lines)}</table></div>'
