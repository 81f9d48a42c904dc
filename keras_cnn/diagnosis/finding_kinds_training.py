"""The kinds of finding that come from a forward pass, from probe runs, or from runs without a setting."""

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
    FindingKind,
    Suggestion,
)

BENCHMARK = "benchmarks/diagnosis.py, 2026-11-25"
ABLATION = "both set by hand"
RELU_FOR_EXPONENTIAL = Suggestion(
    "replace exponential activations by ReLU", "outputs that grow with the inputs only"
)
SIGNAL_REMEDIES = ("initialization", "lsuv", "batch_normalization", "activation", "skip_connections")

TRAINING_KINDS: dict[str, FindingKind] = {
    # one batch
    "few_images": FindingKind(
        "Scores are measured on held-out images; with so few images a score may be due to chance.",
        "99.9th percentile of the score of uninformative outputs > 0.10 (likelihood ratio test, Wilks 1938)",
        (Suggestion("diagnose with more images", "a verdict that does not depend on chance"),),
    ),
    "inputs_scaled_twice": FindingKind(
        "The data were scaled before, and a layer of the model scales them again: differences "
        "between images are too small "
        "to learn from.",
        "standard deviation < 0.01 where the first kernel receives the inputs, behind a "
        "Rescaling or Normalization, and of "
        "0.01 or more in the data (set by hand)",
        (
            Suggestion(
                "give the model the images as they were, usually 0..255",
                "inputs of the scale the layer was made for",
            ),
            Suggestion(
                "remove the layer that scales",
                "the same, if all images that the model will get are scaled before",
            ),
        ),
        ("remove_rescaling", "input_normalization"),
    ),
    "inputs_not_normalized": FindingKind(
        "Initializers assume inputs of standard deviation about 1: larger inputs saturate the first layers, smaller "
        "ones leave the outputs constant.",
        "absolute mean or standard deviation > 30, or standard deviation < 0.01, where the first kernel receives the "
        "inputs (set by hand)",
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
    "values_overflow": FindingKind(
        "Outputs grow out of the range in which float32 can compute and gradients are useful; "
        "exponential activations do so "
        "within a few layers.",
        "mean + standard deviation of a layer's outputs > 10,000 or not finite, or a hidden "
        "exponential activation in a "
        "model that does not learn (set by hand)",
        (RELU_FOR_EXPONENTIAL, BATCH_NORM, INITIALIZER),
        ("activation", "batch_normalization", "initialization"),
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
    # settings without which the model learns
    "regularization_too_strong": FindingKind(
        "The penalties of the regularizers outweigh the loss: training makes weights small instead of learning.",
        f"penalty of the initial weights > 0.3 of the chance loss, and twice the score without it ({ABLATION})",
        (
            Suggestion(
                "divide the factor of the regularizer by 100; 1e-4 is usual for l2",
                "the loss of the data counts",
            ),
        ),
    ),
    "dropout_too_high": FindingKind(
        "So many units are dropped that a step sees little of the image, and layers after them get noise.",
        f"a dropout rate of 0.6 or more, and twice the score without it ({ABLATION})",
        (Suggestion("use 0.2 to 0.5, and only before dense layers", "steps that agree with each other"),),
    ),
    "noise_too_strong": FindingKind(
        "The added noise is larger than the differences between images.",
        f"noise of a standard deviation of 0.3 or more, and twice the score without it ({ABLATION})",
        (
            Suggestion(
                "use a tenth of the standard deviation of the signal", "a signal that is above the noise"
            ),
        ),
    ),
    "augmentation_too_strong": FindingKind(
        "Augmentation changes images so much that their class can no longer be seen.",
        f"augmentation layers in the model, and twice the score without them ({ABLATION})",
        (
            Suggestion(
                "halve the ranges of the augmentation, and look at a batch", "images that show their class"
            ),
            Suggestion("begin without augmentation", "shows whether the model learns at all"),
        ),
    ),
    "weight_decay_too_strong": FindingKind(
        "Each step removes a part of every weight that is larger than what the gradient adds.",
        f"weight decay x learning rate > 1e-4, and twice the score without it ({ABLATION})",
        (Suggestion("use a weight decay of 1e-4 to 1e-2", "weights that grow where the gradient wants it"),),
    ),
    "clipping_too_tight": FindingKind(
        "Gradients are clipped to so small a size that steps hardly change the weights.",
        f"clipnorm or global_clipnorm < 0.05, or clipvalue < 0.001, and twice the score without it ({ABLATION})",
        (Suggestion("use a norm of 1", "only steps that would be too large become smaller"),),
    ),
    # learning rates
    "schedule_decays_too_fast": FindingKind(
        "The learning rate is near 0 before the model has learned. Keras counts steps, not "
        "epochs: decay_steps=1 decays "
        "after every batch.",
        "the first 10,000 steps worth less than 200 steps at the peak (set by hand)",
        (
            Suggestion(
                "multiply decay_steps by the number of steps of an epoch", "a decay by epoch, as meant"
            ),
            Suggestion("use a constant learning rate first", "shows whether the schedule is at fault"),
        ),
        ("learning_rate",),
    ),
    "schedule_warms_up_too_long": FindingKind(
        "The learning rate rises over more steps than many trainings have.",
        "half of the peak is reached after more than 5,000 steps (set by hand)",
        (Suggestion("warm up for 100 to 1,000 steps", "the peak is reached in the first epochs"),),
        ("learning_rate",),
    ),
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
}
