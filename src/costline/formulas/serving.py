"""Serving a decoder: what a request sees, what a second brings."""

from __future__ import annotations

from costline.derivation import formula
from costline.numeric import Numeric, smallest


@formula("step / tokens_per_step", unit="s/token", source="definition")
def tpot(step: Numeric, tokens_per_step: Numeric) -> Numeric:
    """Time per output token (TPOT) of one sequence.

    Parameters
    ----------
    step : float or array
        Time of one decode step. [s]
    tokens_per_step : float or array
        Tokens a sequence gains in a step: 1 without speculative decoding. [token]

    Returns
    -------
    float or array
        Time. [s/token]

    References
    ----------
    Agrawal et al. 2023, arXiv:2308.16369, section 2.

    Examples
    --------
    >>> tpot(0.02, 1)
    0.02
    """
    return step / tokens_per_step


@formula("ttft + tpot * (output - 1)", unit="s", source="definition")
def request_latency(ttft: Numeric, tpot: Numeric, output: Numeric) -> Numeric:
    """Time from a request to its last token.

    Parameters
    ----------
    ttft : float or array
        Time to the first token. [s]
    tpot : float or array
        Time per further token. [s/token]
    output : float or array
        Output tokens. [token]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    NVIDIA NIM benchmarking guide, metrics: end-to-end latency.

    Examples
    --------
    >>> request_latency(0.5, 0.01, 101)
    1.5
    """
    return ttft + tpot * (output - 1)


@formula("batch * output / latency", unit="token/s", source="little1961: sequences in flight over time in the system")
def output_rate(batch: Numeric, output: Numeric, latency: Numeric) -> Numeric:
    """Output tokens a second of an engine that always holds `batch` sequences.

    Parameters
    ----------
    batch : float or array
        Sequences in flight. [sequence]
    output : float or array
        Output tokens of each. [token]
    latency : float or array
        Time one stays. [s]

    Returns
    -------
    float or array
        Rate. [token/s]

    References
    ----------
    Little 1961, Operations Research 9(3).

    Examples
    --------
    >>> output_rate(8, 100, 4.0)
    200.0
    """
    return batch * output / latency


@formula(
    "decode + others * prefill / input_steps",
    unit="s",
    source="definition: each sequence is prefilled once in `input_steps` steps",
)
def mixed_step(decode: Numeric, prefill: Numeric, others: Numeric, input_steps: Numeric) -> Numeric:
    """Mean time of an engine step that decodes a batch and makes room for the prefill of newcomers.

    Parameters
    ----------
    decode : float or array
        Time of a decode step of the batch. [s]
    prefill : float or array
        Time to prefill every sequence of the batch once. [s]
    others : float or array
        Share of the batch that is not the sequence looked at, whose own prefill comes before its first token. [1]
    input_steps : float or array
        Decode steps a sequence takes: its output tokens. [step]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Yu et al. 2022, OSDI (Orca), iteration-level scheduling.

    Examples
    --------
    >>> mixed_step(0.02, 1.0, 0.75, 100), mixed_step(0.02, 1.0, 0.0, 100)
    (0.0275, 0.02)
    """
    return decode + others * prefill / input_steps


@formula("batch * input / (output * chunk)", unit="1", source="definition: newcomers a step, times chunks of each")
def chunk_share(batch: Numeric, input: Numeric, output: Numeric, chunk: Numeric) -> Numeric:
    """Share of the decode steps that carry a chunk of a prompt, where prompts are prefilled in chunks.

    Parameters
    ----------
    batch : float or array
        Sequences that gain a token in one step; each leaves after `output` steps and is replaced. [sequence]
    input, output : float or array
        Prompt and answer. [token]
    chunk : float or array
        Prompt tokens a step takes in. [token]

    Returns
    -------
    float or array
        Share; above 1 the prompts do not keep up with the answers. [1]

    References
    ----------
    Agrawal et al. 2023, arXiv:2308.16369, section 4 (SARATHI): chunked prefills with piggybacked decodes.

    Examples
    --------
    >>> chunk_share(10, 1000, 200, 500)
    0.1
    """
    return batch * input / (output * chunk)


