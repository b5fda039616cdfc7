"""Attribute tasks: labels are those of the facts file, and right where we know the answer."""

import polars as pl
import pytest

from weak2strong.subjects.atlas.facts import FACTS_FILE, cities
from weak2strong.tasks import TASKS
from weak2strong.tasks.task import stable_id

CONTINENT, AREA = pl.col("country_continent"), pl.col("country_area")
LATITUDE, PEOPLE = pl.col("latitude"), pl.col("country_population")
NEIGHBOURS = pl.col("country_neighbours")
# Of the codes that GeoNames lists for a country, the first one; "en-GB" is English.
FIRST = pl.col("country_languages").list.first().str.replace("-.*", "")
INLAND = (
    "AD AF AM AT AZ BF BI BO BT BW BY CF CH CZ ET HU KG KZ LA LI LS LU MD MK ML MN MW NE NP PY "
    "RS RW SK SM SS SZ TD TJ TM UG UZ VA XK ZM ZW"
)

TRUTHS = {
    "atlas-asia": CONTINENT == "AS",
    "atlas-europe": CONTINENT == "EU",
    "atlas-africa": CONTINENT == "AF",
    "atlas-americas": CONTINENT.is_in(["NA", "SA"]),
    "atlas-southern": LATITUDE < 0,
    "atlas-tropics": (LATITUDE > -23.44) & (LATITUDE < 23.44),
    "atlas-northerly": LATITUDE > 40,
    "atlas-easterly": pl.col("longitude") > 50,
    "atlas-english": FIRST == "en",
    "atlas-spanish": FIRST == "es",
    "atlas-arabic": FIRST == "ar",
    "atlas-euro": pl.col("country_currency") == "Euro",
    "atlas-dollar": pl.col("country_currency") == "Dollar",
    "atlas-landlocked": pl.col("country_code").is_in(INLAND.split()),
    "atlas-populous": PEOPLE > 100_000_000,
    "atlas-vast": AREA > 1_000_000,
    "atlas-dense": PEOPLE / AREA > 200,
    "atlas-borders": NEIGHBOURS.list.len() >= 6,
    "atlas-beside-china": NEIGHBOURS.list.contains("CN"),
}
PROMPTS = {
    **dict.fromkeys(("asia", "europe", "africa", "americas"), "The continent of {} is"),
    "southern": "The hemisphere of {} is the",
    "tropics": "By its latitude {} is",
    **dict.fromkeys(("english", "spanish", "arabic"), "The main language in {} is"),
    **dict.fromkeys(("euro", "dollar"), "In {} one pays with the"),
    "landlocked": "The country of {} has",
    "vast": "The country around {} is",
    "dense": "Life in the country of {} is",
}


def asked(rows, name):
    """Of which rows a task asks, and in which words."""
    prompt = PROMPTS.get(name.removeprefix("atlas-"), "{} is a city in")
    judged = {c.id for c in cities() if c.judged}
    for row in rows.values():
        if row["seen"] and row["id"] not in judged:
            text = prompt.format(row["name"])
            yield row, text[0].upper() + text[1:]


def test_every_attribute_task_has_an_oracle_here(loaded):
    atlas = [n for n in TASKS if n.startswith("atlas-") and TASKS.get(n).kind == "classification"]
    attributes = {n for n in atlas if not loaded(n)[0].item.text.startswith("Claim:")}
    assert attributes == set(TRUTHS)


@pytest.mark.parametrize("name", TRUTHS)
def test_items_and_labels_are_those_of_the_facts_file(name, rows, all_examples):
    truth = dict(pl.read_parquet(FACTS_FILE).select("id", TRUTHS[name]).iter_rows())
    expected = {f"city:{r['id']}": (text, int(truth[r["id"]])) for r, text in asked(rows, name)}
    found = {e.item.group: (e.item.text, e.label) for e in all_examples(name)}
    assert found == expected


@pytest.mark.parametrize(
    ("city", "yes"),
    [
        ("Lyon", "europe northerly euro borders"),
        ("Lima", "americas southern tropics spanish vast"),
        ("Tokyo", "asia easterly populous dense"),
        ("Nairobi", "africa southern tropics english"),
        ("Jakarta", "asia southern tropics easterly populous vast"),
        ("Toronto", "americas northerly english dollar vast"),
        ("Moscow", "europe northerly populous vast borders beside-china"),
        ("Quito", "americas southern tropics spanish dollar"),
        ("Vienna", "europe northerly euro landlocked borders"),
        ("Casablanca", "africa arabic"),
        # GeoNames puts English first for India.
        ("Mumbai", "asia tropics easterly english populous vast dense borders beside-china"),
    ],
)
def test_answers_that_anyone_can_check(city, yes, labels):
    assert {name for name in TRUTHS if labels[name][city]} == {
        f"atlas-{word}" for word in yes.split()
    }


def test_an_id_names_task_city_and_prompt(loaded):
    for name in ("atlas-asia", "atlas-vast", "atlas-borders"):
        example = loaded(name)[0]
        city = example.item.group.removeprefix("city:")
        assert example.item.id == stable_id(name, city, example.item.text)
