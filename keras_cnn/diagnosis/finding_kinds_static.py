"""The kinds of finding that need no training: outputs and loss, weights, graph."""

from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    NEW_WEIGHTS,
    SKIP,
    SOFTMAX,
    TENTH,
    USE_LOGITS,
    FindingKind,
    Suggestion,
)

EXACT = "none: exact property of the model"
OUTPUT_REMEDY = ("output_and_loss",)

STATIC_KINDS: dict[str, FindingKind] = {
    # outputs and loss
    "softmax_wrong_axis": FindingKind(
        "Softmax over another axis than the classes makes the pixels of a row or column compete. Keras's cross-entropy "
        "computes with the values before softmax, so that the loss falls all the same; predictions are wrong.",
        "outputs that sum to 1 over another axis than the last, and not over the last",
        (
            Suggestion(
                "use softmax over the last axis: axis=-1", "probabilities of the classes of each pixel"
            ),
        ),
        OUTPUT_REMEDY,
    ),
    "loss_not_finite_at_bounds": FindingKind(
        "A model that becomes sure of an answer gives exactly 0 or 1 in float32; the logarithm "
        "of 0 is infinite, and its "
        "gradient makes all weights NaN.",
        "a loss that is not finite for outputs of exactly 0 or 1, and finite for outputs of 0.5",
        (
            Suggestion("use the cross-entropy of Keras", "it clips probabilities, or computes with logits"),
            Suggestion(
                "clip the outputs: ops.clip(outputs, 1e-7, 1 - 1e-7)", "a finite loss, and finite gradients"
            ),
        ),
        OUTPUT_REMEDY,
    ),
    "softmax_twice": FindingKind(
        "The inputs of the second softmax lie in 0..1, so that its outputs are nearly equal: gradients are small and "
        "the loss cannot fall below about ln(1 + (C - 1) / e) for C classes.",
        EXACT,
        (
            Suggestion(
                "remove one of the two", "the loss can fall to 0; gradients are several times as large"
            ),
        ),
        OUTPUT_REMEDY,
    ),
    "softmax_of_one": FindingKind(
        "Softmax over one unit is always 1, so that the output does not depend on the input.",
        EXACT,
        (
            Suggestion("use sigmoid with binary_crossentropy", "an output that depends on the image"),
            Suggestion("use one unit per class", "the same, also for more than two classes"),
        ),
        OUTPUT_REMEDY,
    ),
    "tanh_output": FindingKind(
        "Logits between -1 and 1 keep each of C probabilities below 1 / (1 + (C - 1) / e^2), so that the loss cannot "
        "approach 0.",
        EXACT,
        (USE_LOGITS, SOFTMAX),
        OUTPUT_REMEDY,
    ),
    "relu_output": FindingKind(
        "A class whose logit falls below 0 receives no gradient and cannot recover.",
        EXACT,
        (USE_LOGITS, SOFTMAX),
        OUTPUT_REMEDY,
    ),
    "logits_expected": FindingKind(
        "The loss applies softmax to probabilities a second time, which makes its gradients small.",
        EXACT,
        (
            Suggestion("compile with from_logits=False", "gradients several times as large"),
            Suggestion("remove the last activation", "the same, and the loss is computed with less rounding"),
        ),
        OUTPUT_REMEDY,
    ),
    "probabilities_expected": FindingKind(
        "The loss clips values below 0 and above 1 before the logarithm, where their gradient is 0.",
        EXACT,
        (
            Suggestion(
                "compile with from_logits=True", "a gradient for every logit; without it models rarely learn"
            ),
            SOFTMAX,
        ),
        OUTPUT_REMEDY,
    ),
    "sigmoid_for_classes": FindingKind(
        "Sigmoid decides each class separately: raising one class does not lower the others.",
        EXACT,
        (SOFTMAX,),
        OUTPUT_REMEDY,
    ),
    "binary_loss_for_classes": FindingKind(
        "The loss treats each of C classes as a separate yes/no question, and Keras computes the accuracy of these "
        "questions: (C - 1) / C for a model that has learned nothing.",
        EXACT,
        (
            Suggestion(
                "use categorical_crossentropy",
                "an accuracy of the classification, and larger gradients",
            ),
            Suggestion("end the model in sigmoid", "right only if an image may belong to several classes"),
        ),
        OUTPUT_REMEDY,
    ),
    "squared_error_for_classes": FindingKind(
        "Softmax and sigmoid are flat where the model is confident, so that a confident error gets almost no gradient; "
        "with cross-entropy the gradient grows with the error.",
        EXACT,
        (Suggestion("use cross-entropy", "faster progress, most of all in the first epochs"),),
        OUTPUT_REMEDY,
    ),
    "too_few_outputs": FindingKind(
        "The loss needs one unit per class; with one unit it is constant.",
        EXACT,
        (
            Suggestion("use one unit per class", "a loss that depends on the weights"),
            Suggestion("use binary_crossentropy and sigmoid", "the same, for two classes"),
        ),
        OUTPUT_REMEDY,
    ),
    # weights and graph
    "initializer_too_small": FindingKind(
        "The initializer is too small for the activation at this depth: differences between images vanish on the way "
        "forward, gradients on the way back.",
        "product of the layers' gains < 0.01; a layer's gain is the square root of fan_in x var(kernel) / c, c = 2 for "
        "ReLU (He et al. 2015, section 2.2)",
        (INITIALIZER, BATCH_NORM, SKIP),
        ("initialization", "lsuv", "batch_normalization", "activation", "skip_connections"),
    ),
    "initializer_too_large": FindingKind(
        "The initializer is too large for the activation at this depth: activations and gradients grow from layer to "
        "layer.",
        "product of the layers' gains > 100 (gain as for initializer_too_small)",
        (TENTH, INITIALIZER, BATCH_NORM),
        ("initialization", "lsuv", "batch_normalization"),
    ),
    "bias_before_batch_normalization": FindingKind(
        "Batch normalization subtracts the mean, so that a bias before it has no effect and costs memory and time.",
        EXACT,
        (Suggestion("use_bias=False", "the same outputs, slightly faster"),),
    ),
    "weights_not_finite": FindingKind(
        "Every output that depends on a NaN or infinite weight is NaN.",
        "1 weight that is not finite",
        (
            Suggestion("initialize the weights again, and divide the learning rate by 10", "finite weights"),
            CLIP,
        ),
        ("initialization",),
    ),
    "weights_huge": FindingKind(
        "Weights of this size saturate the layers after them; they come from a wrong initializer or from divergence.",
        "an absolute weight > 1,000, outside Normalization layers (set by hand)",
        (NEW_WEIGHTS, TENTH),
        ("initialization",),
    ),
    "constant_kernel": FindingKind(
        "All units of the layer compute the same value and get the same gradient, so that they stay equal.",
        "maximum - minimum = 0 over the kernel",
        (NEW_WEIGHTS,),
        ("initialization",),
    ),
    "same_initial_weights": FindingKind(
        "One initializer instance with a fixed seed draws the same numbers for each layer that uses it.",
        "two kernels of one shape with equal values",
        (
            Suggestion("pass the initializer's name, kernel_initializer='he_normal'", "layers that differ"),
            Suggestion("create one instance per layer", "the same"),
        ),
        ("initialization",),
    ),
    "all_frozen": FindingKind(
        "No weight is trainable, so that training changes nothing.",
        EXACT,
        (Suggestion("set trainable=True on the layers to train, and compile again", "these layers learn"),),
        ("unfreeze",),
    ),
    "image_shrunk_away": FindingKind(
        "Pools and strides before the layer have reduced the image to 1x1, so that most of its window covers padding.",
        "feature maps of 1x1 under a window larger than 1x1",
        (
            Suggestion("remove a pool or a stride", "all weights of the layer are used"),
            Suggestion("use larger images", "the same, for more time"),
        ),
    ),
    "augmentation_inside": FindingKind(
        "model.export() traces augmentation layers in training mode, so that the served model still rotates and crops "
        "images.",
        EXACT,
        (
            Suggestion(
                "augment in the input pipeline", "the same training; the served model equals `predict`"
            ),
            Suggestion("export with training=False", "the served model equals `predict`"),
        ),
    ),
}
