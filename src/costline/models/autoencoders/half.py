"""Writing down one half of an autoencoder, layer after layer, as its module runs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from costline.models.autoencoder import Autoencoder, PixelStages, Tiling
from costline.models.autoencoders.stages import Chunks, Stage, Stages, Step
from costline.models.parts import Attention, Convolution, Elementwise, Linear, Mask, Part, Weights

Norm: TypeAlias = Literal["group", "rms", "none"]
"""GroupNorm (scale and shift), RMSNorm (scale) or a norm without parameters."""

TAPS_3D: tuple[int, ...] = (27,)
TAPS_2D: tuple[int, ...] = (9,)
TAPS_SPLIT: tuple[int, ...] = (9, 3)
"""A spatial convolution, then a temporal one."""

NORM_PARAMS = {"group": 2, "rms": 1, "none": 0}


class Half:
    """An encoder or a decoder under construction: a list of parts and the place the next layer works at.

    Parameters
    ----------
    place : str
        ``encoder`` or ``decoder``, first segment of every name.
    space : int
        Pixels of video a position of the input covers. [pixel]
    before : tuple of Step
        From frames of video to frames of the input.
    chunks : Chunks, optional
        Pieces in time the half is run on.
    norm : {"group", "rms", "none"}
        Norm of residual blocks and attention.
    taps : tuple of int
        Kernel of the convolutions of residual blocks.
    """

    def __init__(
        self,
        place: str,
        *,
        space: int = 1,
        before: tuple[Step, ...] = (),
        chunks: Chunks | None = None,
        norm: Norm = "group",
        taps: tuple[int, ...] = TAPS_3D,
    ) -> None:
        self.place = place
        self.space = space
        self.steps: tuple[Step, ...] = ()
        self.before = before
        self.chunks = chunks
        self.norm_kind: Norm = norm
        self.taps = taps
        self.parts: list[Part] = []
        self._stages: dict[tuple[tuple[Step, ...], int], Stage] = {}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Every stage a layer was placed at."""
        return tuple(self._stages.values())

    @property
    def rows(self) -> str:
        """Stream of positions where the next layer works."""
        key = (self.steps, self.space)
        if key not in self._stages:
            name = f"{self.place}{len(self._stages)}"
            self._stages[key] = Stage(name, self.before, self.steps, self.space, self.chunks)
        return self._stages[key].name

    def move(self, *steps: Step, space: int = 1, finer: int = 1) -> None:
        """Go on at another resolution: `steps` in time, `space` times fewer or `finer` times more rows and columns."""
        self.steps = tuple(step for step in (*self.steps, *steps) if step[1] != (0 if step[0] == "plus" else 1))
        self.space = self.space * space // finer

    def convolution(
        self, name: str, inputs: int, outputs: int, taps: Iterable[int], *, repeat: int = 1, bias: bool = True,
        groups: int = 1,
    ) -> None:  # fmt: skip
        """One convolution, or several in a row (``taps`` of each)."""
        for index, kernel in enumerate(taps):
            self.parts.append(
                Convolution(
                    name=f"{self.place}/{name}" + (f"{index}" if index else ""),
                    inputs=outputs if index else inputs,
                    outputs=outputs,
                    kernel=kernel,
                    positions=self.rows,
                    groups=groups,
                    bias=bias,
                    repeat=repeat,
                )
            )

    def linear(self, name: str, inputs: int, outputs: int, *, repeat: int = 1, bias: bool = True) -> None:
        """A dense layer on every position; replicated, as autoencoders are not tensor parallel."""
        self.parts.append(
            Linear(
                name=f"{self.place}/{name}", inputs=inputs, outputs=outputs, rows=self.rows, bias=bias, repeat=repeat,
                shard="replicated",
            )
        )  # fmt: skip

    def elementwise(
        self, name: str, width: int, passes: float, *, saves: float = 0, held: int = 0, repeat: int = 1
    ) -> None:
        """Memory-bound work on every position."""
        self.parts.append(
            Elementwise(
                name=f"{self.place}/{name}", rows=self.rows, width=width, passes=passes, saves=saves, held=held,
                repeat=repeat,
            )
        )  # fmt: skip

    def weights(self, name: str, count: int, *, repeat: int = 1) -> None:
        """Parameters that are added or multiplied element by element."""
        self.parts.append(Weights(name=f"{self.place}/{name}", count=count, repeat=repeat))

    def norm(self, name: str, width: int, *, repeat: int = 1, kind: Norm | None = None, activated: bool = True) -> None:
        """A norm, and the activation that follows it."""
        held = width * NORM_PARAMS[kind or self.norm_kind]
        self.elementwise(
            name, width, 4 if activated else 2, saves=2 if activated else 1, held=held, repeat=repeat
        )  # fmt: skip

    def resnet(self, name: str, inputs: int, outputs: int | None = None, *, repeat: int = 1) -> None:
        """Residual blocks: norm, activation, convolution, twice; a 1x1 convolution where the width changes."""
        width = inputs if outputs is None else outputs
        self.norm(f"{name}/norm1", inputs, repeat=repeat)
        self.convolution(f"{name}/conv1", inputs, width, self.taps, repeat=repeat)
        self.norm(f"{name}/norm2", width, repeat=repeat)
        self.convolution(f"{name}/conv2", width, width, self.taps, repeat=repeat)
        if inputs != width:
            self.convolution(f"{name}/shortcut", inputs, width, (1,), repeat=repeat)
        self.elementwise(f"{name}/residual", width, 3, repeat=repeat)

    def resnets(self, name: str, inputs: int, outputs: int, layers: int) -> None:
        """`layers` residual blocks, the first of which changes the width."""
        if inputs != outputs and layers:
            self.resnet(f"{name}/resnet0", inputs, outputs)
            layers -= 1
        if layers:
            self.resnet(f"{name}/resnet", outputs, repeat=layers)

    def core(
        self, name: str, width: int, over: Literal["area", "time", "all"], *, heads: int = 1, mask: Mask = "full",
        repeat: int = 1,
    ) -> None:  # fmt: skip
        """Attention among the positions of a frame, among the frames of a position, or among all of them."""
        where = self.rows
        self.parts.append(
            Attention(
                name=f"{self.place}/{name}/core",
                queries=f"{where}:{over}",
                keys=f"{where}:{over}",
                sequences=f"{where}:{over}s",
                heads=heads,
                key_heads=heads,
                key_dim=width // heads,
                value_dim=width // heads,
                mask=mask,
                repeat=repeat,
            )
        )

    def attention(
        self, name: str, width: int, over: Literal["area", "time", "all"], *, linear: bool = False,
        mask: Mask = "full",
    ) -> None:  # fmt: skip
        """Norm, query, key and value, core, output and residual; projections are 1x1 convolutions or dense layers."""
        self.norm(f"{name}/norm", width, activated=False)
        for projection in ("query", "key", "value"):
            self.projection(f"{name}/{projection}", width, linear=linear)
        self.core(name, width, over, mask=mask)
        self.projection(f"{name}/out", width, linear=linear)
        self.elementwise(f"{name}/residual", width, 3)

    def projection(self, name: str, width: int, *, linear: bool) -> None:
        """A square projection."""
        if linear:
            self.linear(name, width, width)
        else:
            self.convolution(name, width, width, (1,))

    def output(self, width: int, outputs: int, taps: tuple[int, ...] | None = None) -> None:
        """Norm, activation and the last convolution."""
        self.norm("out/norm", width)
        self.convolution("out/conv", width, outputs, self.taps if taps is None else taps)


def assemble(
    name: str,
    architecture: str,
    encoder: Half,
    decoder: Half,
    *,
    widest: int,
    time: int,
    space: int,
    latent_channels: int,
    tiling: Tiling,
    chunk: int | None = None,
    stages: PixelStages | None = None,
    upcast: bool = False,
) -> Autoencoder:
    """Join two halves; `widest` is the width reported as `hidden_size`, `stages` replaces those of the halves."""
    return Autoencoder(
        name=name,
        architecture=architecture,
        parts=(*encoder.parts, *decoder.parts),
        layers=1,
        hidden_size=widest,
        encoder=tuple(encoder.parts),
        decoder=tuple(decoder.parts),
        stages=stages or Stages((*encoder.stages, *decoder.stages)),
        time=time,
        space=space,
        latent_channels=latent_channels,
        tiling=tiling,
        chunk=chunk,
        upcast=upcast,
    )
