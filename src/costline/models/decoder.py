"""Decoder language models: a network plus the rules of prefill, decode and the KV cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from costline.models.decoders.shape import DecoderShape
from costline.models.network import Network
from costline.models.parts import Attention, LinearAttention, Part
from costline.numeric import Numeric


@dataclass(frozen=True, kw_only=True)
class Decoder(Network):
    """A decoder language model.

    Streams: ``tokens`` (new tokens of a sample), ``context`` (cached and new tokens), ``logits`` (positions that go
    through the output head), ``sample`` (1).

    Attributes
    ----------
    vocab_size : int
        Rows of the embedding table. [token]
    max_context : int or None
        Longest context the configuration states. [token]
    absorbed : tuple of Part or None
        Parts of a decode step where they differ from `parts`: latent attention (MLA) with the up-projections absorbed,
        as serving engines run it. None for other models.
    shape : DecoderShape or None
        The numbers it was built from.
    note : str
        What the reader of a result should know, such as a vision tower that is not counted.
    unstated : mapping of str to int
        Dimensions that the configuration does not state, as its class in transformers has them.
    """

    vocab_size: int
    max_context: int | None = None
    absorbed: tuple[Part, ...] | None = None
    shape: DecoderShape | None = None
    note: str = ""
    unstated: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What every answer about the network must say."""
        if not self.unstated:
            return ()
        taken = ", ".join(f"{name} {value:,}" for name, value in self.unstated.items())
        return (f"the configuration of {self.name} does not state what {self.architecture} has by default: {taken}",)

    def streams(
        self, *, tokens: Numeric, cached: Numeric = 0, batch: Numeric = 1, logits: Numeric = 1
    ) -> dict[str, Numeric]:
        """Token counts of one forward pass.

        Parameters
        ----------
        tokens : float or array
            New tokens a sample: the prompt in prefill, 1 in decode. [token]
        cached : float or array
            Tokens already in the cache. [token]
        batch : float or array
            Samples. [sample]
        logits : float or array
            Positions a sample that need logits: 1 when serving, `tokens` when training. [token]
        """
        return {"sample": 1, "tokens": tokens, "context": cached + tokens, "logits": logits, "batch": batch}

    @property
    def decode_parts(self) -> tuple[Part, ...]:
        """Parts a serving engine runs for one decode step."""
        return self.parts if self.absorbed is None else self.absorbed

    def cache_elements(self, context: Numeric) -> Numeric:
        """Elements kept of one sample at `context` tokens: keys, values, latents, recurrent states. [element]

        Sliding windows and chunks keep no more than their length; a selecting indexer keeps everything.
        """
        total: Numeric = 0
        for part in self.parts:
            if isinstance(part, Attention):
                total = total + part.repeat * part.cache_width * part.kept(context)
            elif isinstance(part, LinearAttention):
                total = total + part.repeat * part.state
        return total
