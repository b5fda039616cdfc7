"""Datasets of the literature, read from the hub or from a folder laid out like it.

There are 25 of NLP, named as in EleutherAI's code, and six of preferences. A dataset is a few
lines: where it is, which fields it has, and how a row becomes a text with a label.
"""

from weak2strong.tasks import GROUPS, SOURCES

_HERE = "weak2strong.subjects.literature"

DATASETS = {
    "boolq": f"{_HERE}.passages:BOOLQ",
    "cosmos_qa": f"{_HERE}.passages:COSMOS_QA",
    "dream": f"{_HERE}.passages:DREAM",
    "ethics-justice": f"{_HERE}.ethics:JUSTICE",
    "ethics-deontology": f"{_HERE}.ethics:DEONTOLOGY",
    "ethics-virtue": f"{_HERE}.ethics:VIRTUE",
    "ethics-utilitarianism": f"{_HERE}.ethics:UTILITARIANISM",
    "anli-r2": f"{_HERE}.sentences:ANLI_R2",
    "cola": f"{_HERE}.sentences:COLA",
    "sst2": f"{_HERE}.sentences:SST2",
    "hellaswag": f"{_HERE}.questions:HELLASWAG",
    "mc_taco": f"{_HERE}.passages:MC_TACO",
    "openbookqa": f"{_HERE}.questions:OPENBOOKQA",
    "paws": f"{_HERE}.sentences:PAWS",
    "quail": f"{_HERE}.passages:QUAIL",
    "piqa": f"{_HERE}.questions:PIQA",
    "quartz": f"{_HERE}.passages:QUARTZ",
    "sciq": f"{_HERE}.questions:SCIQ",
    "social_i_qa": f"{_HERE}.passages:SOCIAL_I_QA",
    "multirc": f"{_HERE}.passages:MULTIRC",
    "wic": f"{_HERE}.sentences:WIC",
    "twitter-sentiment": f"{_HERE}.sentences:TWITTER_SENTIMENT",
    "sciq_with_support": f"{_HERE}.questions:SCIQ_WITH_SUPPORT",
    "anthropic_hh": f"{_HERE}.sentences:ANTHROPIC_HH",
    "amazon_polarity": f"{_HERE}.sentences:AMAZON_POLARITY",
    "hh-helpful": f"{_HERE}.preferences:HH_HELPFUL",
    "hh-harmless": f"{_HERE}.preferences:HH_HARMLESS",
    "shp": f"{_HERE}.preferences:SHP",
    "summarize-feedback": f"{_HERE}.preferences:SUMMARIZE_FEEDBACK",
    "ultrafeedback": f"{_HERE}.preferences:ULTRAFEEDBACK",
    "reward-bench": f"{_HERE}.preferences:REWARD_BENCH",
    "reward-bench-2": f"{_HERE}.preferences:REWARD_BENCH_2",
}
"""Where each `weak2strong.subjects.literature.dataset.Dataset` is defined."""

_ELEUTHER_ADDS = ("sciq_with_support", "anthropic_hh", "amazon_polarity")

PREFERENCES = ("hh-helpful", "hh-harmless", "shp", "summarize-feedback", "ultrafeedback")
"""Published preferences that reward models are trained on."""

BENCHMARKS = ("reward-bench", "reward-bench-2")
"""Published preferences that reward models are tested on."""

ELEUTHER = tuple(name for name in DATASETS if name not in (*PREFERENCES, *BENCHMARKS))
"""All 25, as in EleutherAI's *Experiments in Weak-to-Strong Generalization* (2024)."""

BURNS = tuple(name for name in ELEUTHER if name not in _ELEUTHER_ADDS)
"""The 22 of Burns et al. 2023."""

SOURCES.enter(DATASETS)
GROUPS.enter(
    {
        "burns-nlp": f"{_HERE}:BURNS",
        "eleuther-nlp": f"{_HERE}:ELEUTHER",
        "preferences": f"{_HERE}:PREFERENCES",
    }
)
