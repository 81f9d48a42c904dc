"""The kinds of finding that come from a forward pass, from probe runs, or from a training that is monitored."""

from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    INSPECT_SAMPLES,
    LEAKY,
    LR_FIND,
    NEW_WEIGHTS,
    NORMALIZE,
    RELU,
    SKIP,
    SMALLER_RATE,
    TEN_TIMES,
    TENTH,
    FindingKind,
    Suggestion,
)

BENCHMARK = "benchmarks/diagnosis.py, 2026-11-25"
MONITOR = "set by hand"
SIGNAL_REMEDIES = ("initialization", "lsuv", "batch_normalization", "activation", "skip_connections")

TRAINING_KINDS: dict[str, FindingKind] = {
    # one batch
    "few_images": FindingKind(
        "Scores are measured on held-out images; with so few images a score may be due to chance.",
        "99.9th percentile of the score of uninformative outputs > 0.10 (likelihood ratio test, Wilks 1938)",
        (Suggestion("diagnose with more images", "a verdict that does not depend on chance"),),
    ),
    "inputs_not_normalized": FindingKind(
        "Initializers assume inputs of standard deviation about 1: larger inputs saturate the first layers, smaller "
        "ones leave the outputs constant.",
        "absolute mean or standard deviation > 30, or standard deviation < 0.01, without a layer that normalizes (set "
        "by hand)",
        (NORMALIZE,),
        ("input_normalization",),
    ),
    "signal_fades": FindingKind(
        "Differences between images vanish on the way through the layers, so that the model learns the class "
        "frequencies only. Sigmoid attenuates a signal to at most a quarter, ReLU with Glorot initialization "
        "halves its variance.",
        f"standard deviation of the logits over images < 0.005 before training ({BENCHMARK})",
        (INITIALIZER, BATCH_NORM, RELU, SKIP),
        SIGNAL_REMEDIES,
    ),
    "loss_far_above_chance": FindingKind(
        "Weights or inputs are so large that the untrained model is confident of wrong classes.",
        f"loss before training > 2 times the loss of class frequencies, or not finite ({BENCHMARK})",
        (NORMALIZE, INITIALIZER, BATCH_NORM),
        ("initialization", "lsuv", "input_normalization", "batch_normalization"),
    ),
    "dead_units": FindingKind(
        "A ReLU unit that is 0 for every image gets no gradient and does not learn; a layer of such units blocks all "
        "layers before it.",
        "share of dead units in a layer > 50 % in a diagnosis, > 70 % during training (set by hand)",
        (NEW_WEIGHTS, BATCH_NORM, LEAKY),
        ("initialization", "lsuv", "batch_normalization", "activation"),
    ),
    "saturated_units": FindingKind(
        "Near its bounds the activation is flat: a few percent of the gradient passes, or less.",
        "share of outputs beyond 0.03 / 0.97 (sigmoid) or +-0.97 (tanh) > 50 % in a diagnosis, > 70 % during training "
        "(set by hand)",
        (NORMALIZE, INITIALIZER, BATCH_NORM, RELU),
        ("input_normalization", "initialization", "batch_normalization", "activation"),
    ),
    "too_narrow": FindingKind(
        "A layer that all information passes through is too narrow to separate the classes.",
        "fewer numbers per image than half the classes, and a loss > 0.75 of chance after 48 steps on one batch of 16 "
        f"images, or no learning at any learning rate ({BENCHMARK})",
        (
            Suggestion(
                "flatten instead of averaging over the image",
                "more numbers per image, if feature maps exceed 1x1",
            ),
            Suggestion(
                "add filters or units to this layer",
                "the model can overfit 16 images; time grows with the width",
            ),
        ),
        ("widen",),
    ),
    # learning rates
    "rate_too_low": FindingKind(
        "Steps are so small that the weights hardly change.",
        "the model learns only at larger learning rates of those probed",
        (LR_FIND,),
        ("learning_rate",),
    ),
    "rate_too_high": FindingKind(
        "Steps overshoot into regions where gradients are noise or zero. Initialization and learning rate act "
        "together: a model whose signal fades learns, if at all, only at small learning rates.",
        "the model learns only at smaller learning rates of those probed",
        (LR_FIND, CLIP),
        ("learning_rate", "gradient_clipping", "batch_normalization"),
    ),
    "better_rate": FindingKind(
        "The model learns, but another learning rate scores higher in no more steps.",
        "score at another learning rate > score at the configured one, after as many steps or fewer",
        (LR_FIND,),
        ("learning_rate",),
    ),
    "slow_start": FindingKind(
        "The loss stays on a plateau first, or the learning rate is small; the model learns, but late.",
        "score at noise level after the first 48 steps (0.015, or the 99.9th percentile of uninformative outputs)",
        (LR_FIND, INITIALIZER, BATCH_NORM),
        ("learning_rate", "batch_normalization", "initialization"),
    ),
    "no_cause_found": FindingKind(
        "The model does not learn, and no check explains it.",
        "verdict untrainable, and no finding with a confidence of 0.5 or more",
        (
            INSPECT_SAMPLES,
            Suggestion(
                "start from a model that learns, and change one thing at a time",
                "the change that stops it is the cause",
            ),
        ),
        SIGNAL_REMEDIES,
    ),
    # while a model trains (HealthMonitor)
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
        "median over channels of the error of mean or scale >= 2 standard deviations, after 200 steps (set by hand)",
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
