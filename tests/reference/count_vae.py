"""Count parameters and FLOPs of real diffusers autoencoders, run by hand where torch and diffusers are installed.

Writes vae_extra_truth.csv next to this file: classes that flops_truth.csv does not have, and decoding with tiles. The
modules are built and run on the meta device; operators are counted by torch.utils.flop_counter (a multiply-add is 2).

Usage: python tests/reference/count_vae.py
"""

import csv
import json
from pathlib import Path

import diffusers
import torch
from torch.utils.flop_counter import FlopCounterMode

DC_SANA = {
    "encoder_block_types": ["ResBlock"] * 3 + ["EfficientViTBlock"] * 3,
    "decoder_block_types": ["ResBlock"] * 3 + ["EfficientViTBlock"] * 3,
    "encoder_layers_per_block": [2, 2, 2, 3, 3, 3],
    "decoder_layers_per_block": [3, 3, 3, 3, 3, 3],
    "encoder_qkv_multiscales": [[], [], [], [5], [5], [5]],
    "decoder_qkv_multiscales": [[], [], [], [5], [5], [5]],
    "downsample_block_type": "conv",
    "upsample_block_type": "interpolate",
}
DC_F64 = {
    "latent_channels": 128,
    "encoder_block_types": ["ResBlock"] * 3 + ["EfficientViTBlock"] * 4,
    "decoder_block_types": ["ResBlock"] * 3 + ["EfficientViTBlock"] * 4,
    "encoder_block_out_channels": [128, 256, 512, 512, 1024, 1024, 2048],
    "decoder_block_out_channels": [128, 256, 512, 512, 1024, 1024, 2048],
    "encoder_layers_per_block": [0, 4, 8, 2, 2, 2, 2],
    "decoder_layers_per_block": [0, 5, 10, 2, 2, 2, 2],
    "encoder_qkv_multiscales": [[]] * 7,
    "decoder_qkv_multiscales": [[]] * 7,
    "decoder_norm_types": ["batch_norm"] * 3 + ["rms_norm"] * 4,
    "decoder_act_fns": ["relu"] * 3 + ["silu"] * 4,
}
SD = {
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
    "block_out_channels": [128, 256, 512, 512],
    "layers_per_block": 2,
    "sample_size": 512,
}
LTX_NOISY = {
    "block_out_channels": [128, 256, 512, 512],
    "decoder_block_out_channels": [256, 512, 1024],
    "decoder_layers_per_block": [2, 3, 1, 2],
    "decoder_spatio_temporal_scaling": [True, True, True],
    "decoder_inject_noise": [True, True, True, False],
    "upsample_residual": [True, True, True],
    "upsample_factor": [2, 2, 2],
}
ATTENDED = {"attention_resolutions": [256, 128], "num_layers": 1, "resolution": 1024}
HUNYUAN_ODD = {"downsample_match_channel": False, "upsample_match_channel": False, "layers_per_block": 1}
SANA_SOURCE = "huggingface/diffusers:scripts/convert_dcae_to_diffusers.py@074817cfdcc1"
DEFAULTS = "class defaults"
CASES = [
    # name, class, overrides, (frames, height, width), tiled, source of the configuration
    ("Qwen-Image-VAE", "AutoencoderKLQwenImage", {}, (1, 1024, 1024), False, DEFAULTS),
    ("FLUX.2-VAE", "AutoencoderKLFlux2", {}, (1, 1024, 1024), False, DEFAULTS),
    ("SD-VAE (4ch, quant convs)", "AutoencoderKL", SD, (1, 512, 512), False, "shape of SD 1.x, written out here"),
    ("TAESD", "AutoencoderTiny", {}, (1, 512, 512), False, DEFAULTS),
    ("DC-AE f32c32 (Sana)", "AutoencoderDC", DC_SANA, (1, 1024, 1024), False, SANA_SOURCE),
    ("DC-AE f64c128", "AutoencoderDC", DC_F64, (1, 512, 512), False, SANA_SOURCE),
    ("EasyAnimate-VAE", "AutoencoderKLMagvit", {}, (49, 384, 672), False, DEFAULTS),
    ("Allegro-VAE", "AutoencoderKLAllegro", {}, (88, 720, 1280), True, DEFAULTS),
    ("LTX-VAE with noise", "AutoencoderKLLTXVideo", LTX_NOISY, (17, 256, 384), False, "made up"),
    ("Cosmos-VAE attending early", "AutoencoderKLCosmos", ATTENDED, (9, 128, 192), False, "made up"),
    ("HunyuanVideo15-VAE, widths kept", "AutoencoderKLHunyuanVideo15", HUNYUAN_ODD, (5, 128, 192), False, "made up"),
    ("Wan2.1-VAE one frame", "AutoencoderKLWan", {}, (1, 480, 832), False, DEFAULTS),
    ("CogVideoX-VAE even latents", "AutoencoderKLCogVideoX", {}, (45, 480, 720), False, DEFAULTS),
    ("Wan2.1-VAE tiled", "AutoencoderKLWan", {}, (17, 480, 832), True, DEFAULTS),
    ("HunyuanVideo-VAE tiled", "AutoencoderKLHunyuanVideo", {}, (33, 544, 960), True, DEFAULTS),
    ("HunyuanVideo15-VAE tiled", "AutoencoderKLHunyuanVideo15", {}, (13, 480, 848), True, DEFAULTS),
    ("CogVideoX-VAE tiled", "AutoencoderKLCogVideoX", {}, (17, 480, 720), True, DEFAULTS),
    ("Mochi-VAE tiled", "AutoencoderKLMochi", {}, (19, 480, 848), True, DEFAULTS),
    ("LTX-VAE-0.9.0 tiled", "AutoencoderKLLTXVideo", {}, (17, 704, 1216), True, DEFAULTS),
    ("SD-VAE tiled", "AutoencoderKL", SD, (1, 1024, 1536), True, "shape of SD 1.x, written out here"),
    ("FLUX.2-VAE tiled", "AutoencoderKLFlux2", {}, (1, 1536, 2048), True, DEFAULTS),
]
IMAGES = {"AutoencoderKL", "AutoencoderKLFlux2", "AutoencoderTiny", "AutoencoderDC"}
KINDS = {"linear": ("addmm", "mm"), "attention": ("bmm", "baddbmm", "scaled_dot_product"), "conv": ("convolution",)}


