"""What occupies accelerator memory: model states, activations, caches."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric


@formula("params * element", unit="byte", source="definition")
def tensor_bytes(params: Numeric, element: Numeric) -> Numeric:
    """Bytes of a number of elements.

    Parameters
    ----------
    params : float or array
        Elements. [element]
    element : float or array
        Bytes of one. [byte]

    Returns
    -------
    float or array
        Size. [byte]

    References
    ----------
    Definition.

    Examples
    --------
    >>> tensor_bytes(10, 2.0)
    20.0
    """
    return params * element


@formula("params * state / shards", unit="byte", source="rajbhandari2019 arXiv:1910.02054 section 5")
def sharded_state_bytes(params: Numeric, state: Numeric, shards: Numeric) -> Numeric:
    """Bytes of a model state (weights, gradients or optimizer) on one chip.

    Parameters
    ----------
    params : float or array
        Parameters the chip is responsible for before sharding over data parallel ranks. [parameter]
    state : float or array
        Bytes a parameter: mixed-precision Adam keeps 2 of weights, 2 to 4 of gradients, 12 of fp32 copy and moments.
        [byte]
    shards : float or array
        Ranks that share the state: 1 without ZeRO. [chip]

    Returns
    -------
    float or array
        Size. [byte]

    References
    ----------
    Rajbhandari et al. 2019, arXiv:1910.02054, section 5 and fig. 1 (K = 12).

    Examples
    --------
    >>> sharded_state_bytes(7.5e9, 12, 64) / 1e9  # fig. 1, optimizer states of P_os
    1.40625
    """
    return params * (state / shards)


@formula("elements * element / shards", unit="byte", source="definition: keys and values of every layer")
def cache_bytes(elements: Numeric, element: Numeric, shards: Numeric) -> Numeric:
    """Bytes of KV cache on one chip.

    Parameters
    ----------
    elements : float or array
        Elements of all layers and samples together. [element]
    element : float or array
        Bytes of one. [byte]
    shards : float or array
        Chips that divide them. [chip]

    Returns
    -------
    float or array
        Size. [byte]

    References
    ----------
    Kwon et al. 2023, arXiv:2309.06180, section 3 (OPT-13B: 800 kB a token).

    Examples
    --------
    >>> cache_bytes(2 * 40 * 5120, 2.0, 1)  # OPT-13B, one token
    819200.0
    """
    return elements * (element / shards)


@formula(
    "rows * (residual + layer) * element",
    unit="byte",
    source="definition; no scores are kept: Dao et al. 2022, arXiv:2205.14135, section 3.1",
)
def working_set_bytes(rows: Numeric, residual: Numeric, layer: Numeric, element: Numeric) -> Numeric:
    """Activations an inference pass holds at its fullest moment, the logits aside.

    Parameters
    ----------
    rows : float or array
        Tokens of the pass that are on the chip. [token]
    residual : float or array
        Width of the residual stream, on one chip. [element/token]
    layer : float or array
        What the fullest layer holds of a token besides, on one chip. [element/token]
    element : float or array
        Bytes of one. [byte]

    Returns
    -------
    float or array
        Size. [byte]

    References
    ----------
    Definition: layers run one after the other, so only one holds tensors of its own. Fused attention keeps no scores:
    Dao et al. 2022, arXiv:2205.14135, section 3.1 and theorem 1 (memory linear in the length).

    Examples
    --------
    >>> working_set_bytes(8192, 4096, 3 * 14336, 2) / 2**30  # Llama 3 8B, one prompt of 8,192 tokens
    0.71875
    """
    return rows * ((residual + layer) * element)


@formula("capacity * (1 - reserved)", unit="byte", source="definition")
def usable_memory(capacity: Numeric, reserved: Numeric) -> Numeric:
    """Memory that is left for the model.

    Parameters
    ----------
    capacity : float or array
        Memory of the chip. [byte]
    reserved : float or array
        Share taken by context, runtime and fragmentation. [1]

    Returns
    -------
    float or array
        Size. [byte]

    References
    ----------
    Definition.

    Examples
    --------
    >>> usable_memory(80.0, 0.1)
    72.0
    """
    return capacity * (1 - reserved)


@formula(
    "elements * (wide + copies * narrow)", unit="byte", source="NVIDIA/TransformerEngine#3244 (rowwise and columnwise)"
)
def cast_bytes(elements: Numeric, wide: float, narrow: float, copies: float) -> Numeric:
    """Traffic of narrowing an operand of matrix products before they read it.

    Parameters
    ----------
    elements : float or array
        Numbers that are narrowed. [element]
    wide, narrow : float
        Size of one before and after. [byte]
    copies : float
        Narrow copies that are written. [1]

    Returns
    -------
    float or array
        Traffic. [byte]

    References
    ----------
    NVIDIA/TransformerEngine#3244: a tensor is read in 16 bits and quantised ``rowwise`` and ``columnwise``, as the
    scales of a block run along the summed dimension.

    Examples
    --------
    >>> cast_bytes(1000.0, 2.0, 1.0, 2)
    4000.0
    """
    return elements * (wide + copies * narrow)
