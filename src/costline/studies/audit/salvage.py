"""What can be read of a malformed file: every table keeps its good fields, so that the rest is looked through for faults too."""  # noqa: E501

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError

Table = TypeVar("Table", bound=BaseModel)


def salvaged(table: type[Table], given: Any) -> Table:
    """A table of a file with what can be read of it.

    Parameters
    ----------
    table : type
        What it should be.
    given : object
        What the file has.

    Returns
    -------
    BaseModel
        Fields that cannot be read have their default, or None where they have none; nothing else is checked.

    Examples
    --------
    >>> class Wheel(BaseModel):
    ...     radius: float
    ...     spokes: int = 8
    >>> salvaged(Wheel, {"radius": "large", "spokes": 6})
    Wheel(radius=None, spokes=6)
    """
    try:
        return table.model_validate(given)
    except ValidationError:
        pass
    fields: dict[str, Any] = {}
    for name, field in table.model_fields.items():
        key = field.alias or name
        inside = _table_within(field.annotation)
        raw = given.get(key) if isinstance(given, Mapping) else None
        if inside is not None and _is_mapping(field.annotation):
            listed = raw if isinstance(raw, Mapping) else {}
            fields[name] = {str(each): salvaged(inside, value) for each, value in listed.items()}
        elif inside is not None:
            fields[name] = [salvaged(inside, each) for each in raw] if isinstance(raw, list) else []
        else:
            missing = None if field.is_required() else field.get_default(call_default_factory=True)
            fields[name] = missing if raw is None else _read(field.rebuild_annotation(), raw, missing)
    return table.model_construct(**fields)


def _table_within(annotation: Any) -> type[BaseModel] | None:
    """The table that a list or a mapping of them holds."""
    found = [each for each in get_args(annotation) if isinstance(each, type) and issubclass(each, BaseModel)]
    return found[0] if found and getattr(annotation, "__origin__", None) in {list, dict} else None


def _is_mapping(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", None) is dict


def _read(annotation: Any, raw: Any, missing: Any) -> Any:
    try:
        return TypeAdapter(annotation).validate_python(raw)
    except ValidationError:
        return missing


def whole(table: BaseModel) -> bool:
    """Whether every field that a table must have could be read."""
    return all(
        getattr(table, name) is not None for name, field in type(table).model_fields.items() if field.is_required()
    )
