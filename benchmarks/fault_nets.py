"""The networks of `benchmarks.fault_set`, one function per family: (case, inputs) -> features (B, F)."""

from dataclasses import dataclass

import keras
from keras import layers


@dataclass(frozen=True)
class Case:
    """A network, its data and its optimizer.

    Args:
        number: index in `cases()`, and random seed.
        family: key of `FAMILIES`.
        data: mnist or cifar10.
        depth: number of hidden layers.
        width: filters or units of a hidden layer; families multiply it.
        activation: of hidden layers.
        initializer: of hidden kernels.
        batch_norm: whether hidden layers have batch normalization.
        optimizer: sgd, adam or rmsprop.
        rate: learning rate.
        fault: a name of `FAULTS`, empty for a random draw.
        skip: whether to add skip connections around layers that keep their shape.
    """

    number: int
    family: str
    data: str
    depth: int
    width: int
    activation: str
    initializer: str
    batch_norm: bool
    optimizer: str
    rate: float
    fault: str = ""
    skip: bool = False


def _layer(
    case: Case,
    x,
    index: int,
    kernel: int = 0,
    width: int = 0,
    strides: int = 1,
    *,
    branch: str = "",
    separable: bool = False,
    dilation: int = 1,
):
    """A convolution, or a dense layer, then batch normalization (if the case has it) and activation.

    Args:
        case: the network.
        x: inputs.
        index: number of the layer, from 1.
        kernel: size of the convolution; 0 for a dense layer.
        width: filters or units; 0 for those of the case.
        strides: of the convolution.
        branch: suffix of the layer's name, for several layers of one index.
        separable: whether the convolution is depthwise separable.
        dilation: of the convolution.
    """
    width, initializer = width or case.width, initializer_of(case)
    common = {
        "bias_initializer": _bias(case, index),
        "use_bias": not case.batch_norm,
        "name": f"layer{index}{branch}",
    }
    if separable:
        kernels = {"depthwise_initializer": initializer, "pointwise_initializer": initializer}
        y = layers.SeparableConv2D(width, kernel, strides, padding="same", **kernels, **common)(x)
    elif kernel:
        common |= {"kernel_initializer": initializer, "dilation_rate": dilation}
        y = layers.Conv2D(width, kernel, strides, "same", **common)(x)
    else:
        y = layers.Dense(width, kernel_initializer=initializer, **common)(x)
    if case.batch_norm:
        y = layers.BatchNormalization(momentum=0.9)(y)
    y = layers.Activation(case.activation)(y)
    return layers.Add()([x, y]) if case.skip and x.shape == y.shape else y


def _bias(case: Case, index: int):
    dead = case.fault == "dead_relu" and index == (case.depth + 1) // 2
    return keras.initializers.Constant(-20.0) if dead else "zeros"


def initializer_of(case: Case) -> str:
    return "zeros" if case.fault == "zero_init" else case.initializer


def _plain(case: Case, x):
    halved = {1 + case.depth // 3, 1 + 2 * case.depth // 3}
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3, strides=2 if index in halved else 1)
    return layers.GlobalAveragePooling2D()(x)


def _dense(case: Case, x):
    x = layers.Flatten()(x)
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index)
    return x


def _vgg(case: Case, x):
    """Three blocks of 3x3 convolutions and a max pool, then a dense layer."""
    convolutions, index = max(1, case.depth - 1), 0
    for block in range(3):
        for _ in range(convolutions // 3 + (block < convolutions % 3)):
            index += 1
            x = _layer(case, x, index, 3, width=case.width * 2 ** min(block, 1))
        x = layers.MaxPooling2D(2)(x)
    return _layer(case, layers.Flatten()(x), index + 1, width=4 * case.width)


def _lenet(case: Case, x):
    """Two 5x5 convolutions with average pools, the rest dense."""
    for index in (1, 2):
        x = layers.AveragePooling2D(2)(_layer(case, x, index, 5, width=case.width * index))
    x = layers.Flatten()(x)
    for index in range(3, case.depth + 1):
        x = _layer(case, x, index, width=4 * case.width)
    return x


def _alexnet(case: Case, x):
    """A 5x5 convolution, overlapping pools, 3x3 convolutions, and two dense layers (one up to depth 3)."""
    dense = 2 if case.depth > 3 else 1
    for index in range(1, case.depth - dense + 1):
        x = _layer(case, x, index, 5 if index == 1 else 3, width=case.width * min(index, 2))
        if index in (1, 2):
            x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    for index in range(max(1, case.depth - dense + 1), case.depth + 1):
        x = _layer(case, x, index, width=8 * case.width)
    return x


def _nin(case: Case, x):
    """3x3 convolutions, each followed by two of 1x1, pools after the first two groups, global average pooling."""
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3 if index % 3 == 1 else 1, width=2 * case.width)
        if index in (3, 6):
            x = layers.MaxPooling2D(2)(x)
    return layers.GlobalAveragePooling2D()(x)