@formula("min(prefill, decode)", unit="request/s", source="definition: what enters one pool leaves the other")
def balanced_rate(prefill: Numeric, decode: Numeric) -> Numeric:
    """Requests a second of two pools of chips, one for prefill and one for decode.

    Parameters
    ----------
    prefill, decode : float or array
        What each pool could do alone. [request/s]

    Returns
    -------
    float or array
        Rate of both together. [request/s]

    References
    ----------
    Zhong et al. 2024, arXiv:2401.09670, section 4 (DistServe): the pools are sized so that their rates match.

    Examples
    --------
    >>> balanced_rate(12.0, 10.0)
    10.0
    """
    return smallest(prefill, decode)


@formula(
    "server + alone + (batch > 1) * (rhythm / 2 + queue * (together - alone))",
    unit="s",
    source="definition: what is prefilled first, a share of the other requests in flight",
)
def ttft_under_load(
    alone: Numeric, rhythm: Numeric, together: Numeric, queue: Numeric, batch: Numeric, server: Numeric = 0.0
) -> Numeric:
    """Time to the first token (TTFT) of a request that joins a running batch.

    Parameters
    ----------
    alone : float or array
        Time to prefill this request alone. [s]
    rhythm : float or array
        Mean time of an engine step, half of which passes before the engine looks for newcomers. [s]
    together : float or array
        Time to prefill a whole batch. [s]
    queue : float or array
        Share of the other requests in flight whose prefill goes first, on average over all requests: 0 if they come
        evenly spread, 1/2 if all come at once, and 1/(2 k) if they all start at once and come k times each. [1]
    batch : float or array
        Sequences in flight; one waits for nobody. [sequence]
    server : float or array
        What the server adds beside the steps of the engine. [s]

    Returns
    -------
    float or array
        Time. [s]

    References
    ----------
    Yu et al. 2022, OSDI (Orca), iteration-level scheduling.

    Examples
    --------
    >>> ttft_under_load(0.25, 0.5, 8.25, 0.0625, 33)
    1.0
    """
    return server + alone + (batch > 1) * (rhythm / 2 + queue * (together - alone))


@formula("1 / (2 * rounds)", unit="1", source="definition: in one round of all, half of the others go first")
def ahead_share(rounds: Numeric) -> Numeric:
    """Share of the other requests in flight whose prefill goes first, where a load generator starts all at once.

    Parameters
    ----------
    rounds : float or array
        Requests over requests in flight: what is sent again returns one by one and waits for nobody. [1]

    Returns
    -------
    float or array
        Share, on average over all requests. [1]

    References
    ----------
    Definition: (n - 1) / 2 of n requests that come at once are ahead of the mean one, in one round of k.

    Examples
    --------
    >>> ahead_share(10)
    0.05
    """
    return 1 / (2 * rounds)


@formula(
    "((asked - taken) / 2 + (rounds - 1) * asked) / (rounds * asked)",
    unit="1",
    source="definition: the first find places, the rest of the first round half of the queue, others all of it",
)
def started_share(asked: Numeric, taken: Numeric, rounds: Numeric) -> Numeric:
    """Mean wait for a place where all requests start at once, over that in a steady closed loop.

    Places come free evenly, as where answers vary in length; those of one length come free all at once, and half wait.

    Parameters
    ----------
    asked, taken : float or array
        Requests in flight, and those of them an engine has places for. [request]
    rounds : float or array
        Requests over requests in flight. [1]

    Returns
    -------
    float or array
        Share: 1 for many rounds. [1]

    References
    ----------
    Little 1961, Operations Research 9(3): the wait in a steady closed loop.

    Examples
    --------
    >>> started_share(100, 50, 1), started_share(100, 50, 10)
    (0.25, 0.925)
    """
    return ((asked - taken) / 2 + (rounds - 1) * asked) / (rounds * asked)
