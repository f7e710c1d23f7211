"""Language models as text encoders: the trunk without its head, hidden states out, nothing cached.

HunyuanVideo reads Llama, HunyuanVideo-1.5, Qwen-Image and Kandinsky read Qwen2.5-VL, Sana Gemma 2, LTX-2 Gemma 3,
FLUX.2 Mistral Small.
"""

from __future__ import annotations

from costline.errors import ConfigError
from costline.models.decoder import Decoder
from costline.models.decoders.build import build_trunk
from costline.models.decoders.gemma import gemma2_shape, gemma3_shape, gemma3_text_shape, gemma_shape
from costline.models.decoders.llama import (
    llama_shape,
    mistral_shape,
    mistral_text_shape,
    phi3_shape,
    qwen2_shape,
    qwen2_text_shape,
    qwen3_shape,
)
from costline.models.decoders.readers import trunk_reader
from costline.models.encoder import Encoder


def as_encoder(decoder: Decoder) -> Encoder:
    """The trunk of a decoder, run as a text encoder.

    Examples
    --------
    >>> from costline.models.importer import read_network
    >>> llama = read_network({}, "llama-2-7b", "LlamaForCausalLM")
    >>> llama.params - as_encoder(llama).params == 32000 * 4096  # the head stays behind
    True
    """
    if decoder.shape is None:
        raise ConfigError(f"{decoder.name}: only a decoder built from a shape can serve as a text encoder")
    return build_trunk(decoder.shape, decoder.name, decoder.architecture, source=decoder.source)


read_llama_trunk = trunk_reader(llama_shape, "LlamaModel")
read_mistral_trunk = trunk_reader(mistral_shape, "MistralModel")
read_mistral3_trunk = trunk_reader(mistral_text_shape, "Mistral3Model")
read_phi3_trunk = trunk_reader(phi3_shape, "Phi3Model")
read_qwen2_trunk = trunk_reader(qwen2_shape, "Qwen2Model")
read_qwen2_vl_trunk = trunk_reader(qwen2_text_shape, "Qwen2_5_VLModel")
read_qwen3_trunk = trunk_reader(qwen3_shape, "Qwen3Model")
read_gemma_trunk = trunk_reader(gemma_shape, "GemmaModel")
read_gemma2_trunk = trunk_reader(gemma2_shape, "Gemma2Model")
read_gemma3_trunk = trunk_reader(gemma3_shape, "Gemma3TextModel")
read_gemma3_multimodal_trunk = trunk_reader(gemma3_text_shape, "Gemma3Model")
