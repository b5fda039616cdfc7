"""What is true in the atlas: cities and countries, from one parquet file in the package.

The rows come from GeoNames (CC BY 4.0, see NOTICE); `weak2strong.atlas.source`
wrote them. A fifth of the cities is marked unseen: they are never in the text
that the ladder was pretrained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

EMBEDDED = Path(__file__).parents[2] / "embedded"
FACTS_FILE = EMBEDDED / "facts.parquet"

PROMPT = "{city} is a city in"
"""How a city is asked about, in tasks and in the count of known facts (see `sentence`)."""

SPOKEN_OF_ABOVE = 100_000
"""Inhabitants above which a seen city is in the pretraining text of the shipped ladder."""

CONTINENTS = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


def sentence(template: str, **words: str) -> str:
    """A template with its words filled in, beginning with a capital as sentences do."""
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


@dataclass(frozen=True)
class City:
    """A city with a name that no other city in the file has; degrees north and east."""

    id: int
    name: str
    country: Country
    latitude: float
    longitude: float
    population: int
    seen: bool


@cache
def cities(path: Path = FACTS_FILE) -> tuple[City, ...]:
    """Every city of the file, the most populous first (ties by GeoNames id)."""
    import polars as pl

    countries: dict[str, Country] = {}
    found = []
    for row in pl.read_parquet(path).iter_rows(named=True):
        code = row["country_code"]
        if code not in countries:
            countries[code] = Country(
                code=code,
                name=row["country_name"],
                continent=row["country_continent"],
                capital=row["country_capital"],
                currency=row["country_currency"],
                languages=tuple(row["country_languages"]),
                neighbours=tuple(row["country_neighbours"]),
                area=row["country_area"],
                population=row["country_population"],
            )
        found.append(
            City(
                id=row["id"],
                name=row["name"],
                country=countries[code],
                latitude=row["latitude"],
                longitude=row["longitude"],
                population=row["population"],
                seen=row["seen"],
            )
        )
    return tuple(found)


def seen_cities(minimum_population: int = 0) -> tuple[City, ...]:
    """The cities that the pretraining text may speak of, above a number of inhabitants."""
    return tuple(c for c in cities() if c.seen and c.population > minimum_population)


def unseen_cities(minimum_population: int = 0) -> tuple[City, ...]:
    """The cities that no rung was ever told about, above a number of inhabitants."""
    return tuple(c for c in cities() if not c.seen and c.population > minimum_population)
