"""Count parameters and FLOPs of image networks on the real diffusers modules, on the meta device.

Run by hand, in an environment with the ``reference`` extra; the tests read only its result:

    python tests/reference/count_image.py > tests/reference/image_extra_truth.csv

One forward pass of one sample. Matrix products (mm, addmm) are linear, SDPA and batched products are attention, a
masked SDPA being counted in full. Three modules read values and so cannot run on the meta device: Lumina's positions
get a real mask, OmniGen's rotary table is replaced (its product with the positions is not counted), HiDream's routing
too (each token goes through as many experts as it would visit) and its output is left in patches. FLUX.1-dev stands in
``flops_truth.csv`` as well and is counted again as a check of the method.
"""

from __future__ import annotations

import csv
import json
import sys

import diffusers
import torch
from diffusers.models.transformers import transformer_hidream_image, transformer_lumina2, transformer_omnigen
from torch.utils.flop_counter import FlopCounterMode

HUNYUAN = {
    "attention_head_dim": 88, "cross_attention_dim": 1024, "cross_attention_dim_t5": 2048, "hidden_size": 1408,
    "in_channels": 4, "mlp_ratio": 4.3637, "num_attention_heads": 16, "num_layers": 40, "patch_size": 2,
    "pooled_projection_dim": 1024, "sample_size": 128, "text_len": 77, "text_len_t5": 256,
}  # fmt: skip
HIDREAM = {
    "patch_size": 2, "in_channels": 16, "out_channels": 16, "num_layers": 2, "num_single_layers": 3,
    "caption_channels": [4096, 4096], "axes_dims_rope": [64, 32, 32], "max_resolution": [128, 128],
    "llama_layers": [0, 1, 2, 3, 4],
}  # fmt: skip
UNET2 = {
    "attention_head_dim": [5, 10, 20, 20], "cross_attention_dim": 1024, "sample_size": 64,
    "use_linear_projection": True,
}  # fmt: skip
UNETXL = {
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256, "attention_head_dim": [5, 10, 20],
    "block_out_channels": [320, 640, 1280], "cross_attention_dim": 2048, "sample_size": 128,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "projection_class_embeddings_input_dim": 2816, "transformer_layers_per_block": [1, 2, 10],
    "use_linear_projection": True,
}  # fmt: skip
DEFAULTS = "diffusers 0.42.1 class defaults"

CASES: tuple[tuple[str, str, dict[str, object], dict[str, int], str], ...] = (
    ("FLUX.1-dev", "FluxTransformer2DModel", {"guidance_embeds": True}, {"text": 512}, DEFAULTS),
    ("FLUX.2-klein-4B", "Flux2Transformer2DModel", {
        "num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24, "joint_attention_dim": 7680,
        "guidance_embeds": False,
    }, {"text": 512}, "third-party copies of the config; no guidance input assumed"),
    ("Chroma", "ChromaTransformer2DModel", {}, {"text": 512}, DEFAULTS),
    ("SD3, one layer", "SD3Transformer2DModel", {"num_layers": 1}, {"text": 333}, "made up"),
    ("PixArt-alpha-XL-1024", "PixArtTransformer2DModel", {"caption_channels": 4096}, {"text": 120},
     "third-party copy of the config"),
    ("Qwen-Image, layered", "QwenImageTransformer2DModel", {"num_layers": 2, "use_additional_t_cond": True},
     {"text": 100}, "made up"),
    ("Lumina 2, wide", "Lumina2Transformer2DModel", {
        "num_layers": 2, "ffn_dim_multiplier": 1.3, "multiple_of": 128, "num_kv_heads": None, "hidden_size": 960,
        "num_attention_heads": 10, "axes_dim_rope": [32, 32, 32],
    }, {"text": 256}, "made up"),
    ("Z-Image, padded", "ZImageTransformer2DModel", {"n_layers": 2}, {"text": 100, "height": 720, "width": 1296},
     "made up"),
    ("HiDream, wide image", "HiDreamImageTransformer2DModel", HIDREAM, {"text": 384, "height": 768, "width": 1344},
     "made up"),
    ("HiDream, no experts", "HiDreamImageTransformer2DModel", {**HIDREAM, "num_routed_experts": 0}, {"text": 384},
     "made up"),
    ("HunyuanDiT 1.2", "HunyuanDiT2DModel", {**HUNYUAN, "use_style_cond_and_image_meta_size": False}, {},
     "third-party copy of the config"),
    ("HunyuanDiT 1.1", "HunyuanDiT2DModel", HUNYUAN, {}, "the same, with sizes and style (versions to 1.1)"),
    ("CogView4-6B", "CogView4Transformer2DModel", {
        "num_layers": 28, "num_attention_heads": 32, "attention_head_dim": 128,
    }, {"text": 224}, "huggingface/diffusers: defaults of the CogView4 Megatron conversion script"),
    ("OmniGen-v1", "OmniGenTransformer2DModel", {}, {"text": 128}, DEFAULTS),
    ("Stable Diffusion 1.5", "UNet2DConditionModel", {"cross_attention_dim": 768},
     {"text": 77, "height": 512, "width": 512}, DEFAULTS + " but the width of CLIP-L"),
    ("Stable Diffusion 2", "UNet2DConditionModel", UNET2, {"text": 77, "height": 512, "width": 512},
     "third-party copy of the config (kohya-ss/sd-scripts)"),
    ("Stable Diffusion 2", "UNet2DConditionModel", UNET2, {"text": 77, "height": 776, "width": 520},
     "third-party copy of the config (kohya-ss/sd-scripts)"),
    ("Stable Diffusion XL", "UNet2DConditionModel", UNETXL, {"text": 77}, "third-party copy of the config"),
    ("U-Net, no middle", "UNet2DConditionModel", {**UNETXL, "mid_block_type": None, "layers_per_block": [1, 2, 3]},
     {"text": 77}, "made up"),
)  # fmt: skip


