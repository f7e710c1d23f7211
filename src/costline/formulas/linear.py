"""Matrix multiplications, convolutions: FLOPs and parameters. A multiply-add is 2 FLOP everywhere."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, largest


@formula("2 * m * k * n", unit="FLOP", source="definition: k multiply-adds for each of m*n outputs")
def gemm_flops(m: Numeric, k: Numeric, n: Numeric) -> Numeric:
    r"""FLOPs of one matrix product.

    .. math:: C = 2 m k n

    Parameters
    ----------
    m : float or array
        Rows of the activations: batch times tokens. [row]
    k : float or array
        Inner size: inputs of the layer. [feature]
    n : float or array
        Outputs of the layer. [feature]

    Returns
    -------
    float or array
        Floating-point operations. [FLOP]

    References
    ----------
    Kaplan et al. 2020, arXiv:2001.08361, table 1 (2 FLOP a parameter and token).

    Examples
    --------
    >>> gemm_flops(2, 3, 4)
    48
    """
    return 2 * k * n * m  # in this order: k and n are numbers even where m is an array


@formula("2 * positions * kernel * inputs * outputs / groups", unit="FLOP", source="definition")
def convolution_flops(
    positions: Numeric, kernel: Numeric, inputs: Numeric, outputs: Numeric, groups: Numeric = 1
) -> Numeric:
    r"""FLOPs of one convolution, padding counted as work.

    .. math:: C = 2 p K c_{in} c_{out} / g

    Parameters
    ----------
    positions : float or array
        Output positions (batch, frames, height and width multiplied). [position]
    kernel : float or array
        Taps of the kernel (27 for 3x3x3). [tap]
    inputs : float or array
        Input channels. [channel]
    outputs : float or array
        Output channels. [channel]
    groups : float or array
        Channel groups; equal to the channels for a depthwise convolution. [group]

    Returns
    -------
    float or array
        Floating-point operations. [FLOP]

    References
    ----------
    torch.utils.flop_counter.conv_flop_count (the same count).

    Examples
    --------
    >>> convolution_flops(10, 9, 4, 8)
    5760
    """
    flops = 2 * kernel * inputs * outputs * positions
    return flops if isinstance(groups, int) and groups == 1 else flops / groups


@formula(
    "max(experts - 1, 0) * (share + sort * chips)",
    unit="call",
    source="NVIDIA/TransformerEngine GroupedLinear: num_gemms products; tokens sorted and counted before",
)
def apart_calls(experts: Numeric, share: Numeric, sort: Numeric, chips: Numeric) -> Numeric:
    """Launches of one product of a layer of experts beyond those of grouped kernels.

    Parameters
    ----------
    experts : float or array
        Experts of the layer on one chip. [expert]
    share : float or array
        Launches of a kernel for each of them but the first. [call]
    sort : float or array
        Launches for each chunk of tokens, those that one chip sends to one expert, that must be put in the experts'
        order: none where a chip holds one expert. [call]
    chips : float or array
        Chips that share the experts of the layer. [chip]

    Returns
    -------
    float or array
        Further launches of what would be one kernel if it were grouped. [call]

    References
    ----------
    NVIDIA/TransformerEngine, ``GroupedLinear``: ``num_gemms`` matrix products, one for each expert.
    NVIDIA/Megatron-LM, ``MoEAlltoAllTokenDispatcher``: with more than one local expert, what arrives is split into a
    chunk for each chip and expert and concatenated anew (``sort_chunks_by_idxs``).

    Examples
    --------
    >>> apart_calls(8.0, 0.5, 0.25, 4.0)
    10.5
    """
    return largest(experts - 1, 0) * (share + sort * chips)