def counted(run):
    """FLOPs by kind of operator."""
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        result = run()
    totals = dict.fromkeys(KINDS, 0)
    for operator, flops in counter.get_flop_counts().get("Global", {}).items():
        name = str(operator).removeprefix("aten.").lstrip("_")
        kind = next(kind for kind, names in KINDS.items() if name in names or name.startswith(names[-1]))
        totals[kind] += flops
    return totals, result


def rows():
    """One row for each half and case."""
    for name, cls, overrides, (frames, height, width), tiled, source in CASES:
        with torch.device("meta"):
            module = getattr(diffusers, cls)(**overrides).eval()
            video = torch.empty(1, 3, frames, height, width)
        if tiled:
            module.enable_tiling()
        video = video[:, :, 0] if cls in IMAGES else video
        encoded, latent = counted(lambda: module.encode(video, return_dict=False)[0])  # noqa: B023
        latent = latent if isinstance(latent, torch.Tensor) else latent.mode()
        decoded, _ = counted(lambda: module.decode(latent, return_dict=False)[0])  # noqa: B023
        for half, flops in (("encode", encoded), ("decode", decoded)):
            part = module.encoder if half == "encode" else module.decoder
            yield {
                "family": f"{name} {half}",
                "class": cls,
                "package_version": f"diffusers {diffusers.__version__} / torch {torch.__version__}",
                "config_json": json.dumps(overrides),
                "input_shape_json": json.dumps({"frames": frames, "height": height, "width": width}),
                "tiled": int(tiled),
                "params": sum(one.numel() for one in module.parameters()),
                "flops_linear": flops["linear"],
                "flops_attention": flops["attention"],
                "flops_conv": flops["conv"],
                "config_source": source,
                "notes": f"half params {sum(one.numel() for one in part.parameters())};",
            }
        print(name, encoded, decoded)


if __name__ == "__main__":
    table = list(rows())
    with (Path(__file__).parent / "vae_extra_truth.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
