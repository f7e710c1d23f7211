"""Open-Sora 1.2 (STDiT3) and 2.0 (MMDiT), Open-Sora-Plan 1.3.

Sources: hpcaitech/Open-Sora, opensora/models/stdit/stdit3.py, opensora/models/mmdit/model.py and
configs/diffusion/inference; PKU-YuanGroup/Open-Sora-Plan, opensora/models/diffusion/opensora_v1_3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from costline.errors import ConfigError
from costline.models import blocks
from costline.models.config import Config, Count, Flag, Ratio, Size
from costline.models.diffusion import adaln_single, streams
from costline.models.diffusion.streams import Widths
from costline.models.dit import DiT, Grid
from costline.models.parts import Convolution, Linear, Part

PLAN_TEXT_TOKENS = 512
"""Text tokens of Open-Sora-Plan 1.3."""
MMDIT_TEXT_TOKENS = 512
"""Text tokens of Open-Sora 2.0 (``max_length`` of its T5)."""
DENSE_ENDS = (2, 30)
"""Open-Sora-Plan 1.3 may be sparse from the first of these layers up to the second, which is dense again."""


class STDiT3Config(Config):
    """`STDiT3` of Open-Sora 1.2."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "input_size", "input_sq_size", "class_dropout_prob", "drop_path", "enable_flash_attn", "enable_flashattn",
        "enable_layernorm_kernel", "enable_sequence_parallelism", "only_train_temporal", "freeze_y_embedder",
    })  # fmt: skip
    in_channels: Size = 4
    patch_size: tuple[Literal[1], Size, Size] = (1, 2, 2)
    hidden_size: Size = 1152
    depth: Size = 28
    num_heads: Size = 16
    mlp_ratio: Ratio = 4.0
    pred_sigma: Flag = True
    caption_channels: Size = 4096
    model_max_length: Size = 300
    qk_norm: Flag = True
    skip_y_embedder: Literal[False] = False


