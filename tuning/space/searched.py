"""Which settings a search decides, and which the user decided for it."""

# options of the command line that are searched unless given; an architecture's own options likewise
SEARCHED = (
    "activation",
    "kernel_initializer",
    "normalization",
    "batch_norm",
    "dropout",
    "augmentation",
    "batch_size",
    "loss",
    "optimizer",
    "learning_rate",
    "weight_decay",
)


def fixed_settings(options) -> dict:
    """Dotted name -> value of what the user gave among what could be searched."""
    fixed_hyperparameters = {name: options[name] for name in SEARCHED if options[name] is not None}
    return fixed_hyperparameters | {f"options.{name}": value for name, value in options.options.items()}
