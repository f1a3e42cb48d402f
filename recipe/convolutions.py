"""Convolutions that a CPU runs fast inside a compiled loop: the same numbers, another order of the work.

XLA runs a convolution that stands inside a `lax.scan` on one naive thread (jax-ml/jax#12868): 20 s an epoch for a small
convnet on 10,000 digits, against 1 s in the form below. On a GPU the plain layers are the fast ones.
"""

from __future__ import annotations

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="recipe")
class PatchConv2D(keras.layers.Conv2D):
    """A `Conv2D` of stride 1 as one matrix product: nine shifted images, side by side, times the kernel."""

    def convolution_op(self, inputs, kernel):
        """Return the convolution of (batch, height, width, channels) with (rows, columns, channels, filters)."""
        rows, columns, channels, filters = kernel.shape
        if self.padding == "same":
            top, left = (rows - 1) // 2, (columns - 1) // 2
            inputs = ops.pad(inputs, ((0, 0), (top, rows - 1 - top), (left, columns - 1 - left), (0, 0)))
        height, width = inputs.shape[1] - rows + 1, inputs.shape[2] - columns + 1
        shifted = [inputs[:, r : r + height, c : c + width, :] for r in range(rows) for c in range(columns)]
        patches = ops.concatenate(shifted, axis=-1)  # (batch, height, width, rows * columns * channels)
        return ops.matmul(patches, ops.reshape(kernel, (rows * columns * channels, filters)))


@keras.saving.register_keras_serializable(package="recipe")
class ReshapeMaxPooling2D(keras.layers.MaxPooling2D):
    """A `MaxPooling2D` whose windows do not overlap, as a reshape and a maximum."""

    def call(self, inputs):
        """Return the maxima of the windows: (batch, height, width, c) -> (batch, height // size, width // size, c)."""
        (down, across), (height, width, channels) = self.pool_size, inputs.shape[1:]
        height, width = height // down, width // across  # a rest that fills no window is left out, as Keras does
        windows = inputs[:, : height * down, : width * across, :]
        return ops.max(ops.reshape(windows, (-1, height, down, width, across, channels)), axis=(2, 4))


def exchange_convolution(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """Return the fast layer of the same configuration, or None for a layer that it does not compute alike.

    Alike are convolutions of stride 1 without dilation, and poolings without overlap.
    """
    if type(layer) is keras.layers.Conv2D and layer.strides == layer.dilation_rate == (1, 1) and layer.groups == 1:
        return PatchConv2D.from_config(layer.get_config())
    if type(layer) is keras.layers.MaxPooling2D and layer.strides == layer.pool_size and layer.padding == "valid":
        return ReshapeMaxPooling2D.from_config(layer.get_config())
    return None
