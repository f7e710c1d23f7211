"""Generation pipelines: transformers with their shares of the steps, autoencoder, text encoders, defaults.

`read_pipeline` reads a local folder in the layout of diffusers: ``model_index.json`` names the components, each of
which has a sub-folder with a ``config.json``. Nothing is executed and no weights are opened.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from costline.formulas.experts import high_noise_share
from costline.models.autoencoder import Autoencoder
from costline.models.dit import DiT
from costline.models.encoder import Encoder
from costline.models.network import Network


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """All networks of one generation, and what it does if nobody says otherwise.

    Attributes
    ----------
    name : str
        Catalogue name, or name of the folder.
    transformers : tuple of (DiT, float)
        Networks of the sampler and the share of the steps each runs; the shares add up to 1.
    autoencoder : Autoencoder or None
        None where it is not known; latents are then neither made nor decoded.
    encoders : tuple of (Encoder, int)
        Text encoders and the tokens each runs at, padding and template included. [token]
    steps, branches : int or None
        Sampler steps; evaluations of a guided step.
    fps : float or None
        Frames of a second of video. [frame/s]
    frames, height, width : int or None
        Default size. [frame, pixel, pixel]
    source : str
        Where networks and defaults were read.
    notes : tuple of str
        What was assumed, and what is not counted.
    """

    name: str
    transformers: tuple[tuple[DiT, float], ...]
    autoencoder: Autoencoder | None = None
    encoders: tuple[tuple[Encoder, int], ...] = ()
    steps: int | None = None
    branches: int | None = None
    fps: float | None = None
    frames: int | None = None
    height: int | None = None
    width: int | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def still(self) -> bool:
        """Whether it makes images: by its own default of one frame, or as its autoencoder knows no time."""
        timeless = self.autoencoder is not None and self.autoencoder.time == 1
        return self.frames == 1 or (self.frames is None and timeless)

    @property
    def params(self) -> int:
        """Parameters of all networks. [parameter]"""
        networks: list[Network] = [network for network, _ in self.transformers]
        networks += [encoder for encoder, _ in self.encoders]
        networks += [self.autoencoder] if self.autoencoder else []
        return sum(network.params for network in networks)


def decoded(autoencoder: Autoencoder, upcasts: bool) -> Autoencoder:
    """The autoencoder as a pipeline runs it: few classes do what ``force_upcast`` asks for."""
    return replace(autoencoder, upcast=autoencoder.upcast and upcasts)


def fitted(network: DiT, autoencoder: Autoencoder | None, text_tokens: int | None = None) -> DiT:
    """The transformer with the compression of the autoencoder it is paired with, and the text it is given."""
    if autoencoder is not None:
        network = replace(network, grid=replace(network.grid, time=autoencoder.time, space=autoencoder.space))
    if text_tokens is not None and "text" in network.fixed_streams:
        network = replace(network, fixed_streams={**network.fixed_streams, "text": text_tokens})
    return network


def shared_steps(networks: list[DiT], boundary: float | None, shift: float | None) -> tuple[tuple[DiT, float], ...]:
    """Networks with their shares of the steps: all of them for one, divided at the boundary for two."""
    if len(networks) == 1:
        return ((networks[0], 1.0),)
    share = 0.5 if boundary is None else float(high_noise_share(boundary, 1.0 if shift is None else shift))
    return ((networks[0], share), (networks[1], 1 - share))


def alone(network: DiT) -> Pipeline:
    """A pipeline of a transformer only."""
    note = "text encoder and autoencoder are not counted: only the transformer is known"
    return Pipeline(name=network.name, transformers=((network, 1.0),), branches=network.branches, notes=(note,))
