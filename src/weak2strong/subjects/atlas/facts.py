"""The facts of the atlas: cities and countries, from one parquet file in the package.

The facts come from GeoNames (CC BY 4.0, see NOTICE), and `weak2strong.subjects.atlas.ladder.source`
wrote the file. A fifth of the cities is marked as unseen: the text that the ladder was pretrained
on does not mention them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from weak2strong.subjects.atlas.countries import LANDLOCKED, LANGUAGES

EMBEDDED = Path(__file__).parents[2] / "embedded"
FACTS_FILE = EMBEDDED / "facts.parquet"

PROMPT = "{city} is a city in"
"""The prompt about a city, in tasks and in the count of known facts (see `sentence`)."""

CONTINENT_PROMPT = "The continent of {city} is"
HEMISPHERE_PROMPT = "The hemisphere of {city} is the"
LATITUDE_PROMPT = "By its latitude {city} is"
LANGUAGE_PROMPT = "The main language in {city} is"
CURRENCY_PROMPT = "In {city} one pays with the"
EXTENT_PROMPT = "The country around {city} is"
CROWD_PROMPT = "Life in the country of {city} is"
COAST_PROMPT = "The country of {city} has"

TROPIC = 23.44
"""Degrees of latitude up to which a place is tropical."""

VAST_ABOVE = 1_000_000
"""Square kilometres above which a country is vast."""

CROWDED_ABOVE = 200
"""People a square kilometre above which a country is crowded."""

JUDGED_SHARE = 0.25

CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


def sentence(template: str, **words: str) -> str:
    """A template with its words filled in; the first letter becomes a capital."""
    text = template.format(**words)
    return text[0].upper() + text[1:]


@dataclass(frozen=True)
class Country:
    """A country; ``code`` is ISO 3166 alpha-2, ``continent`` is of `CONTINENTS`, area in km2."""

    code: str
    name: str
    continent: str
    capital: str
    currency: str
    languages: tuple[str, ...]
    neighbours: tuple[str, ...]
    area: float
    population: int

    @property
    def language(self) -> str:
        """The language that GeoNames puts first for the country."""
        return LANGUAGES[self.languages[0].split("-")[0]]

    @property
    def extent(self) -> str:
        """Whether the country is large, in a word."""
        return "vast" if self.area > VAST_ABOVE else "small"

    @property
    def crowd(self) -> str:
        """How densely the country is peopled, in a word."""
        return "crowded" if self.population > CROWDED_ABOVE * self.area else "roomy"

    @property
    def coast(self) -> str:
        """Whether the country has a coast, in words."""
        return "no coast" if self.code in LANDLOCKED else "a coast"


def draw(purpose: str, city_id: int) -> float:
    """A number in [0, 1) that depends on the purpose and the GeoNames id alone."""
    digest = hashlib.sha256(f"{purpose}:{city_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


@dataclass(frozen=True)
class City:
    """A city whose name no other city in the file has; degrees are north and east."""

    id: int
    name: str
    country: Country
    latitude: float
    longitude: float
    population: int
    seen: bool

    @property
    def judged(self) -> bool:
        """Whether the pretraining text judges claims about the city; tasks leave it out then."""
        return self.seen and draw("atlas-judged", self.id) < JUDGED_SHARE

    @property
    def side(self) -> str:
        """On which side of the equator the city is."""
        return "south" if self.latitude < 0 else "north"

    @property
    def zone(self) -> str:
        """The climate zone by latitude, in a word."""
        return "tropical" if abs(self.latitude) < TROPIC else "temperate"


@cache
def cities(path: Path = FACTS_FILE) -> tuple[City, ...]:
    """Every city of the file, the most populous first (ties by GeoNames id)."""
    import polars as pl

    countries: dict[str, Country] = {}
    rows = []
    for row in pl.read_parquet(path).iter_rows(named=True):
        # A list is a tuple in a frozen dataclass.
        values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        about = {f.name: values.pop(f"country_{f.name}") for f in fields(Country)}
        country = countries.setdefault(about["code"], Country(**about))
        rows.append(City(country=country, **values))
    return tuple(rows)


def seen_cities(minimum_population: int = 0) -> tuple[City, ...]:
    """The cities that the pretraining text speaks of, above a number of inhabitants."""
    return tuple(c for c in cities() if c.seen and c.population > minimum_population)


def unseen_cities(minimum_population: int = 0) -> tuple[City, ...]:
    """The cities that no rung was ever told about, above a number of inhabitants."""
    return tuple(c for c in cities() if not c.seen and c.population > minimum_population)
