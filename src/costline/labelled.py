"""Answers to one question at many places: figures as arrays whose axes have names."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costline.errors import InputError, UnknownNameError
from costline.estimate import Estimate
from costline.numeric import Array


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """Figures over named axes: what a question answers where an input is a list.

    Attributes
    ----------
    study : str
        Which study.
    axes : mapping of str to tuple
        Labels along each axis: first the lists, as given, then the axes of the arrays.
    inputs : mapping of str to array
        Arrays among the inputs, each of a shape that broadcasts to the axes they span.
    figures : mapping of str to array
        Values by figure, in the SI unit; NaN is unknown.
    units : mapping of str to str
        SI unit of each figure.
    feasible : array
        Where it can be run as asked.
    estimates : array of Estimate
        The full answers, one for each combination of the lists.
    """

    study: str
    axes: Mapping[str, tuple[Any, ...]]
    inputs: Mapping[str, Array]
    figures: Mapping[str, Array]
    units: Mapping[str, str]
    feasible: Array
    estimates: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return tuple(len(labels) for labels in self.axes.values())

    def __getitem__(self, name: str) -> Array:
        """A figure over all axes. [its SI unit]"""
        if name not in self.figures:
            raise UnknownNameError("figure", name, self.figures)
        return self.figures[name]

    def at(self, **labels: Any) -> Estimate:
        """The full answer for one combination of the lists.

        Raises
        ------
        InputError
            A list without a label, or a label that is not on its axis.
        """
        lists = list(self.axes)[: self.estimates.ndim]
        place = []
        for name in lists:
            if name not in labels or labels[name] not in self.axes[name]:
                known = ", ".join(map(str, self.axes[name]))
                raise InputError(f"{name}: say which of {known}")
            place.append(self.axes[name].index(labels[name]))
        found: Estimate = self.estimates[tuple(place)]
        return found

    def to_frame(self) -> dict[str, Array]:
        """Columns by axis, input and figure, one row a place, as ``pandas.DataFrame`` and polars take them."""
        names = list(self.axes)
        places = np.indices(self.shape).reshape(len(names), -1)
        columns = {name: np.asarray(self.axes[name])[place] for name, place in zip(names, places, strict=True)}
        for name, values in self.inputs.items():
            columns[name] = np.broadcast_to(values, self.shape).ravel()
        columns |= {name: values.ravel() for name, values in self.figures.items()}
        return {**columns, "feasible": self.feasible.ravel()}

    def to_xarray(self) -> Any:
        """The same as an ``xarray.Dataset``, units as attributes.

        Raises
        ------
        InputError
            xarray is not installed.
        """
        try:
            xarray = importlib.import_module("xarray")
        except ImportError:
            raise InputError("to_xarray needs the package xarray: pip install xarray; to_frame needs nothing") from None
        dimensions = tuple(self.axes)
        coordinates: dict[str, Any] = {name: (name, np.asarray(labels)) for name, labels in self.axes.items()}
        for name, values in self.inputs.items():
            if name not in coordinates:
                own = dimensions[len(dimensions) - values.ndim :]
                kept = [place for place in range(values.ndim) if values.shape[place] > 1]
                squeezed = values.reshape([values.shape[place] for place in kept])
                coordinates[name] = (tuple(own[place] for place in kept), squeezed)
        variables = {name: (dimensions, values, {"units": self.units[name]}) for name, values in self.figures.items()}
        variables["feasible"] = (dimensions, self.feasible, {})
        return xarray.Dataset(variables, coordinates, {"study": self.study})


def combined(axes: Mapping[str, Sequence[Any]], arrays: Mapping[str, Array], estimates: Sequence[Estimate]) -> Labelled:
    """Answers for every combination of some lists, in their order, as one.

    Parameters
    ----------
    axes : mapping
        Labels of each list.
    arrays : mapping
        Inputs that are arrays.
    estimates : sequence of Estimate
        One for each combination, the last list varying fastest.
    """
    lists = {name: tuple(labels) for name, labels in axes.items()}
    sizes = tuple(len(labels) for labels in lists.values())
    points = np.broadcast_shapes(*(array.shape for array in arrays.values())) if arrays else ()
    names = list(dict.fromkeys(name for estimate in estimates for name in estimate.figures))
    figures = {
        name: np.stack([_spread(estimate, name, points) for estimate in estimates]).reshape(*sizes, *points)
        for name in names
    }
    units = {name: figure.unit for estimate in reversed(estimates) for name, figure in estimate.figures.items()}
    fits = np.stack([np.broadcast_to(np.asarray(estimate.feasible), points) for estimate in estimates])
    whole = np.empty(len(estimates), dtype=object)
    whole[:] = list(estimates)
    return Labelled(
        study=estimates[0].study,
        axes={**lists, **_point_axes(arrays, points)},
        inputs={name: array for name, array in arrays.items() if array.ndim},
        figures=figures,
        units=units,
        feasible=fits.reshape(*sizes, *points),
        estimates=whole.reshape(sizes),
    )


def _spread(estimate: Estimate, name: str, points: tuple[int, ...]) -> Array:
    figure = estimate.figures.get(name)
    value = np.nan if figure is None or figure.value is None else figure.value
    return np.broadcast_to(np.asarray(value, dtype=float), points)


def _point_axes(arrays: Mapping[str, Array], points: tuple[int, ...]) -> dict[str, tuple[Any, ...]]:
    """Names of the axes of the arrays: an axis along which one input varies alone is called as that input."""
    found: dict[str, tuple[Any, ...]] = {}
    for place, size in enumerate(points):
        along = {name: array for name, array in arrays.items() if _length(array, place, len(points)) > 1}
        single = next(iter(along)) if len(along) == 1 else ""
        if single and along[single].size == size and single not in found:
            found[single] = tuple(along[single].ravel().tolist())
        else:
            found["point" if len(points) == 1 else f"point {place}"] = tuple(range(size))
    return found


def _length(array: Array, place: int, dimensions: int) -> int:
    own = place - (dimensions - array.ndim)
    return array.shape[own] if own >= 0 else 1
