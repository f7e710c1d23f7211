"""Count parameters and FLOPs of video networks on the real diffusers modules, on the meta device.

Run by hand, in an environment with the ``reference`` extra; the tests read only its result:

    python tests/reference/count_dit.py > tests/reference/dit_extra_truth.csv

One forward pass of one sample. Matrix products (mm, addmm) are linear, SDPA and batched products (linear attention) are
attention, convolutions are their own; a masked SDPA is counted in full. LTX-Video-2B stands in ``flops_truth.csv`` as
well and is counted again as a check of the method. The rows made up switch on what no released model in that table
does. Mochi casts in a way the meta device does not know and drops padded text: it runs without the cast and with all
text tokens. Latte's dimensions are those of Latte-XL (arXiv:2401.03048, table 1) with 28 layers of each kind, assumed
to be those of Latte-1.
"""

from __future__ import annotations

import contextlib
import csv
import json
import sys
from unittest import mock

import diffusers
import torch
import torch.fx.experimental._config as fx_config
from torch.utils.flop_counter import FlopCounterMode

LATTE = {
    "num_attention_heads": 16, "attention_head_dim": 72, "in_channels": 4, "out_channels": 8, "num_layers": 28,
    "cross_attention_dim": 1152, "attention_bias": True, "sample_size": 64, "patch_size": 2,
    "activation_fn": "gelu-approximate", "num_embeds_ada_norm": 1000, "norm_type": "ada_norm_single",
    "norm_elementwise_affine": False, "norm_eps": 1e-06, "caption_channels": 4096, "video_length": 16,
}  # fmt: skip
GATED = {"gated_attn": True, "audio_gated_attn": True, "cross_attn_mod": True, "audio_cross_attn_mod": True}
COLUMNS = (
    "family", "class", "package_version", "config_json", "input_shape_json", "tokens", "params", "flops_linear",
    "flops_attention", "flops_conv", "config_source",
)  # fmt: skip
DEFAULTS = "diffusers 0.42.1 class defaults"
CLIP = {"frames": 33, "height": 256, "width": 384}

CASES: tuple[tuple[str, str, dict[str, object], dict[str, int], str], ...] = (
    ("LTX-Video-2B", "LTXVideoTransformer3DModel", {}, {"frames": 121, "height": 512, "width": 768, "text": 128},
     DEFAULTS),
    ("Latte-1", "LatteTransformer3DModel", LATTE, {"frames": 16, "height": 512, "width": 512, "text": 120},
     "dimensions of the paper, see the script"),
    ("Latte, one frame", "LatteTransformer3DModel", {**LATTE, "attention_bias": False, "cross_attention_dim": None},
     {"frames": 1, "height": 512, "width": 512, "text": 120}, "made up"),
    ("LTX-2.3 switches", "LTX2VideoTransformer3DModel", {**GATED, "num_layers": 2},
     {**CLIP, "text": 256, "audio_tokens": 34}, "made up"),
    ("LTX-2, video modulated alone", "LTX2VideoTransformer3DModel", {
        "cross_attn_mod": True, "num_layers": 2, "use_prompt_adaln_single": False, "use_prompt_embeddings": False,
        "use_keyframes_abs_pos_embedding": True, "rope_type": "split",
    }, {**CLIP, "text": 256, "audio_tokens": 34}, "made up"),
    ("SANA, guided, with norms", "SanaTransformer2DModel", {
        "guidance_embeds": True, "qk_norm": "rms_norm_across_heads", "attention_bias": True, "num_layers": 2,
    }, {"height": 1024, "width": 768, "text": 300}, "made up"),
    ("SANA-Video, guided, no norms", "SanaVideoTransformer3DModel", {
        "guidance_embeds": True, "qk_norm": None, "num_layers": 2,
    }, {**CLIP, "text": 300}, "made up"),
    ("Kandinsky 5, no condition", "Kandinsky5Transformer3DModel", {"num_visual_blocks": 2, "in_visual_dim": 16},
     {**CLIP, "text": 100}, "made up"),
    ("Mochi, narrow", "MochiTransformer3DModel", {
        "num_layers": 2, "num_attention_heads": 10, "attention_head_dim": 64, "pooled_projection_dim": 320,
        "out_channels": 24,
    }, {"frames": 37, "height": 256, "width": 384, "text": 256}, "made up"),
    ("Cosmos, no padding mask", "CosmosTransformer3DModel", {
        "num_layers": 2, "concat_padding_mask": False, "mlp_ratio": 2.5, "adaln_lora_dim": 64,
    }, {**CLIP, "text": 512}, "made up"),
    ("MiniMax-H3", "MiniMaxH3Transformer3DModel", {},
     {"frames": 124, "height": 768, "width": 1344, "text": 200, "audio_tokens": 207}, DEFAULTS),
    ("MiniMax-H3, narrow", "MiniMaxH3Transformer3DModel", {
        "num_layers": 1, "num_refiner_layers": 1, "hidden_size": 768, "num_attention_heads": 12, "ffn_dim": 1024,
    }, {"frames": 73, "height": 256, "width": 384, "text": 50, "audio_tokens": 122}, "made up"),
    ("Allegro, two layers", "AllegroTransformer3DModel", {"num_layers": 2, "out_channels": 8},
     {"frames": 40, "height": 256, "width": 384, "text": 512}, "made up"),
)  # fmt: skip


