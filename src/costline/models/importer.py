"""From a configuration to a network: which function reads which architecture."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

from costline.errors import ConfigError, nearest_names
from costline.models.network import Network

READERS: dict[str, str] = {
    "DiTShape": "diffusion.shape:read_shape",
    "WanTransformer3DModel": "diffusion.wan:read_wan",
    "WanVACETransformer3DModel": "diffusion.wan:read_vace",
    "SkyReelsV2Transformer3DModel": "diffusion.wan:read_sky_reels",
    "HunyuanVideoTransformer3DModel": "diffusion.hunyuan_video:read_hunyuan_video",
    "HunyuanVideoFramepackTransformer3DModel": "diffusion.hunyuan_video:read_framepack",
    "HunyuanVideo15Transformer3DModel": "diffusion.hunyuan_video:read_hunyuan_video15",
    "CogVideoXTransformer3DModel": "diffusion.cogvideox:read_cogvideox",
    "ConsisIDTransformer3DModel": "diffusion.consisid:read_consisid",
    "EasyAnimateTransformer3DModel": "diffusion.easyanimate:read_easyanimate",
    "AllegroTransformer3DModel": "diffusion.allegro:read_allegro",
    "CosmosTransformer3DModel": "diffusion.cosmos:read_cosmos",
    "Kandinsky5Transformer3DModel": "diffusion.kandinsky5:read_kandinsky5",
    "LTX2VideoTransformer3DModel": "diffusion.ltx2:read_ltx2",
    "LTXVideoTransformer3DModel": "diffusion.ltx:read_ltx",
    "LatteTransformer3DModel": "diffusion.latte:read_latte",
    "MochiTransformer3DModel": "diffusion.mochi:read_mochi",
    "SanaTransformer2DModel": "diffusion.sana:read_sana",
    "SanaVideoTransformer3DModel": "diffusion.sana:read_sana_video",
}
"""Architecture class name -> ``module:function`` below `costline.models`, imported when needed."""


def architecture_of(config: Mapping[str, Any], name: str) -> str:
    """Return the class a configuration names: ``_class_name`` (diffusers) or ``architectures[0]`` (transformers)."""
    stated = config.get("_class_name")
    if stated is None:
        listed = config.get("architectures")
        stated = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(stated, str):
        raise ConfigError(f"{name}: names no architecture (neither '_class_name' nor 'architectures')")
    return stated


def read_network(config: Mapping[str, Any], name: str, architecture: str | None = None) -> Network:
    """Build the network a configuration describes.

    Parameters
    ----------
    config : mapping
        Parsed ``config.json``.
    name : str
        Name for messages and results.
    architecture : str, optional
        Class name, where the configuration does not state it.

    Raises
    ------
    ConfigError
        Unfamiliar architecture, or a field that is malformed or not known to leave the count unchanged.
    """
    stated = architecture or architecture_of(config, name)
    if stated not in READERS:
        near = ", ".join(nearest_names(stated, READERS, 3))
        raise ConfigError(f"{name}: architecture {stated[:80]!r} is not known" + (f"; nearest: {near}" if near else ""))
    module, _, function = READERS[stated].partition(":")
    reader = getattr(importlib.import_module(f"costline.models.{module}"), function)
    return cast(Network, reader(config, name))
