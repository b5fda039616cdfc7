"""Pretrained models that make weak and strong pairs, with what their makers say of them.

Numbers of parameters follow from the published configurations, and a test builds
every model on the meta device to check them. Licence, gating and knowledge
cutoff are from the model cards. A cutoff is given only where the maker states
one; release dates and what a model says of itself are no substitute.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """A model of the catalogue.

    Attributes:
        name: a rung of the embedded ladder, or a hub id.
        parameters: of the whole checkpoint, as published.
        trunk: parameters of what is trained here: without the language-model head,
            where that has weights of its own.
        multiplied: those of them that stand in products: the matrices of its layers.
        linear: widths in and out of the trunk's linear layers, all added: the number
            of parameters that LoRA adds for each unit of rank.
    """

    name: str
    parameters: int
    trunk: int
    multiplied: int
    linear: int


@dataclass(frozen=True)
class Family:
    """Models of one maker and one recipe, the smallest first.

    Attributes:
        licence: of the weights.
        source: the page that the facts are from.
        cutoff: year and month of the newest training text, where the maker states it.
        gated: whether the hub gives the files only to those who accepted the terms.
    """

    models: tuple[Listed, ...]
    licence: str
    source: str
    cutoff: str | None = None
    gated: bool = False


FAMILIES = (
    Family(
        (
            Listed("atlas-xs", 92_320, 92_320, 26_624, 1_280),
            Listed("atlas-s", 237_888, 237_888, 106_496, 2_560),
            Listed("atlas-m", 330_640, 330_640, 166_400, 3_200),
            Listed("atlas-l", 902_016, 902_016, 638_976, 7_680),
        ),
        licence="Apache-2.0",
        source="docs/ladder.md",
    ),
    Family(
        (
            Listed("openai-community/gpt2", 124_439_808, 124_439_808, 84_934_656, 147_456),
            Listed("openai-community/gpt2-medium", 354_823_168, 354_823_168, 301_989_888, 393_216),
            Listed("openai-community/gpt2-large", 774_030_080, 774_030_080, 707_788_800, 737_280),
            Listed(
                "openai-community/gpt2-xl", 1_557_611_200, 1_557_611_200, 1_474_560_000, 1_228_800
            ),
        ),
        licence="MIT",
        # The model card of November 2019: data until the end of 2017.
        source="https://github.com/openai/gpt-2/blob/master/model_card.md",
        cutoff="2017-12",
    ),
    Family(
        (
            Listed("EleutherAI/pythia-70m", 70_426_624, 44_670_976, 18_874_368, 49_152),
            Listed("EleutherAI/pythia-160m", 162_322_944, 123_689_472, 84_934_656, 147_456),
            Listed("EleutherAI/pythia-410m", 405_334_016, 353_822_720, 301_989_888, 393_216),
            Listed("EleutherAI/pythia-1b", 1_011_781_632, 908_759_040, 805_306_368, 524_288),
            Listed("EleutherAI/pythia-1.4b", 1_414_647_808, 1_311_625_216, 1_207_959_552, 786_432),
            Listed(
                "EleutherAI/pythia-2.8b", 2_775_208_960, 2_646_430_720, 2_516_582_400, 1_310_720
            ),
            Listed(
                "EleutherAI/pythia-6.9b", 6_857_302_016, 6_650_732_544, 6_442_450_944, 2_097_152
            ),
        ),
        licence="Apache-2.0",
        source="https://huggingface.co/EleutherAI/pythia-70m",
    ),
    Family(
        (
            Listed("HuggingFaceTB/SmolLM2-135M", 134_515_008, 134_515_008, 106_168_320, 305_280),
            Listed("HuggingFaceTB/SmolLM2-360M", 361_821_120, 361_821_120, 314_572_800, 542_720),
            Listed(
                "HuggingFaceTB/SmolLM2-1.7B", 1_711_376_384, 1_711_376_384, 1_610_612_736, 1_130_496
            ),
        ),
        licence="Apache-2.0",
        source="https://huggingface.co/HuggingFaceTB/SmolLM2-135M",
    ),
    Family(
        (
            Listed("Qwen/Qwen1.5-0.5B", 463_987_712, 463_987_712, 308_281_344, 473_088),
            Listed("Qwen/Qwen1.5-0.5B-Chat", 463_987_712, 463_987_712, 308_281_344, 473_088),
        ),
        licence="Tongyi Qianwen Research",
        source="https://huggingface.co/Qwen/Qwen1.5-0.5B",
    ),
    Family(
        # The 3B model has a licence of its own, for research only, and is left out.
        (
            Listed("Qwen/Qwen2.5-0.5B", 494_032_768, 494_032_768, 357_826_560, 549_888),
            Listed("Qwen/Qwen2.5-1.5B", 1_543_714_304, 1_543_714_304, 1_310_195_712, 1_154_048),
            Listed("Qwen/Qwen2.5-7B", 7_615_616_512, 7_070_619_136, 6_525_288_448, 2_523_136),
        ),
        licence="Apache-2.0",
        source="https://huggingface.co/Qwen/Qwen2.5-1.5B",
    ),
    Family(
        (
            Listed("Qwen/Qwen3-0.6B-Base", 596_049_920, 596_049_920, 440_401_920, 630_784),
            Listed("Qwen/Qwen3-1.7B-Base", 1_720_574_976, 1_720_574_976, 1_409_286_144, 1_089_536),
            Listed("Qwen/Qwen3-4B-Base", 4_022_468_096, 4_022_468_096, 3_633_315_840, 2_064_384),
            Listed("Qwen/Qwen3-8B-Base", 8_190_735_360, 7_568_405_504, 6_945_767_424, 2_727_936),
        ),
        licence="Apache-2.0",
        source="https://huggingface.co/Qwen/Qwen3-0.6B-Base",
    ),
    Family(
        # A copy of the first generation, which its makers do not put on the hub themselves.
        (Listed("huggyllama/llama-7b", 6_738_415_616, 6_607_343_616, 6_476_005_376, 2_498_560),),
        licence="LLaMA, not commercial",
        source="https://huggingface.co/huggyllama/llama-7b",
    ),
    Family(
        (
            Listed("allenai/OLMo-2-0425-1B", 1_484_916_736, 1_279_395_840, 1_073_741_824, 753_664),
            Listed(
                "allenai/OLMo-2-1124-7B", 7_298_617_344, 6_887_575_552, 6_476_005_376, 2_498_560
            ),
            Listed(
                "allenai/OLMo-2-1124-13B", 13_716_198_400, 13_202_396_160, 12_687_769_600, 3_911_680
            ),
        ),
        licence="Apache-2.0",
        # Both generations of the card say: date cutoff December 2023.
        source="https://huggingface.co/allenai/OLMo-2-1124-13B",
        cutoff="2023-12",
    ),
    Family(
        (
            Listed("answerdotai/ModernBERT-base", 149_655_232, 149_014_272, 110_297_088, 211_200),
            Listed("answerdotai/ModernBERT-large", 395_881_664, 394_781_696, 343_146_496, 449_792),
        ),
        licence="Apache-2.0",
        source="https://huggingface.co/answerdotai/ModernBERT-base",
    ),
    Family(
        (
            Listed(
                "meta-llama/Llama-2-7b-hf", 6_738_415_616, 6_607_343_616, 6_476_005_376, 2_498_560
            ),
            Listed(
                "meta-llama/Llama-2-13b-hf",
                13_015_864_320,
                12_852_024_320,
                12_687_769_600,
                3_911_680,
            ),
        ),
        licence="Llama 2",
        source="https://huggingface.co/meta-llama/Llama-2-13b-hf",
        cutoff="2022-09",
        gated=True,
    ),
    Family(
        (
            Listed(
                "meta-llama/Meta-Llama-3-8B", 8_030_261_248, 7_504_924_672, 6_979_321_856, 2_621_440
            ),
        ),
        licence="Llama 3",
        # The card has a later one for the 70B model.
        source="https://huggingface.co/meta-llama/Meta-Llama-3-8B",
        cutoff="2023-03",
        gated=True,
    ),
    Family(
        (
            Listed("meta-llama/Llama-3.2-1B", 1_235_814_400, 1_235_814_400, 973_078_528, 704_512),
            Listed(
                "meta-llama/Llama-3.2-3B", 3_212_749_824, 3_212_749_824, 2_818_572_288, 1_519_616
            ),
        ),
        licence="Llama 3.2",
        source="https://huggingface.co/meta-llama/Llama-3.2-1B",
        cutoff="2023-12",
        gated=True,
    ),
    Family(
        (
            Listed(
                "meta-llama/Llama-3.1-8B", 8_030_261_248, 7_504_924_672, 6_979_321_856, 2_621_440
            ),
        ),
        licence="Llama 3.1",
        source="https://huggingface.co/meta-llama/Llama-3.1-8B",
        cutoff="2023-12",
        gated=True,
    ),
    Family(
        # The card of this generation states no cutoff.
        (
            Listed("google/gemma-2-2b", 2_614_341_888, 2_614_341_888, 2_024_275_968, 1_297_920),
            Listed("google/gemma-2-9b", 9_241_705_984, 9_241_705_984, 8_323_596_288, 3_376_128),
        ),
        licence="Gemma",
        source="https://ai.google.dev/gemma/docs/core/model_card_2",
        gated=True,
    ),
    Family(
        # The larger ones read images too, and are no text models to Transformers.
        (
            Listed("google/gemma-3-270m", 268_098_176, 268_098_176, 100_270_080, 237_312),
            Listed("google/gemma-3-1b-pt", 999_885_952, 999_885_952, 697_761_792, 815_360),
        ),
        licence="Gemma",
        source="https://ai.google.dev/gemma/docs/core/model_card_3",
        cutoff="2024-08",
        gated=True,
    ),
)
"""The embedded ladder, then open models, then gated ones."""

PAIRS = (
    ("atlas-s", "atlas-l"),
    ("EleutherAI/pythia-70m", "EleutherAI/pythia-1.4b"),
    ("HuggingFaceTB/SmolLM2-135M", "HuggingFaceTB/SmolLM2-1.7B"),
    ("openai-community/gpt2", "openai-community/gpt2-xl"),
    ("answerdotai/ModernBERT-base", "answerdotai/ModernBERT-large"),
    ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B"),
    ("Qwen/Qwen3-0.6B-Base", "Qwen/Qwen3-8B-Base"),
    ("allenai/OLMo-2-0425-1B", "allenai/OLMo-2-1124-13B"),
    ("google/gemma-2-2b", "google/gemma-2-9b"),
    ("meta-llama/Llama-3.2-1B", "meta-llama/Llama-3.1-8B"),
)
"""Weak and strong model, of one maker and the same data or nearly so; open pairs first."""

OWN_TEXTS = {
    "cpu": ("EleutherAI/pythia-70m", "EleutherAI/pythia-160m"),
    "other": ("EleutherAI/pythia-70m", "EleutherAI/pythia-410m"),
}
"""The pair for texts of a user who names none, on processors and on a GPU: of one maker, read from
the same texts in the same order, with a free licence, not gated, and so small that a study ends."""


def listed() -> dict[str, tuple[Listed, Family]]:
    """Every model of the catalogue with its family, by name."""
    return {model.name: (model, family) for family in FAMILIES for model in family.models}
