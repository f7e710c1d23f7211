"""Reading a configuration safely: every fault listed, nothing unfamiliar passed over, no code run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from costline.errors import ConfigError, nearest_names
from costline.quantity.reading import shown

Size = Annotated[int, Field(ge=1, le=100_000_000, strict=True)]
"""A width, length or number of things: at least 1."""
Count = Annotated[int, Field(ge=0, le=100_000_000, strict=True)]
"""A number of things that may be absent."""
Ratio = Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]
"""A positive multiplier."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false, nothing that merely looks so."""

NOTHING: tuple[Any, ...] = (None, [], {})
"""What an unknown field may hold beside false: nothing that is switched on."""
GENERALLY_NEUTRAL = frozenset({
    "architectures", "auto_map", "bos_token_id", "eos_token_id", "pad_token_id", "model_type", "torch_dtype", "dtype",
    "transformers_version", "use_cache", "initializer_range", "attention_dropout", "dropout", "hidden_dropout",
    "attention_probs_dropout_prob", "hidden_dropout_prob",
    "rope_theta", "rope_scaling", "rope_parameters", "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon",
    "pretraining_tp", "output_attentions", "output_hidden_states", "return_dict", "name_or_path",
})  # fmt: skip
"""Fields that change neither parameters nor FLOPs in any architecture read here."""


def head_width(hidden: int, heads: int) -> int:
    """Width of a head where none is stated: that of the model over its heads, which must divide it. [feature]

    Raises
    ------
    ConfigError
        With both numbers: transformers refuses such a model, or cuts the remainder off.

    Examples
    --------
    >>> head_width(4096, 32)
    128
    """
    if hidden % heads:
        raise ConfigError(f"{heads} attention heads do not divide the width {hidden}, and no head_dim is stated")
    return hidden // heads


_unstated: ContextVar[dict[str, int] | None] = ContextVar("unstated", default=None)


@contextmanager
def unstated() -> Iterator[dict[str, int]]:
    """Collect the dimensions that configurations read meanwhile do not state, with the values of their classes."""
    found: dict[str, int] = {}
    token = _unstated.set(found)
    try:
        yield found
    finally:
        _unstated.reset(token)


class Config(BaseModel):
    """A configuration of one architecture: a field for each number that changes the count, defaults as in its class.

    Subclasses list in `neutral` the further fields they have looked at and found not to change the count. Any other
    field is refused by name, unless it is null, false or empty: a switched-off feature costs nothing. A known flag may
    be null too.
    """

    # a validator is built when the first configuration of its class is read: a module holds many, a question needs one
    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), defer_build=True)
    neutral: ClassVar[frozenset[str]] = frozenset()
    seldom_stated: ClassVar[frozenset[str]] = frozenset({"max_position_embeddings"})
    """Whole numbers that a configuration may well leave out: limits, and what only counts where something is on."""

    @classmethod
    def read(cls, config: Mapping[str, Any], name: str) -> Self:
        """Check `config` and return it typed.

        Raises
        ------
        ConfigError
            With every fault: unknown fields, wrong types, impossible values.
        """
        passed_over = GENERALLY_NEUTRAL | cls.neutral
        kept = {
            key: cls._unless_null(key, value)
            for key, value in config.items()
            if key in cls.model_fields
            or not (key.startswith("_") or key in passed_over or value is False or value in NOTHING)
        }
        try:
            read = cls.model_validate(kept)
        except ValidationError as error:
            raise ConfigError(f"{name}: {cls._faults(error)}") from None
        if (found := _unstated.get()) is not None:
            found |= read._taken_from_class(kept)
        return read

    @classmethod
    def _unless_null(cls, key: str, value: Any) -> Any:
        """A value as stated; null is false where a flag is meant, as the classes themselves read it."""
        meant = cls.model_fields[key].annotation if key in cls.model_fields else None
        return False if value is None and meant in (bool, Literal[False]) else value

    def _taken_from_class(self, stated: Mapping[str, Any]) -> dict[str, int]:
        """Dimensions that the class has and the configuration does not state."""
        missing = type(self).model_fields.keys() - stated.keys() - self.seldom_stated
        values = {field: getattr(self, field) for field in sorted(missing)}
        return {field: value for field, value in values.items() if type(value) is int and value > 0}

    @classmethod
    def _faults(cls, error: ValidationError) -> str:
        lines = []
        for fault in error.errors():
            where = ".".join(str(step) for step in fault["loc"])[:80]
            if fault["type"] == "extra_forbidden":
                near = nearest_names(where, cls.model_fields)
                hint = f" (did you mean {near[0]}?)" if near else ""
                lines.append(f"field {where!r} is not known to leave the count unchanged{hint}")
            else:
                lines.append(f"field {where!r}: {fault['msg']}, got {shown(fault['input'])}")
        return "; ".join(lines[:20]) + ("; ..." if len(lines) > 20 else "")
