"""From a configuration to a network: which function reads which architecture."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any, cast

from costline.errors import ConfigError, nearest_names
from costline.models.network import Network
from costline.quantity.reading import shown

READERS: dict[str, str] = {
    "AutoencoderKLWan": "autoencoders.wan:read_wan",
    "AutoencoderKLQwenImage": "autoencoders.wan:read_qwen_image",
    "AutoencoderKLHunyuanVideo": "autoencoders.hunyuan_video:read_hunyuan_video",
    "AutoencoderKLHunyuanVideo15": "autoencoders.hunyuan_video:read_hunyuan_video15",
    "AutoencoderKLCogVideoX": "autoencoders.cogvideox:read_cogvideox",
    "AutoencoderKLMochi": "autoencoders.mochi:read_mochi",
    "AutoencoderKLLTXVideo": "autoencoders.ltx:read_ltx",
    "AutoencoderKLLTX2Video": "autoencoders.ltx:read_ltx2",
    "AutoencoderKLCosmos": "autoencoders.cosmos:read_cosmos",
    "AutoencoderKL": "autoencoders.kl:read_kl",
    "AutoencoderKLFlux2": "autoencoders.kl:read_flux2",
    "AutoencoderTiny": "autoencoders.tiny:read_tiny",
    "AutoencoderDC": "autoencoders.dc:read_dc",
    "AutoencoderKLAllegro": "autoencoders.allegro:read_allegro",
    "AutoencoderKLMagvit": "autoencoders.magvit:read_magvit",
    "FluxTransformer2DModel": "diffusion.flux:read_flux",
    "Flux2Transformer2DModel": "diffusion.flux:read_flux2",
    "ChromaTransformer2DModel": "diffusion.flux:read_chroma",
    "SD3Transformer2DModel": "diffusion.sd3:read_sd3",
    "PixArtTransformer2DModel": "diffusion.pixart:read_pixart",
    "QwenImageTransformer2DModel": "diffusion.qwen_image:read_qwen_image",
    "AuraFlowTransformer2DModel": "diffusion.auraflow:read_auraflow",
    "DiTTransformer2DModel": "diffusion.dit:read_dit",
    "Lumina2Transformer2DModel": "diffusion.lumina2:read_lumina2",
    "ZImageTransformer2DModel": "diffusion.zimage:read_zimage",
    "HiDreamImageTransformer2DModel": "diffusion.hidream:read_hidream",
    "HunyuanDiT2DModel": "diffusion.hunyuan_dit:read_hunyuan_dit",
    "CogView4Transformer2DModel": "diffusion.cogview4:read_cogview4",
    "OmniGenTransformer2DModel": "diffusion.omnigen:read_omnigen",
    "UNet2DConditionModel": "diffusion.unet:read_unet",
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
    "LlamaForCausalLM": "decoders.llama:read_llama",
    "MistralForCausalLM": "decoders.llama:read_mistral",
    "Mistral3ForConditionalGeneration": "decoders.llama:read_mistral3",
    "Phi3ForCausalLM": "decoders.llama:read_phi3",
    "Qwen2ForCausalLM": "decoders.llama:read_qwen2",
    "Qwen2_5_VLForConditionalGeneration": "decoders.llama:read_qwen2_vl",
    "Qwen2VLForConditionalGeneration": "decoders.llama:read_qwen2_vl",
    "Qwen3ForCausalLM": "decoders.llama:read_qwen3",
    "Qwen3VLForConditionalGeneration": "decoders.llama:read_qwen3_vl",
    "NemotronForCausalLM": "decoders.llama:read_nemotron",
    "GPT2LMHeadModel": "decoders.classic:read_gpt2",
    "GPTJForCausalLM": "decoders.classic:read_gptj",
    "GPTBigCodeForCausalLM": "decoders.classic:read_gpt_bigcode",
    "CodeGenForCausalLM": "decoders.classic:read_codegen",
    "GPTNeoXForCausalLM": "decoders.classic:read_gpt_neox",
    "OPTForCausalLM": "decoders.classic:read_opt",
    "BloomForCausalLM": "decoders.classic:read_bloom",
    "FalconForCausalLM": "decoders.classic:read_falcon",
    "PhiForCausalLM": "decoders.classic:read_phi",
    "MptForCausalLM": "decoders.classic:read_mpt",
    "MPTForCausalLM": "decoders.classic:read_mpt",
    "GemmaForCausalLM": "decoders.gemma:read_gemma",
    "Gemma2ForCausalLM": "decoders.gemma:read_gemma2",
    "Gemma3ForCausalLM": "decoders.gemma:read_gemma3",
    "Gemma3ForConditionalGeneration": "decoders.gemma:read_gemma3_multimodal",
    "MixtralForCausalLM": "decoders.moe:read_mixtral",
    "MiniMaxM2ForCausalLM": "decoders.moe:read_minimax_m2",
    "Qwen2MoeForCausalLM": "decoders.moe:read_qwen2_moe",
    "Qwen3MoeForCausalLM": "decoders.moe:read_qwen3_moe",
    "Qwen3VLMoeForConditionalGeneration": "decoders.moe:read_qwen3_vl_moe",
    "GptOssForCausalLM": "decoders.moe:read_gpt_oss",
    "Glm4MoeForCausalLM": "decoders.moe:read_glm4_moe",
    "Llama4ForCausalLM": "decoders.moe:read_llama4",
    "Llama4ForConditionalGeneration": "decoders.moe:read_llama4_multimodal",
    "DeepseekV2ForCausalLM": "decoders.latent:read_deepseek_v2",
    "DeepseekV3ForCausalLM": "decoders.latent:read_deepseek_v3",
    "DeepseekV32ForCausalLM": "decoders.latent:read_deepseek_v32",
    "GlmMoeDsaForCausalLM": "decoders.latent:read_glm_moe_dsa",
    "Glm4MoeLiteForCausalLM": "decoders.latent:read_glm4_moe_lite",
    "KimiK25ForConditionalGeneration": "decoders.latent:read_kimi_k25",
    "Kimi_K25ForConditionalGeneration": "decoders.latent:read_kimi_k25",
    "NemotronHForCausalLM": "decoders.hybrid:read_nemotron_h",
    "Qwen3NextForCausalLM": "decoders.hybrid:read_qwen3_next",
    "Qwen3_5ForCausalLM": "decoders.hybrid:read_qwen35",
    "Qwen3_5ForConditionalGeneration": "decoders.hybrid:read_qwen35_multimodal",
    "Qwen3_5MoeForCausalLM": "decoders.hybrid:read_qwen35_moe",
    "Qwen3_5MoeForConditionalGeneration": "decoders.hybrid:read_qwen35_moe_multimodal",
    "Ernie4_5ForCausalLM": "decoders.dense:read_ernie45",
    "Ernie4_5_ForCausalLM": "decoders.dense:read_ernie45",
    "SmolLM3ForCausalLM": "decoders.dense:read_smollm3",
    "SeedOssForCausalLM": "decoders.dense:read_seed_oss",
    "GraniteForCausalLM": "decoders.dense:read_granite",
    "Starcoder2ForCausalLM": "decoders.dense:read_starcoder2",
    "MinistralForCausalLM": "decoders.dense:read_ministral",
    "Ministral3ForCausalLM": "decoders.dense:read_ministral3",
    "ArceeForCausalLM": "decoders.dense:read_arcee",
    "HeliumForCausalLM": "decoders.dense:read_helium",
    "HunYuanDenseV1ForCausalLM": "decoders.dense:read_hunyuan_dense",
    "Exaone4ForCausalLM": "decoders.normed:read_exaone4",
    "CohereForCausalLM": "decoders.normed:read_cohere",
    "Cohere2ForCausalLM": "decoders.normed:read_cohere2",
    "OlmoForCausalLM": "decoders.normed:read_olmo",
    "Olmo2ForCausalLM": "decoders.normed:read_olmo2",
    "Olmo3ForCausalLM": "decoders.normed:read_olmo3",
    "StableLmForCausalLM": "decoders.normed:read_stablelm",
    "StableLMEpochForCausalLM": "decoders.normed:read_stablelm",
    "ApertusForCausalLM": "decoders.normed:read_apertus",
    "GlmForCausalLM": "decoders.normed:read_glm",
    "Glm4ForCausalLM": "decoders.normed:read_glm4",
    "Ernie4_5_MoeForCausalLM": "decoders.routed:read_ernie45_moe",
    "PhimoeForCausalLM": "decoders.routed:read_phimoe",
    "PhiMoEForCausalLM": "decoders.routed:read_phimoe",
    "OlmoeForCausalLM": "decoders.routed:read_olmoe",
    "GraniteMoeForCausalLM": "decoders.routed:read_granite_moe",
    "GraniteMoeSharedForCausalLM": "decoders.routed:read_granite_moe_shared",
    "Dots1ForCausalLM": "decoders.routed:read_dots1",
    "SolarOpenForCausalLM": "decoders.routed:read_solar_open",
    "HunYuanMoEV1ForCausalLM": "decoders.routed:read_hunyuan_moe",
    "DbrxForCausalLM": "decoders.routed:read_dbrx",
    "AfmoeForCausalLM": "decoders.routed:read_afmoe",
    "HYV3ForCausalLM": "decoders.routed:read_hy_v3",
    "MambaForCausalLM": "decoders.recurrent:read_mamba",
    "FalconMambaForCausalLM": "decoders.recurrent:read_falcon_mamba",
    "Mamba2ForCausalLM": "decoders.recurrent:read_mamba2",
    "JambaForCausalLM": "decoders.recurrent:read_jamba",
    "BambaForCausalLM": "decoders.recurrent:read_bamba",
    "FalconH1ForCausalLM": "decoders.recurrent:read_falcon_h1",
    "GraniteMoeHybridForCausalLM": "decoders.recurrent:read_granite_hybrid",
    "KimiLinearForCausalLM": "decoders.recurrent:read_kimi_linear",
    "MiniMaxForCausalLM": "decoders.recurrent:read_minimax",
    "MiniMaxText01ForCausalLM": "decoders.recurrent:read_minimax",
    "MiniMaxM1ForCausalLM": "decoders.recurrent:read_minimax",
    "T5EncoderModel": "encoders.t5:read_t5",
    "UMT5EncoderModel": "encoders.t5:read_umt5",
    "CLIPTextModel": "encoders.clip:read_clip_text",
    "CLIPTextModelWithProjection": "encoders.clip:read_clip_text_projected",
    "LlamaModel": "encoders.trunks:read_llama_trunk",
    "MistralModel": "encoders.trunks:read_mistral_trunk",
    "Mistral3Model": "encoders.trunks:read_mistral3_trunk",
    "Phi3Model": "encoders.trunks:read_phi3_trunk",
    "Qwen2Model": "encoders.trunks:read_qwen2_trunk",
    "Qwen2_5_VLModel": "encoders.trunks:read_qwen2_vl_trunk",
    "Qwen3Model": "encoders.trunks:read_qwen3_trunk",
    "GemmaModel": "encoders.trunks:read_gemma_trunk",
    "Gemma2Model": "encoders.trunks:read_gemma2_trunk",
    "Gemma3TextModel": "encoders.trunks:read_gemma3_trunk",
    "Gemma3Model": "encoders.trunks:read_gemma3_multimodal_trunk",
    "MiniMaxH3Transformer3DModel": "diffusion.minimax_h3:read_minimax_h3",
    "MMDiTModel": "diffusion.open_sora:read_mmdit",
    "OpenSoraT2V_v1_3": "diffusion.open_sora:read_plan",
    "PyramidFluxTransformer": "diffusion.pyramid_flow:read_pyramid_flow",
    "STDiT3": "diffusion.open_sora:read_stdit3",
}
"""Architecture class name -> ``module:function`` below `costline.models`, imported when needed."""


CAUSAL = {
    "LlamaModel": "LlamaForCausalLM", "MistralModel": "MistralForCausalLM",
    "Mistral3Model": "Mistral3ForConditionalGeneration", "Phi3Model": "Phi3ForCausalLM",
    "Qwen2Model": "Qwen2ForCausalLM", "Qwen2_5_VLModel": "Qwen2_5_VLForConditionalGeneration",
    "Qwen3Model": "Qwen3ForCausalLM", "GemmaModel": "GemmaForCausalLM", "Gemma2Model": "Gemma2ForCausalLM",
    "Gemma3TextModel": "Gemma3ForCausalLM", "Gemma3Model": "Gemma3ForConditionalGeneration",
}  # fmt: skip
"""Trunk of a language model, as pipelines have it for a text encoder -> the same model with its output head."""


GEMMA3N = "its layers mix several streams, look up tables of their own and share keys and values"
UNCOUNTED = {
    "LongcatFlashForCausalLM": "some of the experts a token chooses do nothing, and how many depends on the text",
    "Gemma3nForCausalLM": GEMMA3N,
    "Gemma3nForConditionalGeneration": GEMMA3N,
}
"""Architectures that are understood and that no parts here describe -> why."""


_HEAD = re.compile(r"(For[A-Z]|LMHeadModel|EncoderModel|TextModel|Model)[A-Za-z]*$")
"""What a class is for, behind the kind of model in its name."""


def architecture_of(config: Mapping[str, Any], name: str) -> str:
    """Return the class a configuration names: ``_class_name`` (diffusers) or ``architectures`` (transformers).

    Raises
    ------
    ConfigError
        It names none, more than one, or one whose kind is not the one of ``model_type``.
    """
    stated = config.get("_class_name")
    if stated is None:
        listed = config.get("architectures")
        stated = listed[0] if isinstance(listed, list) and listed else None
        if isinstance(listed, list) and len({str(each) for each in listed}) > 1:
            said = ", ".join(map(shown, listed[:4]))
            raise ConfigError(f"{name}: 'architectures' names more than one class ({said}); keep the one to count")
    if not isinstance(stated, str):
        raise ConfigError(f"{name}: names no architecture (neither '_class_name' nor 'architectures')")
    _agrees(stated, config.get("model_type"), name)
    return stated


def _agrees(architecture: str, kind: object, name: str) -> None:
    """Refuse a ``model_type`` that belongs to another class read here: transformers would build that one."""
    if not isinstance(kind, str):
        return
    own, said = _stem(architecture), _plain(kind)
    if own.startswith(said) or said.startswith(own):
        return
    other = next((each for each in READERS if _stem(each) == said), None)
    if other is not None:
        raise ConfigError(
            f"{name}: 'architectures' names {shown(architecture)}, 'model_type' {shown(kind)}, which is {other}; "
            "correct the one that is wrong"
        )


def _stem(architecture: str) -> str:
    return _plain(_HEAD.sub("", architecture))


def _plain(text: str) -> str:
    return text.replace("_", "").replace("-", "").lower()


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
    if stated in UNCOUNTED:
        raise ConfigError(f"{name}: architecture {stated!r} cannot be counted: {UNCOUNTED[stated]}")
    if stated not in READERS:
        near = ", ".join(nearest_names(stated, READERS, 3))
        raise ConfigError(f"{name}: architecture {stated[:80]!r} is not known" + (f"; nearest: {near}" if near else ""))
    module, _, function = READERS[stated].partition(":")
    reader = getattr(importlib.import_module(f"costline.models.{module}"), function)
    return cast(Network, reader(config, name))