def _allconv(case: Case, x):
    """3x3 convolutions, two of them strided, two of 1x1 at the end, global average pooling (Springenberg et al.,
    Striving for Simplicity, 2015)."""
    for index in range(1, case.depth + 1):
        strided = index in (3, 6)
        x = _layer(case, x, index, 3 if index <= max(1, case.depth - 2) else 1, strides=2 if strided else 1)
    return layers.GlobalAveragePooling2D()(x)


def _mobilenet(case: Case, x):
    """A convolution, then pairs of a depthwise and a 1x1 convolution (Howard et al., MobileNets, 2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1):
        x = _depthwise(case, x, 3, 2 if index in (3, 6) else 1)
        x = _layer(case, x, index, 1, width=2 * case.width)
    return layers.GlobalAveragePooling2D()(x)


def _depthwise(case: Case, x, kernel: int, strides: int = 1):
    x = layers.DepthwiseConv2D(
        kernel, strides, "same", depthwise_initializer=initializer_of(case), use_bias=not case.batch_norm
    )(x)
    x = layers.BatchNormalization(momentum=0.9)(x) if case.batch_norm else x
    return layers.Activation(case.activation)(x)


def _resnet(case: Case, x):
    """A convolution, then residual blocks of two with an identity or 1x1 shortcut (He et al., 2016)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth + 1, 2):
        strides = 2 if index in (4, 8) else 1
        y = _layer(case, x, index, 3, strides=strides)
        y = _layer(case, y, index + 1, 3) if index < case.depth else y
        x = layers.Add()([_projected(case, x, case.width, strides), y])
    return layers.GlobalAveragePooling2D()(x)


def _projected(case: Case, x, width: int, strides: int):
    """The shortcut of a block: `x`, through a 1x1 convolution if the block is strided."""
    if strides == 1:
        return x
    return layers.Conv2D(width, 1, strides, kernel_initializer=case.initializer)(x)


def _squeezenet(case: Case, x):
    """A convolution, then pairs of a narrow 1x1 convolution and parallel 1x1 and 3x3 ones (Iandola et al., SqueezeNet,
    2016)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1, 2):
        if index in (4, 8):
            x = layers.MaxPooling2D(2)(x)
        x = _layer(case, x, index, 1)
        if index < case.depth:
            sides = [_layer(case, x, index + 1, kernel, branch=f"_{kernel}") for kernel in (1, 3)]
            x = layers.Concatenate()(sides)
    return layers.GlobalAveragePooling2D()(x)


def _inception(case: Case, x):
    """A convolution, then modules of parallel 1x1, 3x3 and 5x5 convolutions and a max pool (Szegedy et al., Going
    Deeper with Convolutions, 2015)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth + 1):
        if index in (3, 5):
            x = layers.MaxPooling2D(2)(x)
        sides = [_layer(case, x, index, kernel, branch=f"_{kernel}") for kernel in (1, 3, 5)]
        pooled = layers.MaxPooling2D(3, 1, "same")(x)
        x = layers.Concatenate()([*sides, _layer(case, pooled, index, 1, branch="_pool")])
    return layers.GlobalAveragePooling2D()(x)


def _densenet(case: Case, x):
    """3x3 convolutions on the concatenated outputs of all before, with 1x1 convolutions and average pools as layers 4
    and 7 (Huang et al., DenseNet, 2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1):
        if index in (4, 7):
            x = layers.AveragePooling2D(2)(_layer(case, x, index, 1, width=2 * case.width))
        else:
            x = layers.Concatenate()([x, _layer(case, x, index, 3)])
    return layers.GlobalAveragePooling2D()(x)


def _xception(case: Case, x):
    """A convolution, then residual blocks of two separable ones with an identity or strided 1x1 shortcut (Chollet,
    Xception, 2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1, 2):
        strides = 2 if index in (4, 8) else 1
        y = _layer(case, x, index, 3, 2 * case.width, strides, separable=True)
        y = _layer(case, y, index + 1, 3, 2 * case.width, separable=True) if index < case.depth else y
        x = _projected(case, x, 2 * case.width, strides)
        x = layers.Add()([x, y])
    return layers.GlobalAveragePooling2D()(x)


def _convmixer(case: Case, x):
    """A strided 2x2 convolution, then pairs of a 5x5 depthwise one with a skip connection and one of 1x1
    (Trockman & Kolter, Patches Are All You Need?, 2022)."""
    x = _layer(case, x, 1, 2, 2 * case.width, strides=2)
    for index in range(2, case.depth + 1):
        x = layers.Add()([x, _depthwise(case, x, 5)])
        x = _layer(case, x, index, 1, 2 * case.width)
    return layers.GlobalAveragePooling2D()(x)


