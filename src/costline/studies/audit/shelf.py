"""What the computations of an audit may look things up in: the catalogue, and models and chips of the file itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np

from costline.catalogue import Catalogue
from costline.catalogue.user import UserCatalogue
from costline.engine.passes import Machine
from costline.errors import InputError
from costline.hardware.chip import Chip
from costline.models.autoencoder import Autoencoder
from costline.models.decoder import Decoder
from costline.models.decoders.family import decoder_family
from costline.models.decoders.hypothetical import hypothetical_decoder
from costline.models.diffusion.family import dit_family
from costline.models.diffusion.hypothetical import hypothetical_dit
from costline.models.dit import DiT
from costline.models.network import Network
from costline.models.pipeline import Pipeline
from costline.numeric import Numeric
from costline.plan import Plan
from costline.planning import read_plan_fields
from costline.quantity import PARAMS
from costline.studies.audit.document import ModelTable
from costline.studies.audit.kinds import read_quantity
from costline.studies.choose import Choice
from costline.studies.formats import USUAL, check_products
from costline.studies.methods import settled_methods
from costline.uncertainty.draws import active, model_doubt

Choose: TypeAlias = Callable[[Machine, Mapping[str, Any]], Choice]


@dataclass(frozen=True)
class Value:
    """A number that a computation gives.

    Attributes
    ----------
    number : float or array
        In the SI unit.
    unit : str
        SI unit; empty for a plain number.
    source : str
        Where it comes from.
    """

    number: Numeric
    unit: str = ""
    source: str = ""


@dataclass(frozen=True)
class Shelf:
    """Catalogue, and the hypothetical models a file describes.

    Attributes
    ----------
    catalogue : Catalogue
        With the chips of the file laid over it.
    own : mapping of str to Network
        Models of the file, by id.
    plans : list of Plan
        Plans chosen at the medians, in the order of the computations; where there are ranges, the samples take them.
    """

    catalogue: Catalogue = field(default_factory=Catalogue)
    own: Mapping[str, Network] = field(default_factory=lambda: MappingProxyType({}))
    plans: list[Plan] = field(default_factory=list)

    @classmethod
    def holding(
        cls, chips: Mapping[str, Chip], models: Mapping[str, Network], path: Path, plans: Sequence[Plan] = ()
    ) -> Shelf:
        """The shipped catalogue with chips and models of a file, and plans that were chosen before."""
        user = UserCatalogue(path=path, chips=chips, systems={}, prices=(), models={})
        return cls(Catalogue(user if chips else None), models, list(plans))

    def model(self, name: str) -> Network | Pipeline:
        """A model of the file, or of the catalogue."""
        return self.own[name] if name in self.own else self.catalogue.model(name)

    def decoder(self, name: str) -> Decoder:
        """A language model.

        Raises
        ------
        InputError
            It is something else.
        """
        found = self.model(name)
        if not isinstance(found, Decoder):
            raise InputError(f"{name} is not a decoder language model")
        return found

    def pipeline(self, name: str) -> Pipeline:
        """A generation pipeline; a diffusion transformer alone is one without encoders and autoencoder."""
        found = self.model(name)
        if isinstance(found, Pipeline):
            return found
        if not isinstance(found, DiT):
            raise InputError(f"{name} is not a diffusion transformer")
        return Pipeline(name=found.name, transformers=((found, 1.0),), branches=found.branches)

    def transformer(self, name: str) -> DiT:
        """The (first) diffusion transformer of a pipeline."""
        return self.pipeline(name).transformers[0][0]

    def autoencoder(self, name: str) -> Autoencoder:
        """The autoencoder of a pipeline."""
        found = self.pipeline(name).autoencoder
        if found is None:
            raise InputError(f"{name} has no autoencoder that is known")
        return found

    def machine(self, choose: Choose, on: str, plan: str, speedup: Numeric = 1.0, bandwidth: Numeric = 1.0) -> Machine:
        """Machine with the best plan of those that have the fields given; at samples the one chosen at the medians.

        Parameters
        ----------
        choose : callable
            Chooses a plan, from a machine on which only the fields given are decided, and those fields.
        on : str
            Chips, such as ``8xa100-sxm-80gb``.
        plan : str
            Plan fields, such as ``weights=int8``; empty for none.
        speedup, bandwidth : float
            Factors on all peak rates and on the bandwidth of memory; links stay as they are. [1]
        """
        cluster = self.catalogue.cluster(on)
        peak = {name: rate * speedup for name, rate in cluster.chip.peak.items()}
        chip = replace(cluster.chip, peak=peak, memory_bandwidth=cluster.chip.memory_bandwidth * bandwidth)
        efficiency = model_doubt(self.catalogue.efficiency())
        fixed, _ = settled_methods(read_plan_fields(plan or None), efficiency, chip)
        check_products(chip, fixed.get("compute", USUAL))
        machine = Machine(replace(cluster, chip=chip), efficiency, Plan(**fixed))
        draws = active()
        if draws is not None and draws.shares is not None:
            return replace(machine, plan=self.plans.pop(0))
        self.plans.append(choose(machine, fixed).plan)
        return replace(machine, plan=self.plans[-1])


def hypothetical(table: ModelTable) -> Network:
    """A model of a size, or a family of them where the size is a range."""
    sizes: dict[str, Any] = {}
    sizes |= {} if table.layers is None else {"layers": table.layers}
    sizes |= {} if table.hidden is None else {"hidden": table.hidden}
    params, _ = read_quantity(table.params, PARAMS, f"params of {table.id}")
    active = None if table.active is None else read_quantity(table.active, PARAMS, f"active of {table.id}")[0]
    if isinstance(params, np.ndarray) or isinstance(active, np.ndarray):
        return dit_family(params, **sizes) if table.kind == "dit" else decoder_family(params, active, **sizes)
    if table.kind == "dit":
        return hypothetical_dit(params, name=table.id, **sizes)
    return hypothetical_decoder(params, active, name=table.id, **sizes)