def blank(*shape: int) -> torch.Tensor:
    """Features of no value."""
    return torch.empty(shape)


def latent(shape, channels, *, time, space, alone=True):
    """Latents of a clip."""
    frames = shape.get("frames", 1)
    count = (frames - 1) // time + 1 if alone else frames // time
    return blank(1, channels, count, shape["height"] // space, shape["width"] // space)


def ltx_inputs(config, shape):
    """LTX-Video and LTX-2: packed latents."""
    sizes = latent(shape, 1, time=8, space=32).shape[2:]
    tokens, text = sizes.numel(), shape["text"]
    inputs = {
        "hidden_states": blank(1, tokens, config.in_channels), "timestep": blank(1),
        "encoder_hidden_states": blank(1, text, config.caption_channels), "encoder_attention_mask": blank(1, text),
        "num_frames": sizes[0], "height": sizes[1], "width": sizes[2],
    }  # fmt: skip
    if "audio_tokens" in shape:
        audio = shape["audio_tokens"]
        inputs |= {
            "audio_hidden_states": blank(1, audio, config.audio_in_channels), "audio_num_frames": audio,
            "audio_encoder_hidden_states": blank(1, text, config.caption_channels), "sigma": blank(1),
            "audio_encoder_attention_mask": blank(1, text),
        }  # fmt: skip
        if not config.use_prompt_embeddings:
            inputs["encoder_hidden_states"] = blank(1, text, config.cross_attention_dim)
            inputs["audio_encoder_hidden_states"] = blank(1, text, config.audio_cross_attention_dim)
    return inputs


def kandinsky_inputs(config, shape):
    """Kandinsky 5: channels last, positions given."""
    clip = latent(shape, config.in_visual_dim, time=4, space=8).permute(0, 2, 3, 4, 1)
    places = [torch.arange(size) for size in (clip.shape[1], clip.shape[2] // 2, clip.shape[3] // 2)]
    return {
        "hidden_states": clip, "encoder_hidden_states": blank(1, shape["text"], config.in_text_dim),
        "timestep": blank(1), "pooled_projections": blank(1, config.in_text_dim2), "visual_rope_pos": places,
        "text_rope_pos": torch.arange(shape["text"]),
    }  # fmt: skip


def minimax_inputs(config, shape):
    """MiniMax-H3: patches of ``5 n + 2`` latent frames, packed with audio and text; two distinct timesteps."""
    frames = (shape["frames"] - 5) // 17 * 5 + 2
    sizes = (frames * (shape["height"] // 32) * (shape["width"] // 32), shape["audio_tokens"], shape["text"])
    total = sum(sizes)
    places = torch.arange(total).split(sizes)
    return {
        "hidden_states": blank(1, sizes[0], 4 * config.in_channels), "timestep": blank(2),
        "audio_hidden_states": blank(1, sizes[1], config.audio_in_channels), "position_ids": blank(total, 3),
        "encoder_hidden_states": blank(1, sizes[2], config.text_dim), "token_tags": torch.zeros(total).long(),
        "timestep_indices": torch.zeros(total).long(), "video_indices": places[0], "audio_indices": places[1],
        "text_indices": places[2],
    }  # fmt: skip


def inputs_of(model, shape):
    """Inputs of one forward pass."""
    config, kind = model.config, type(model).__name__
    if kind.startswith("MiniMax"):
        return minimax_inputs(config, shape)
    if kind.startswith("LTX"):
        return ltx_inputs(config, shape)
    if kind.startswith("Kandinsky"):
        return kandinsky_inputs(config, shape)
    grids = {
        "SanaT": {"time": 1, "space": 32}, "SanaV": {"time": 4, "space": 8}, "Mochi": {"time": 6, "space": 8},
        "Cosmo": {"time": 8, "space": 8}, "Alleg": {"time": 4, "space": 8, "alone": False},
        "Latte": {"time": 1, "space": 8},
    }  # fmt: skip
    clip = latent(shape, config.in_channels, **grids[kind[:5]])
    names = {"Mochi": "text_embed_dim", "Cosmo": "text_embed_dim"}
    width = getattr(config, names.get(kind[:5], "caption_channels"))
    text = blank(1, shape["text"], width)
    inputs = {"hidden_states": clip, "timestep": blank(1), "encoder_hidden_states": text}
    if kind.startswith("SanaT"):
        inputs["hidden_states"] = clip[:, :, 0]
    if config.get("guidance_embeds"):
        inputs["guidance"] = blank(1)
    if kind.startswith("Mochi"):
        inputs["encoder_attention_mask"] = torch.ones(1, shape["text"], dtype=torch.bool)
    if kind.startswith("Cosmos"):
        inputs["padding_mask"] = blank(1, 1, shape["height"], shape["width"])
    return inputs


def tokens_of(model, inputs):
    """Latent tokens of the pass."""
    config, clip = model.config, inputs["hidden_states"]
    if clip.ndim == 3:
        return clip.shape[1]
    sizes = clip.shape[1:4] if type(model).__name__.startswith("Kandinsky") else clip.shape[2:]
    patch = config.patch_size if isinstance(config.patch_size, int) else config.patch_size[-1]
    return sizes.numel() // patch**2


def count(model, inputs) -> dict[str, int]:
    """FLOPs by kind."""
    no_cast = mock.patch.object(torch, "autocast", return_value=contextlib.nullcontext())
    all_valid = fx_config.patch(meta_nonzero_assume_all_nonzero=True)
    with FlopCounterMode(display=False) as counter, torch.no_grad(), no_cast, all_valid:
        model(**inputs)
    found = {"linear": 0, "attention": 0, "conv": 0}
    for operation, flops in counter.get_flop_counts()["Global"].items():
        name = str(operation)
        if "convolution" in name:
            found["conv"] += flops
        elif "scaled_dot_product" in name or "bmm" in name:
            found["attention"] += flops
        else:
            found["linear"] += flops
    return found


def main() -> None:
    """Write the table."""
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    writer.writeheader()
    version = f"diffusers {diffusers.__version__} / torch {torch.__version__}"
    for family, kind, config, shape, source in CASES:
        with torch.device("meta"):
            model = getattr(diffusers, kind)(**config)
            inputs = inputs_of(model, shape)
            found = count(model, inputs)
        writer.writerow({
            "family": family, "class": kind, "package_version": version, "config_json": json.dumps(config),
            "input_shape_json": json.dumps({"batch": 1, **shape}), "tokens": tokens_of(model, inputs),
            "params": sum(parameter.numel() for parameter in model.parameters()), "config_source": source,
            **{f"flops_{name}": value for name, value in found.items()},
        })  # fmt: skip


if __name__ == "__main__":
    main()
