"""The catalogue: chips, systems, prices, coefficients and models, from tables with a source for every row.

The functions below look things up in the tables that come with costline; `with_file` lays a user's own file over them
and has the same functions::

    from costline import catalogue

    catalogue.chip("h100-sxm")
    catalogue.cluster("8xh100-sxm")
    mine = catalogue.with_file("mychips.toml")
    mine.cluster("8xmychip")

Nothing is read when this module is imported; each file is read once, when something in it is asked for.
"""

from costline.catalogue.apis import ApiPrice
from costline.catalogue.book import Catalogue
from costline.catalogue.chip_table import ChipFacts
from costline.catalogue.facts import chip_anchors, chip_costs, pim_facts, video_trainings
from costline.catalogue.price_table import Price, PriceChoice
from costline.catalogue.system_table import System

shipped = Catalogue()
"""The tables that come with costline."""

api_price = shipped.api_price
api_token_price = shipped.api_token_price
chip = shipped.chip
chip_facts = shipped.chip_facts
chips = shipped.chips
cluster = shipped.cluster
coefficients = shipped.coefficients
efficiency = shipped.efficiency
electricity = shipped.electricity
grid_carbon = shipped.grid_carbon
model = shipped.model
models = shipped.models
pipeline_like = shipped.pipeline_like
prices = shipped.prices
pue = shipped.pue
rental_price = shipped.rental_price
system = shipped.system
system_of = shipped.system_of
systems = shipped.systems
video_prices = shipped.video_prices
with_file = shipped.with_file

__all__ = [
    "ApiPrice",
    "Catalogue",
    "ChipFacts",
    "Price",
    "PriceChoice",
    "System",
    "api_price",
    "api_token_price",
    "chip",
    "chip_anchors",
    "chip_costs",
    "chip_facts",
    "chips",
    "cluster",
    "coefficients",
    "efficiency",
    "electricity",
    "grid_carbon",
    "model",
    "models",
    "pim_facts",
    "pipeline_like",
    "prices",
    "pue",
    "rental_price",
    "shipped",
    "system",
    "system_of",
    "systems",
    "video_prices",
    "video_trainings",
    "with_file",
]
