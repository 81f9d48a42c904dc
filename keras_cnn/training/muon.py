"""Muon for convolutional nets: Keras's, which takes the kernels of dense layers alone, also for convolutions."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_cnn")
class Muon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` that orthogonalizes the kernels of convolutions too (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon).

    A kernel (height, width, in, out) is a matrix of height x width x in rows and `out` columns. Depthwise kernels,
    whose single column has nothing to be orthogonal to, biases, normalization and `exclude_layers` take AdamW's step.
    """

    def _should_use_adamw(self, variable):
        if len(variable.shape) == 4 and variable.shape[-1] > 1:
            return any(keyword in variable.path for keyword in self.exclude_layers)
        return super()._should_use_adamw(variable)

    def _muon_update_step(self, gradient, variable, lr, m):
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        momentum = ops.add(gradient, self.momentum * m) if self.nesterov else ops.convert_to_tensor(m)
        matrix = ops.reshape(momentum, (-1, variable.shape[-1]))
        update = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(update, variable.shape))
