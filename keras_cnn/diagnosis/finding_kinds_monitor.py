"""The kinds of finding of a training that is monitored (HealthMonitor)."""

from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    LR_FIND,
    NORMALIZE,
    SMALLER_RATE,
    TEN_TIMES,
    TENTH,
    FindingKind,
    Suggestion,
)

MONITOR = "set by hand"

MONITOR_KINDS: dict[str, FindingKind] = {
    "stands_at_chance": FindingKind(
        "The signal does not pass through the model, the learning rate is far off, or labels are wrong.",
        f"mean loss of every 20 batches > 0.98 of the loss of class frequencies, for 200 batches ({MONITOR})",
        (Suggestion("run keras-cnn diagnose", "it finds which of these it is"), TENTH, TEN_TIMES),
    ),
    "loss_swings": FindingKind(
        "Steps are too large for the curvature of the loss.",
        f"4 reversals of more than 0.1 of the chance loss in 160 batches, by means of 20 ({MONITOR})",
        (SMALLER_RATE, CLIP, Suggestion("use batches of four times the size", "gradients half as noisy")),
    ),
    "overfitting": FindingKind(
        "The model memorizes its training images.",
        f"validation loss rises and training loss falls for 3 epochs in a row ({MONITOR})",
        (
            Suggestion("stop, and use the best weights", "the best validation loss"),
            Suggestion("augment the images", "training loss gets worse, validation loss better"),
            Suggestion(
                "use weight decay or dropout",
                "a smaller gap between training and validation, in longer training",
            ),
            Suggestion("collect more images", "the most reliable; errors fall as a power of their number"),
        ),
    ),
    "validation_differs": FindingKind(
        "Validation images are much harder for the model than training images from the beginning: they are scaled or "
        "preprocessed differently, or their labels are numbered differently. Overfitting begins later.",
        "validation loss never below chance, more than 2 times the loss of training images in "
        "inference mode and 0.3 of "
        f"chance above it ({MONITOR})",
        (
            Suggestion(
                "preprocess training and validation images in one function, or in layers of the model",
                "losses that can be compared",
            ),
            Suggestion("compare the order of the classes of both sets", "labels that mean the same"),
        ),
    ),
    "diverged": FindingKind(
        "Updates were so large that weights overflowed, or a logarithm or a division received 0.",
        "a loss that is not finite",
        (TENTH, CLIP, NORMALIZE, BATCH_NORM),
    ),
    "gradients_vanish": FindingKind(
        "Gradients are multiplied layer by layer on the way back by a factor that weights, activation and depth "
        "determine; here they become too small for the layer to learn.",
        f"gradient norm / kernel norm < 1e-7, while the loss is above half of chance ({MONITOR})",
        (BATCH_NORM, INITIALIZER),
    ),
    "gradients_explode": FindingKind(
        "Gradients are multiplied layer by layer on the way back by a factor that weights, activation and depth "
        "determine; here they become so large that a step destroys the weights.",
        f"gradient norm / kernel norm > 1,000 ({MONITOR})",
        (CLIP, INITIALIZER),
    ),
    "updates_too_large": FindingKind(
        "The learning rate is too high for the size of the weights.",
        f"norm of one update / norm of the kernel > 0.3, after step 20; about 0.001 is usual ({MONITOR})",
        (SMALLER_RATE, LR_FIND),
    ),
    "updates_too_small": FindingKind(
        "The learning rate is too low for the size of the weights.",
        f"norm of one update / norm of the kernel < 1e-7 in every layer; about 0.001 is usual ({MONITOR})",
        (TEN_TIMES, LR_FIND),
    ),
    "batch_norm_disagrees": FindingKind(
        "Validation and prediction use moving statistics that do not fit the batches, so that they are worse than "
        "training: the averages lag (momentum 0.99 needs about 500 steps), or batches differ from each other.",
        "median over channels of the error of mean or scale >= 2 standard deviations, after 200 "
        "steps; or a loss of the same "
        "images in inference mode of more than 2 times that in training mode and 0.3 of chance above it (set by hand)",
        (
            Suggestion("use momentum 0.9", "the averages adapt within 50 steps instead of 500"),
            Suggestion(
                "use keras_cnn's BatchNormalization and train",
                "statistics are estimated again for the current weights",
            ),
            Suggestion("use larger, shuffled batches", "batches that resemble each other"),
        ),
    ),
}
