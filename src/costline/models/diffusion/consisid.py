"""ConsisID: CogVideoX with a face. Small transformers digest the face; some layers attend to the result."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Flag, Size
from costline.models.diffusion import cogvideox
from costline.models.diffusion.cogvideox import CogTrunkConfig
from costline.models.dit import DiT
from costline.models.parts import Attention, Convolution, Elementwise, Linear, Part, Weights

FACE_PATCHES = 577
"""Tokens of the EVA-CLIP image encoder at 336 pixels with patches of 14: 24 x 24 and the class token."""


class ConsisIdConfig(CogTrunkConfig):
    """`diffusers` ConsisIDTransformer3DModel; the LFE fields describe its local face extractor."""

    neutral: ClassVar[frozenset[str]] = CogTrunkConfig.neutral | {"is_kps", "local_face_scale"}
    is_train_face: Flag = False
    cross_attn_interval: Size = 2
    cross_attn_dim_head: Size = 128
    cross_attn_num_heads: Size = 16
    LFE_id_dim: Size = 1280
    LFE_vit_dim: Size = 1024
    LFE_depth: Size = 10
    LFE_dim_head: Size = 64
    LFE_num_heads: Size = 16
    LFE_num_id_token: Size = 5
    LFE_num_querie: Size = 32
    LFE_output_dim: Size = 2048
    LFE_ff_mult: Size = 4
    LFE_num_scale: Size = 5

    @property
    def face_width(self) -> int:
        """Width of the face tokens that layers attend to. [feature]"""
        return int(self.widths.hidden / 3 * 2)


def read_consisid(config: Mapping[str, Any], name: str) -> DiT:
    """Read a ConsisIDTransformer3DModel."""
    checked = ConsisIdConfig.read(config, name)
    hidden = checked.widths.hidden
    patch = Convolution(
        name="embed/patch",
        inputs=checked.in_channels,
        outputs=hidden,
        kernel=checked.patch_size**2,
        positions="image",
    )
    face: tuple[Part, ...] = ()
    if checked.is_train_face:
        _check_face(checked, name)
        face = (*_identity(checked), *_extractor(checked), *_face_attention(checked))
    outputs = checked.patch_size**2 * checked.out_channels
    head = cogvideox.two_norm_head(checked.widths, outputs, norm_rows="joint")
    queries, identity = checked.LFE_num_querie, checked.LFE_num_id_token
    return DiT(
        name=name,
        architecture="ConsisIDTransformer3DModel",
        parts=(patch, *face, *cogvideox.trunk(checked), *head),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=cogvideox.grid(checked, 1),
        fixed_streams={
            "text": checked.max_text_seq_length,
            "face": queries,
            "face_query": queries + identity,
            "face_patch": FACE_PATCHES,
            "face_key": FACE_PATCHES + queries + 2 * identity,
        },
        sums={"joint": ("image", "text")},
        branches=2,
    )


def _check_face(config: ConsisIdConfig, name: str) -> None:
    if config.num_layers % config.cross_attn_interval:
        raise ConfigError(f"{name}: num_layers must be a multiple of cross_attn_interval")
    if config.LFE_depth % config.LFE_num_scale:
        raise ConfigError(f"{name}: LFE_depth must be a multiple of LFE_num_scale")
    if config.LFE_output_dim != config.face_width:
        raise ConfigError(f"{name}: LFE_output_dim must be two thirds of the hidden size, {config.face_width}")


def _dense(name: str, inputs: int, outputs: int, rows: str, repeat: int = 1, *, bias: bool = False) -> Linear:
    return Linear(name=name, inputs=inputs, outputs=outputs, rows=rows, repeat=repeat, bias=bias, shard="replicated")


def _identity(config: ConsisIdConfig) -> tuple[Part, ...]:
    """Three layers over the face vector, and three over the patches of each scale."""
    width, scales = config.LFE_vit_dim, config.LFE_num_scale
    parts: list[Part] = []
    for place, rows, repeat, sizes in (
        ("condition/identity", "sample", 1, (config.LFE_id_dim, width, width, config.LFE_num_id_token * width)),
        ("condition/face/patches", "face_patch", scales, (width, width, width, width)),
    ):
        for index, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            parts.append(_dense(f"{place}/layer{index}", inputs, outputs, rows, repeat, bias=True))
            if index < 2:
                parts.append(blocks.norm(f"{place}/norm{index}", width, rows, repeat=repeat, bias=True))
    return tuple(parts)


def _extractor(config: ConsisIdConfig) -> tuple[Part, ...]:
    """Learned queries that attend to the face vector's tokens, the patches and themselves."""
    place, width, depth = "condition/face", config.LFE_vit_dim, config.LFE_depth
    inner = config.LFE_num_heads * config.LFE_dim_head
    return (
        Weights(name=f"{place}/queries", count=config.LFE_num_querie * width),
        *_perceiver(f"{place}/self", config, width, width, inner, "face_query", "face_key", depth),
        blocks.norm(f"{place}/mlp/norm", width, "face_query", repeat=depth, bias=True),
        _dense(f"{place}/mlp/up", width, config.LFE_ff_mult * width, "face_query", depth),
        _dense(f"{place}/mlp/down", config.LFE_ff_mult * width, width, "face_query", depth),
        _dense(f"{place}/out", width, config.LFE_output_dim, "face"),
    )


def _face_attention(config: ConsisIdConfig) -> tuple[Part, ...]:
    """Attention of every few layers' video tokens to the face."""
    inner = config.cross_attn_num_heads * config.cross_attn_dim_head
    repeat = config.num_layers // config.cross_attn_interval
    hidden = config.widths.hidden
    return (
        *_perceiver("block/face", config, hidden, config.face_width, inner, "image", "face", repeat),
        Elementwise(name="block/face/sum", rows="image", width=hidden, passes=5, repeat=repeat),
    )


def _perceiver(
    place: str, config: ConsisIdConfig, width: int, key_width: int, inner: int, rows: str, keys: str, repeat: int
) -> tuple[Part, ...]:
    """Cross-attention with norms on both sides and no biases."""
    heads = config.cross_attn_num_heads if place.startswith("block/") else config.LFE_num_heads
    return (
        blocks.norm(f"{place}/norm", width, rows, repeat=repeat, bias=True),
        blocks.norm(f"{place}/key_norm", key_width, keys, repeat=repeat, bias=True),
        _dense(f"{place}/query", width, inner, rows, repeat),
        _dense(f"{place}/key_value", key_width, 2 * inner, keys, repeat),
        Attention(
            name=f"{place}/core",
            queries=rows,
            keys=keys,
            heads=heads,
            key_heads=heads,
            key_dim=inner // heads,
            value_dim=inner // heads,
            repeat=repeat,
            crossed=True,
        ),
        _dense(f"{place}/out", inner, width, rows, repeat),
    )
