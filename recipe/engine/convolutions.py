"""Convolutions that a CPU runs fast inside a compiled loop: the same numbers, another order of the work.

XLA runs a convolution that stands inside a `lax.scan` on one naive thread (jax-ml/jax#12868): an epoch of two of them,
16 and 32 filters on 28 x 28 pixels, takes twelve times the processor's time of the form below. Both layers turn what
they get into (channels, height, width, batch) and back; from one to the next the two turns cancel. In that order a
shifted image is made of long runs of memory, the matrix products need no copies, and the rest is vectorised over the
batch. On a GPU the plain layers are the fast ones.
"""

from __future__ import annotations

import keras
from keras import ops

ELEMENTWISE = frozenset({"linear", "relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "softplus", "leaky_relu"})


class PatchConv2D(keras.layers.Conv2D):
    """A `Conv2D` of stride 1 as one matrix product: the kernel times its shifted images, one above the other."""

    def call(self, inputs):
        """Return (batch, height, width, filters) for (batch, height, width, channels)."""
        rows, columns, channels, filters = self.kernel.shape
        x = _turn(inputs)
        if self.padding == "same":
            top, left = (rows - 1) // 2, (columns - 1) // 2
            x = ops.pad(x, ((0, 0), (top, rows - 1 - top), (left, columns - 1 - left), (0, 0)))
        height, width, batch = x.shape[1] - rows + 1, x.shape[2] - columns + 1, x.shape[3]
        shifted = [x[:, r : r + height, c : c + width] for r in range(rows) for c in range(columns)]
        patches = ops.reshape(ops.concatenate(shifted), (rows * columns * channels, height * width * batch))
        kernel = ops.reshape(self.kernel, (rows * columns * channels, filters))
        outputs = ops.reshape(ops.matmul(ops.transpose(kernel), patches), (filters, height, width, batch))
        if self.use_bias:
            outputs = outputs + ops.reshape(self.bias, (filters, 1, 1, 1))
        return _turn(self.activation(outputs))


class ReshapeMaxPooling2D(keras.layers.MaxPooling2D):
    """A `MaxPooling2D` whose windows do not overlap, as a reshape and a maximum."""

    def call(self, inputs):
        """Return the maxima of the windows: (batch, height, width, c) -> (batch, height // size, width // size, c)."""
        (down, across), x = self.pool_size, _turn(inputs)
        channels, height, width, batch = x.shape[0], x.shape[1] // down, x.shape[2] // across, x.shape[3]
        windows = x[:, : height * down, : width * across]  # a rest that fills no window is left out, as Keras does
        windows = ops.reshape(windows, (channels, height, down, width, across, batch))
        return _turn(ops.max(windows, axis=(2, 4)))  # places with the same maximum share its gradient


def exchange_convolution(layer: keras.layers.Layer) -> keras.layers.Layer | None:
    """Return the fast layer of the same configuration, or None for a layer that it does not compute alike.

    Alike are convolutions of stride 1 without dilation, with an activation that goes element by element, and so in any
    order of the axes, and poolings without overlap.
    """
    if getattr(layer, "data_format", None) != "channels_last":
        return None
    if type(layer) is keras.layers.Conv2D and layer.strides == layer.dilation_rate == (1, 1) and layer.groups == 1:
        elementwise = getattr(layer.activation, "__name__", "") in ELEMENTWISE
        return PatchConv2D.from_config(layer.get_config()) if elementwise else None
    if type(layer) is keras.layers.MaxPooling2D and layer.strides == layer.pool_size and layer.padding == "valid":
        return ReshapeMaxPooling2D.from_config(layer.get_config())
    return None


def _turn(x):
    """Exchange the first axis with the last: (batch, height, width, channels) <-> (channels, height, width, batch)."""
    return ops.swapaxes(x, 0, 3)
