"""What several benchmarks train: nets as numbers that every framework's builder reads, and plain settings."""

CLASSES = 10
VGG6 = [[32, 32], [64, 64], [128, 128]]  # filters of each block's convolutions; then dense 128
VGG16 = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]  # no hidden dense layer, as usual at 32x32
CONVNEXT_BLOCKS, CONVNEXT_WIDTH = 3, 96  # after a 2x2 stem: 16x16x96
BATCH = {"vgg6": 128, "vgg16": 128, "convnext": 64}

# TrainSettings without the defaults that make training fast: what is compared is batch normalization
PLAIN = {
    "precision": "float32",
    "optimizer": "adamw",
    "schedule": "constant",
    "learning_rate": 2e-3,
    "augmentation": "none",
    "label_smoothing": 0.0,
}
