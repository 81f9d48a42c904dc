"""The kinds of finding on images, labels and masks."""

from keras_cnn.diagnosis.suggestions import (
    INSPECT_SAMPLES,
    FindingKind,
    Suggestion,
)

OUTPUT_REMEDY = ("output_and_loss",)

DATA_KINDS: dict[str, FindingKind] = {
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
    "images_nearly_constant": FindingKind(
        "Images without detail all look the same to the model. Division of integers (x // 255) "
        "does that, and so do images "
        "that were not found or not decoded.",
        "more than 10 % of the images with one value in all pixels, or two values of which one "
        "is in more than 95 % of the "
        "pixels (set by hand)",
        (
            Suggestion(
                "divide as floating point numbers: x.astype('float32') / 255", "images with all their detail"
            ),
            Suggestion("inspect some images as the model receives them", "shows where the detail is lost"),
        ),
    ),
    "channels_first_images": FindingKind(
        "The model takes (height, width, channels): it slides over channels and rows instead of rows and columns.",
        "1, 3 or 4 values on the second axis of the images and more on the last, and a convolution with "
        "data_format='channels_last'",
        (
            Suggestion(
                "transpose the images: np.transpose(x, (0, 2, 3, 1))", "convolutions over rows and columns"
            ),
            Suggestion("use data_format='channels_first' in all layers", "the same, on GPUs only"),
        ),
    ),
    "pretrained_inputs_differ": FindingKind(
        "A frozen base computes features of images at the scale and with the order of channels of its own training; of "
        "others its features say little, and no training corrects that.",
        "moving statistics of frozen batch normalization off by more than 0.3 standard "
        "deviations, and by less than 0.4 of "
        "that at another scale of the images (set by hand)",
        (
            Suggestion(
                "preprocess the images as for the base's training", "features that tell the classes apart"
            ),
        ),
        ("pretrained_inputs",),
    ),
    # labels
    "imbalanced_classes": FindingKind(
        "Most labels are of one class, so that a model gets a high accuracy without telling any class apart.",
        "share of the most frequent class > 80 % of the sampled labels (set by hand)",
        (
            Suggestion(
                "look at balanced accuracy, or at precision and recall by class",
                "a number that shows whether it learns",
            ),
            Suggestion(
                "pass class_weight to fit, or draw rare classes more often",
                "rare classes count as much as others",
            ),
        ),
    ),
    "contradicting_labels": FindingKind(
        "Equal images with different labels cannot all be answered correctly; images may have been copied into several "
        "classes.",
        "more than 1 % of the sampled images equal to another image with another label (set by hand)",
        (Suggestion("remove the copies with the wrong label", "labels that can be learned"),),
    ),
    "interpolated_masks": FindingKind(
        "Masks that were resized with interpolation hold values between the classes, which "
        "belong to no class or to a wrong "
        "one.",
        "more values than classes, and more than 0.1 % of the pixels between the two most "
        "frequent values (set by hand)",
        (
            Suggestion("resize masks with method='nearest'", "masks that hold class indices only"),
            Suggestion(
                "threshold the masks: y > y.max() / 2, for two classes",
                "the same, edges move by half a pixel",
            ),
        ),
    ),
    "masks_of_other_images": FindingKind(
        "Images and masks are paired wrongly, so that a model learns only where objects are usually: lists of files in "
        "another order, or images shuffled or augmented without their masks.",
        "images whose intensities or textures fit their own mask no better than that of the next image (sign test, "
        "p > 0.001, at least 20 images), while the model scores no more than 1.5 times the mean mask",
        (
            Suggestion(
                "sort both lists of files, and shuffle and augment images and masks together",
                "pairs that fit",
            ),
            INSPECT_SAMPLES,
        ),
    ),
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
}