class MMDiTConfig(Config):
    """`MMDiTModel` of Open-Sora 2.0: FLUX with an input for frames to continue from."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "type", "from_pretrained", "cache_dir", "axes_dim", "theta", "fused_qkv", "grad_ckpt_settings",
        "use_liger_rope",
    })  # fmt: skip
    in_channels: Size
    vec_in_dim: Size
    context_in_dim: Size
    hidden_size: Size
    mlp_ratio: Ratio
    num_heads: Size
    depth: Count
    depth_single_blocks: Count
    qkv_bias: Flag
    guidance_embed: Flag
    cond_embed: Flag = False
    patch_size: Size = 2


class PlanConfig(Config):
    """`OpenSoraT2V_v1_3` of Open-Sora-Plan 1.3."""

    neutral: ClassVar[frozenset[str]] = frozenset({
        "sample_size", "sample_size_t", "norm_eps", "interpolation_scale_h", "interpolation_scale_w",
        "interpolation_scale_t", "upcast_attention",
    })  # fmt: skip
    num_attention_heads: Size = 16
    attention_head_dim: Size = 88
    in_channels: Size
    out_channels: Size | None = None
    num_layers: Size = 1
    cross_attention_dim: Size
    attention_bias: Literal[True] = True
    patch_size: Size
    patch_size_t: Literal[1]
    activation_fn: Literal["gelu-approximate", "gelu"]
    only_cross_attention: Literal[False] = False
    double_self_attention: Literal[False] = False
    norm_elementwise_affine: Literal[False] = False
    caption_channels: Size
    sparse1d: Flag = False
    sparse_n: Size = 2


def read_stdit3(config: Mapping[str, Any], name: str) -> DiT:
    """Read an STDiT3: layers within frames and layers across them, in turn; both attend to the text.

    Its autoencoder takes 17 frames at a time and makes 5 latent frames of them.
    """
    checked = STDiT3Config.read(config, name)
    hidden, heads, repeat = checked.hidden_size, checked.num_heads, checked.depth
    if hidden % heads != 0 or checked.patch_size[1] != checked.patch_size[2]:
        raise ConfigError(f"{name}: hidden_size must be a multiple of num_heads, and patch_size square")
    taps = checked.patch_size[1] ** 2
    places = (("spatial", ("space", "space", "time"), False), ("temporal", ("time", "time", "space"), True))
    sides: list[Part] = []
    for place, core, rotary in places:
        widths = Widths(
            hidden=hidden, heads=heads, key_heads=heads, head_dim=hidden // heads,
            ffn=int(hidden * checked.mlp_ratio), head_norm="head" if checked.qk_norm else "none", rotary=rotary,
        )  # fmt: skip
        sides += _stdit_layers(widths, repeat, f"block/{place}", core)
    return DiT(
        name=name,
        architecture="STDiT3",
        parts=(
            Convolution(name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"),
            *adaln_single.timestep("condition/timestep", hidden),
            *streams.vector_mlp("condition/fps", streams.FREQUENCIES, hidden),
            *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
            *sides,
            *adaln_single.head(hidden, taps * checked.in_channels * (1 + checked.pred_sigma)),
        ),
        layers=2 * repeat,
        hidden_size=hidden,
        grid=Grid(time=17, latents=5, space=8, patch_space=checked.patch_size[1], first_frame_alone=False),
        fixed_streams={"text": checked.model_max_length},
        branches=2,
    )


def _stdit_layers(widths: Widths, repeat: int, place: str, core: tuple[str, str, str]) -> tuple[Part, ...]:
    """Layers of one kind; the cross-attention, unlike the self-attention, has no norm of queries and keys."""
    plain = Widths(
        hidden=widths.hidden, heads=widths.heads, key_heads=widths.key_heads, head_dim=widths.head_dim, ffn=widths.ffn
    )
    return (
        adaln_single.table(f"{place}/table", widths.hidden, repeat=repeat),
        *streams.self_attention(f"{place}/self", widths, "image", repeat=repeat, core=core),
        *streams.cross_attention(
            f"{place}/cross", plain, "image", "text", key_width=widths.hidden, repeat=repeat, normed=False
        ),
        *streams.feed_forward(f"{place}/mlp", widths, "image", repeat=repeat),
    )


def read_mmdit(config: Mapping[str, Any], name: str) -> DiT:
    """Read the MMDiTModel of Open-Sora 2.0, whose guided step evaluates text, picture and neither: three branches.

    A patch of 1 means the 4x32x32 autoencoder of the high-compression model, a patch of 2 the 4x8x8 one.
    """
    checked = MMDiTConfig.read(config, name)
    hidden, heads, channels = checked.hidden_size, checked.num_heads, checked.in_channels
    if hidden % heads != 0 or not checked.qkv_bias:
        raise ConfigError(f"{name}: hidden_size must be a multiple of num_heads, and qkv_bias true")
    widths = Widths(
        hidden=hidden, heads=heads, key_heads=heads, head_dim=hidden // heads, ffn=int(hidden * checked.mlp_ratio),
        head_norm="head", condition=hidden,
    )  # fmt: skip
    return DiT(
        name=name,
        architecture="MMDiTModel",
        parts=(
            *_mmdit_entry(checked),
            *streams.double_layers(widths, repeat=checked.depth, rotate_text=True),
            *streams.single_layers(widths, repeat=checked.depth_single_blocks),
            *streams.modulated_head(hidden, channels, condition=hidden),
        ),
        layers=checked.depth + checked.depth_single_blocks,
        hidden_size=hidden,
        grid=Grid(time=4, space=32 if checked.patch_size == 1 else 8, patch_space=checked.patch_size),
        fixed_streams={"text": MMDIT_TEXT_TOKENS},
        sums={"joint": ("image", "text")},
        branches=1 if checked.guidance_embed else 3,
    )


def _mmdit_entry(checked: MMDiTConfig) -> tuple[Part, ...]:
    hidden, channels = checked.hidden_size, checked.in_channels
    patch = Linear(name="embed/patch", inputs=channels, outputs=hidden, rows="image", shard="replicated")
    parts: list[Part] = [
        patch,
        *streams.vector_mlp("condition/timestep", streams.FREQUENCIES, hidden),
        *streams.vector_mlp("condition/pooled", checked.vec_in_dim, hidden),
        Linear(name="condition/text", inputs=checked.context_in_dim, outputs=hidden, rows="text", shard="replicated"),
    ]
    if checked.guidance_embed:
        parts += streams.vector_mlp("condition/guidance", streams.FREQUENCIES, hidden)
    if checked.cond_embed:  # latents to continue from and their mask, zero for text-to-video but computed all the same
        inputs = channels + checked.patch_size**2
        parts.append(
            Linear(name="embed/condition", inputs=inputs, outputs=hidden, rows="image", shard="replicated")
        )  # fmt: skip
        parts.append(blocks.residual("embed/sum", hidden, "image"))
    return tuple(parts)


def read_plan(config: Mapping[str, Any], name: str) -> DiT:
    """Read the OpenSoraT2V_v1_3 of Open-Sora-Plan.

    Where `sparse1d` is set, the layers between the dense ends split the latent tokens into `sparse_n` sequences, which
    divides the query-key pairs by `sparse_n`. The padding to whole sequences is left out (below `sparse_n` squared
    tokens).
    """
    checked = PlanConfig.read(config, name)
    heads, taps = checked.num_attention_heads, checked.patch_size**2
    hidden = heads * checked.attention_head_dim
    adaln_single.check_text_width(name, checked.cross_attention_dim, hidden)
    widths = Widths(hidden=hidden, heads=heads, key_heads=heads, head_dim=checked.attention_head_dim, ffn=4 * hidden)
    first, last = DENSE_ENDS
    sparse = max(min(checked.num_layers, last) - first, 0) if checked.sparse1d else 0
    layers: tuple[Part, ...] = adaln_single.layers(widths, repeat=checked.num_layers - sparse, place="block/dense")
    if sparse:
        core = ("part", "part", "parts")
        layers += adaln_single.layers(widths, repeat=sparse, place="block/sparse", core=core)
    return DiT(
        name=name,
        architecture="OpenSoraT2V_v1_3",
        parts=(
            Convolution(name="embed/patch", inputs=checked.in_channels, outputs=hidden, kernel=taps, positions="image"),
            *adaln_single.timestep("condition/timestep", hidden),
            *streams.vector_mlp("condition/text", checked.caption_channels, hidden, rows="text"),
            *layers,
            *adaln_single.head(hidden, taps * (checked.out_channels or checked.in_channels)),
        ),
        layers=checked.num_layers,
        hidden_size=hidden,
        grid=Grid(time=4, space=8, patch_space=checked.patch_size),
        fixed_streams={"text": PLAN_TEXT_TOKENS, "parts": checked.sparse_n},
        products={"part": (1 / checked.sparse_n, "image")},
        branches=2,
    )