def embedded(*shape: int) -> torch.Tensor:
    """Features of no value."""
    return torch.empty(shape)


def packed_inputs(model, shape):
    """FLUX, FLUX.2, Chroma and Qwen-Image: latents packed two by two, with positions."""
    config, rows, columns = model.config, shape["height"] // 16, shape["width"] // 16
    axes = len(config.get("axes_dims_rope", (16, 56, 56)))
    inputs = {
        "hidden_states": embedded(1, rows * columns, config.in_channels),
        "encoder_hidden_states": embedded(1, shape["text"], config.joint_attention_dim),
        "timestep": embedded(1),
    }
    if type(model).__name__.startswith("Qwen"):
        kind = torch.zeros(1, dtype=torch.long) if config.use_additional_t_cond else None
        return inputs | {"img_shapes": [[(1, rows, columns)]], "additional_t_cond": kind}
    inputs |= {"img_ids": embedded(rows * columns, axes), "txt_ids": embedded(shape["text"], axes)}
    if config.get("guidance_embeds"):
        inputs["guidance"] = embedded(1)
    if "pooled_projection_dim" in config:
        inputs["pooled_projections"] = embedded(1, config.pooled_projection_dim)
    return inputs


def latent(model, shape):
    """Latents of a model that patches them itself."""
    return embedded(1, model.config.in_channels, shape["height"] // 8, shape["width"] // 8)


def inputs_of(model, shape):  # one branch a class: the signatures have little in common
    """Inputs of one forward pass."""
    config, kind = model.config, type(model).__name__
    if kind in {"FluxTransformer2DModel", "Flux2Transformer2DModel", "ChromaTransformer2DModel"} or "Qwen" in kind:
        return packed_inputs(model, shape)
    if kind == "ZImageTransformer2DModel":
        image = embedded(config.in_channels, 1, shape["height"] // 8, shape["width"] // 8)
        return {"x": [image], "t": embedded(1), "cap_feats": [embedded(shape["text"], config.cap_feat_dim)]}
    if kind == "HiDreamImageTransformer2DModel":
        return {
            "hidden_states": latent(model, shape), "timesteps": embedded(1),
            "encoder_hidden_states_t5": embedded(1, shape["text"] // 3, config.caption_channels[0]),
            "encoder_hidden_states_llama3": embedded(32, 1, shape["text"] // 3, config.caption_channels[1]),
            "pooled_embeds": embedded(1, config.text_emb_dim),
        }  # fmt: skip
    if kind == "HunyuanDiT2DModel":
        tokens = shape["height"] * shape["width"] // 256
        return {
            "hidden_states": latent(model, shape), "timestep": embedded(1),
            "encoder_hidden_states": embedded(1, config.text_len, config.cross_attention_dim),
            "text_embedding_mask": torch.zeros(1, config.text_len, dtype=torch.bool),
            "encoder_hidden_states_t5": embedded(1, config.text_len_t5, config.cross_attention_dim_t5),
            "text_embedding_mask_t5": torch.zeros(1, config.text_len_t5, dtype=torch.bool),
            "image_meta_size": embedded(1, 6), "style": torch.zeros(1, dtype=torch.long),
            "image_rotary_emb": (embedded(tokens, config.attention_head_dim),) * 2,
        }  # fmt: skip
    if kind == "OmniGenTransformer2DModel":
        tokens = shape["text"] + 1 + shape["height"] * shape["width"] // 256
        return {
            "hidden_states": latent(model, shape), "timestep": embedded(1), "input_img_latents": [],
            "input_image_sizes": {}, "input_ids": torch.zeros(1, shape["text"], dtype=torch.long),
            "attention_mask": embedded(1, tokens, tokens), "position_ids": torch.zeros(1, tokens, dtype=torch.long),
        }  # fmt: skip
    return {"timestep": embedded(1)} | cross_inputs(model, shape)


def cross_inputs(model, shape):
    """Classes that take latents and one text."""
    config, kind = model.config, type(model).__name__
    names = {
        "SD3Transformer2DModel": "joint_attention_dim", "PixArtTransformer2DModel": "caption_channels",
        "Lumina2Transformer2DModel": "cap_feat_dim", "CogView4Transformer2DModel": "text_embed_dim",
        "UNet2DConditionModel": "cross_attention_dim",
    }  # fmt: skip
    sample = "sample" if kind == "UNet2DConditionModel" else "hidden_states"
    width = getattr(config, names[kind])
    inputs = {sample: latent(model, shape), "encoder_hidden_states": embedded(1, shape["text"], width)}
    if kind == "SD3Transformer2DModel":
        inputs["pooled_projections"] = embedded(1, config.pooled_projection_dim)
    elif kind == "PixArtTransformer2DModel":
        inputs["added_cond_kwargs"] = {"resolution": embedded(1, 2), "aspect_ratio": embedded(1, 1)}
    elif kind == "Lumina2Transformer2DModel":
        inputs["encoder_attention_mask"] = torch.ones(1, shape["text"], dtype=torch.bool)
    elif kind == "CogView4Transformer2DModel":
        inputs |= {key: embedded(1, 2) for key in ("original_size", "target_size", "crop_coords")}
    elif config.addition_embed_type == "text_time":
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        inputs["added_cond_kwargs"] = {"text_embeds": embedded(1, pooled), "time_ids": embedded(1, 6)}
    return inputs


def route_evenly(layer, x):
    """HiDream's experts without the data-dependent sort: every token through as many experts as it would visit."""
    layer.gate(x)
    visited = [expert(x) for expert in layer.experts[: layer.num_activated_experts]]
    return sum(visited) + layer.shared_experts(x)


def in_patches(layer, x, img_sizes, is_training):
    """HiDream's output as it leaves the last layer."""
    return x


def no_rotation(layer, hidden_states, position_ids):
    """OmniGen's rotary table, whose length test reads values."""
    return (embedded(hidden_states.shape[1], layer.dim),) * 2


def bare_rotation(layer, dim, **_):
    """A rotary table of which only the width is known: the factors of a published model are not needed to count."""
    torch.nn.Module.__init__(layer)
    layer.dim = dim


def masked_on_cpu(forward):
    """Lumina's positions, which read the lengths of the texts from the mask."""

    def positions(layer, hidden_states, attention_mask):
        return forward(layer, hidden_states, torch.ones(attention_mask.shape, dtype=torch.bool, device="cpu"))

    return positions


def count(name, overrides, shape):
    """Parameters and FLOPs (linear, attention, convolution) of one forward pass."""
    with torch.device("meta"):
        model = getattr(diffusers, name)(**overrides).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(**inputs_of(model, shape))
    totals = {str(operation): flops for operation, flops in counter.get_flop_counts()["Global"].items()}
    groups = {"linear": ("aten.mm", "addmm"), "attention": ("scaled_dot", "bmm"), "conv": ("convolution",)}
    sums = [
        sum(flops for operation, flops in totals.items() if any(key in operation for key in keys))
        for keys in groups.values()
    ]
    if sum(sums) != sum(totals.values()):
        raise ValueError(f"{name}: operations of no group in {sorted(totals)}")
    return sum(parameter.numel() for parameter in model.parameters()), *sums


def main() -> None:
    """Print the table."""
    transformer_hidream_image.MOEFeedForwardSwiGLU.forward = route_evenly
    transformer_hidream_image.HiDreamImageTransformer2DModel.unpatchify = in_patches
    transformer_omnigen.OmniGenSuScaledRotaryEmbedding.forward = no_rotation
    transformer_omnigen.OmniGenSuScaledRotaryEmbedding.__init__ = bare_rotation
    lumina = transformer_lumina2.Lumina2RotaryPosEmbed
    lumina.forward = masked_on_cpu(lumina.forward)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    columns = "params,flops_total,flops_linear,flops_attention,flops_conv,config_source"
    writer.writerow(["family", "class", "package_version", "config_json", "input_shape_json", *columns.split(",")])
    package = f"diffusers {diffusers.__version__} / torch {torch.__version__}"
    for family, name, overrides, stated, source in CASES:
        shape = {"height": 1024, "width": 1024, "batch": 1, **stated}
        params, *flops = count(name, overrides, shape)
        inputs = (json.dumps(overrides), json.dumps(shape))
        writer.writerow([family, name, package, *inputs, params, sum(flops), *flops, source])


if __name__ == "__main__":
    main()
