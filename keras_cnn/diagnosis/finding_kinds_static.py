"""The kinds of finding that need no training: images, labels, outputs and loss, weights, graph."""

from keras_cnn.diagnosis.suggestions import (
    BATCH_NORM,
    CLIP,
    INITIALIZER,
    INSPECT_SAMPLES,
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
    # images
    "images_not_finite": FindingKind(
        "NaN or infinite pixels make every output and gradient NaN.",
        "1 value that is not finite",
        (Suggestion("repair or remove these images", "training becomes possible"),),
    ),
    "constant_channels": FindingKind(
        "A channel with the same value in every pixel carries no information; images may have been read wrongly.",
        "maximum - minimum = 0 over all sampled pixels of the channel",
        (
            Suggestion(
                "inspect some images as the model receives them", "shows whether a channel was read wrongly"
            ),
        ),
    ),
    # labels
    "labels_of_another_form": FindingKind(
        "Sparse losses take class indices, the others one number per class; the labels have the other form.",
        "none: the loss function rejects labels of this shape",
        (
            Suggestion(
                "use the loss of this form of labels, or convert the labels", "`fit` accepts the labels"
            ),
        ),
        OUTPUT_REMEDY,
    ),
    "labels_out_of_range": FindingKind(
        "The loss of a label outside 0 to C - 1 is NaN, negative, or that of another class.",
        "1 label below 0 or above C - 1, for C outputs (hinge losses: below -1)",
        (
            Suggestion("number the classes from 0", "a finite loss for every image"),
            Suggestion("give the model one output per class", "the same, if all these classes are meant"),
        ),
    ),
    "one_class": FindingKind(
        "Nearly all labels are equal, so that a constant prediction is nearly always right.",
        "share of the most frequent class > 99 % of the sampled labels",
        (
            Suggestion("shuffle the data before batching", "every batch holds several classes"),
            Suggestion("check how labels are read", "an error there is visible at once"),
        ),
    ),
    "labels_unrelated": FindingKind(
        "Labels do not depend on the images: they were shuffled separately, or the classes differ only in details that "
        "8x8 images do not show.",
        "the 5 nearest neighbors share a label no more often than by chance (binomial test, p > 0.001, at least 200 "
        "images)",
        (
            INSPECT_SAMPLES,
            Suggestion(
                "check that images and labels are shuffled together",
                "the most common error; the same model learns once it is fixed",
            ),
        ),
    ),
    # outputs and loss
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