def _senet(case: Case, x):
    """3x3 convolutions with average pools after the second and the fourth; two dense layers on channel means weight
    the channels of each (Hu et al., Squeeze-and-Excitation Networks, 2018)."""
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3)
        weights = layers.GlobalAveragePooling2D(keepdims=True)(x)
        for width, activation in ((max(1, case.width // 4), "relu"), (case.width, "sigmoid")):
            weights = layers.Dense(width, activation, kernel_initializer=initializer_of(case))(weights)
        x = layers.Multiply()([x, weights])
        if index in (2, 4):
            x = layers.AveragePooling2D(2)(x)
    return layers.GlobalAveragePooling2D()(x)


def _preact(case: Case, x):
    """A convolution, then pre-activation residual blocks of two with an identity or 1x1 shortcut
    (He et al., Identity Mappings in Deep Residual Networks, 2016)."""
    x = layers.Conv2D(2 * case.width, 3, padding="same", kernel_initializer=initializer_of(case))(x)
    for index in range(2, case.depth + 1, 2):
        strides, y = 2 if index in (4, 8) else 1, x
        for place in range(index, min(index + 2, case.depth + 1)):
            y = layers.BatchNormalization(momentum=0.9)(y) if case.batch_norm else y
            y = layers.Activation(case.activation)(y)
            y = layers.Conv2D(
                2 * case.width,
                3,
                strides if place == index else 1,
                "same",
                kernel_initializer=initializer_of(case),
                bias_initializer=_bias(case, place),
            )(y)
        x = layers.Add()([_projected(case, x, 2 * case.width, strides), y])
    return layers.GlobalAveragePooling2D()(layers.Activation(case.activation)(x))


def _highway(case: Case, x):
    """3x3 convolutions with average pools after the second and the fourth; from the second on a gate mixes the inputs
    and the outputs of a convolution element by element (Srivastava et al., Highway Networks, 2015)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth + 1):
        gate = layers.Conv2D(
            case.width,
            3,
            padding="same",
            activation="sigmoid",
            bias_initializer=keras.initializers.Constant(-1.0),
        )(x)
        made = layers.Multiply()([gate, _layer(case, x, index, 3)])
        x = layers.Add()([made, layers.Multiply()([layers.Rescaling(-1.0, 1.0)(gate), x])])
        if index in (2, 4):
            x = layers.AveragePooling2D(2)(x)
    return layers.GlobalAveragePooling2D()(x)


def _repvgg(case: Case, x):
    """3x3 convolutions, each summed with a parallel 1x1 one and, where shapes allow, the identity; two are strided
    (Ding et al., RepVGG, 2021)."""
    for index in range(1, case.depth + 1):
        strides = 2 if index in (3, 6) else 1
        sides = [
            _linear(case, x, 3, case.width, strides, _bias(case, index)),
            _linear(case, x, 1, case.width, strides),
        ]
        sides += [x] if x.shape == sides[0].shape else []
        x = layers.Activation(case.activation)(layers.Add()(sides))
    return layers.GlobalAveragePooling2D()(x)


def _fractal(case: Case, x):
    """Blocks of one 3x3 convolution parallel to two, averaged, with max pools after the first two (Larsson et al.,
    FractalNet, 2017)."""
    for index in range(1, case.depth + 1, 3):
        y = _layer(case, x, index, 3)
        for place in range(index + 1, min(index + 3, case.depth + 1)):
            x = _layer(case, x, place, 3)
        x = layers.Average()([x, y]) if x.shape == y.shape else y
        if index in (1, 4):
            x = layers.MaxPooling2D(2)(x)
    return layers.GlobalAveragePooling2D()(x)


def _inverted(case: Case, x):
    """A convolution, then residual blocks of a widening 1x1, a depthwise and a linear narrowing 1x1 convolution, and a
    last 1x1 convolution (Sandler et al., MobileNetV2, 2018)."""
    x = _layer(case, x, 1, 3)
    for index in range(2, case.depth):
        strides = 2 if index in (3, 6) else 1
        y = _depthwise(case, _layer(case, x, index, 1, 2 * case.width), 3, strides)
        y = _linear(case, y, 1, case.width)
        x = layers.Add()([x, y]) if strides == 1 else y
    return layers.GlobalAveragePooling2D()(_layer(case, x, case.depth, 1, 2 * case.width))


def _mixer(case: Case, x):
    """Patches of 2x2, then dense layers over positions and over channels in turn, each with a skip connection
    (Tolstikhin et al., MLP-Mixer, 2021)."""
    x = layers.Reshape((-1, 2 * case.width))(_layer(case, x, 1, 2, 2 * case.width, strides=2))
    for index in range(2, case.depth + 1):
        if index % 2:
            y = _layer(case, x, index, width=2 * case.width)
        else:
            y = layers.Permute((2, 1))(_layer(case, layers.Permute((2, 1))(x), index, width=x.shape[1]))
        x = layers.Add()([x, y])
    return layers.GlobalAveragePooling1D()(x)


def _dilated(case: Case, x):
    """3x3 convolutions with dilation 1, 2 and 4 in turn, with an average pool after the first (Yu & Koltun,
    Multi-Scale Context Aggregation by Dilated Convolutions, 2016)."""
    for index in range(1, case.depth + 1):
        x = _layer(case, x, index, 3, dilation=2 ** ((index - 1) % 3))
        x = layers.AveragePooling2D(2)(x) if index == 1 else x
    return layers.GlobalAveragePooling2D()(x)


def _ghost(case: Case, x):
    """3x3 convolutions concatenated with a depthwise one of their output, max pools after the second and fourth (Han
    et al., GhostNet, 2020)."""
    for index in range(1, case.depth + 1):
        y = _layer(case, x, index, 3)
        x = layers.Concatenate()([y, _depthwise(case, y, 3)])
        x = layers.MaxPooling2D(2)(x) if index in (2, 4) else x
    return layers.GlobalAveragePooling2D()(x)


def _inception_resnet(case: Case, x):
    """A convolution, then residual blocks of parallel 1x1 and 3x3 convolutions, concatenated and projected by a linear
    1x1 one, with average pools after the second and the fourth (Szegedy et al., Inception-v4,
    2017)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1):
        sides = [_layer(case, x, index, kernel, branch=f"_{kernel}") for kernel in (1, 3)]
        y = _linear(case, layers.Concatenate()(sides), 1, 2 * case.width)
        x = layers.Activation(case.activation)(layers.Add()([x, y]))
        x = layers.AveragePooling2D(2)(x) if index in (2, 4) else x
    return layers.GlobalAveragePooling2D()(x)


def _columns(case: Case, x):
    """Two columns of 3x3 convolutions, on the image and at half its resolution, with max pools after the second layers
    (Ciresan et al., Multi-column Deep Neural Networks, 2012)."""
    sides = [x, layers.AveragePooling2D(2)(x)]
    for index in range(1, case.depth + 1):
        sides = [_layer(case, side, index, 3, branch=f"_{place}") for place, side in enumerate(sides)]
        sides = [layers.MaxPooling2D(2)(side) for side in sides] if index == 2 else sides
    return layers.Concatenate()([layers.GlobalAveragePooling2D()(side) for side in sides])


def _csp(case: Case, x):
    """A convolution, then blocks of two of 3x3 on half of the channels, joined with the other half by a 1x1 one, with
    average pools after the first two (Wang et al., CSPNet, 2020)."""
    x = _layer(case, x, 1, 3, width=2 * case.width)
    for index in range(2, case.depth + 1, 3):
        kept, y = x[..., : case.width], x[..., case.width :]
        for place in range(index, min(index + 2, case.depth + 1)):
            y = _layer(case, y, place, 3)
        x = layers.Concatenate()([kept, y])
        x = _layer(case, x, index + 2, 1, width=2 * case.width) if index + 2 <= case.depth else x
        x = layers.AveragePooling2D(2)(x) if index in (2, 5) else x
    return layers.GlobalAveragePooling2D()(x)


def _linear(case: Case, x, kernel: int, width: int, strides: int = 1, bias="zeros"):
    """A convolution, and batch normalization if the case has it, without an activation."""
    common = {"kernel_initializer": initializer_of(case), "bias_initializer": bias}
    y = layers.Conv2D(width, kernel, strides, "same", use_bias=not case.batch_norm, **common)(x)
    return layers.BatchNormalization(momentum=0.9)(y) if case.batch_norm else y


FAMILIES = {"plain": _plain, "dense": _dense, "vgg": _vgg, "lenet": _lenet, "alexnet": _alexnet, "nin": _nin}
FAMILIES |= {"allconv": _allconv, "mobilenet": _mobilenet, "resnet": _resnet}
FAMILIES |= {"squeezenet": _squeezenet, "inception": _inception, "densenet": _densenet}
FAMILIES |= {"xception": _xception, "convmixer": _convmixer, "senet": _senet}
FAMILIES |= {"preact": _preact, "highway": _highway}
FAMILIES |= {"repvgg": _repvgg, "fractal": _fractal, "inverted": _inverted}
FAMILIES |= {"mixer": _mixer, "dilated": _dilated}
FAMILIES |= {"ghost": _ghost, "inception_resnet": _inception_resnet}
FAMILIES |= {"columns": _columns, "csp": _csp}
