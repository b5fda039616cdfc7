"""Plugins that cannot be used: what they raise, what they are, what they return."""

from fuzz.inputs import Draw, Ended, Input, group

HEAD = """from dataclasses import dataclass
import weak2strong as w2s

"""

TASK = "@w2s.task('mine', classes=['a', 'b'])\n"

LOADED = {
    "it exits": ("raise SystemExit({code})", "SystemExit"),
    "it ends a generator": ("raise GeneratorExit", "GeneratorExit"),
    "an error of its own": ("class Odd(BaseException): ...\nraise Odd('x')", "Odd"),
    "an async method": ("@w2s.method('mine')\nasync def mine(context): ...", "async"),
    "a method that yields": ("@w2s.method('mine')\ndef mine(context): yield 1", "yields"),
    "an async scorer": ("@w2s.scorer('mine')\nasync def mine(text): ...", "async"),
    "an async task": (TASK + "async def mine(): ...", "async"),
    "a loss that is no dataclass": ("@w2s.loss('mine')\nclass Mine(w2s.RowLoss): ...", "dataclass"),
    "a setting by position": ("@w2s.method('mine')\ndef mine(context, k=1): ...", "'k'"),
    "a name with capitals": ("@w2s.method('Mine')\ndef mine(context): ...", "'Mine'"),
    "a name that is taken": ("@w2s.method('naive')\ndef mine(context): ...", "'naive'"),
}
"""What is wrong with a plugin that is loaded: its text, and a word that the sentence must hold."""

USED = {
    "nothing": ("return None", "examples"),
    "a number": ("return {code}", "examples"),
    "a text": ("return 'examples'", "examples"),
    "no examples": ("return [{code}, 2]", "Example"),
    "one that exits": ("raise SystemExit({code})", "SystemExit"),
    "one that ends": ("yield from ()\n    raise GeneratorExit", "GeneratorExit"),
}
"""What a task's function does, and a word that the sentence must hold."""


@group("plugins", share=1, alone=True)
def plugins(draw: Draw) -> Input:
    """A plugin by its fault, or a sound one."""
    file, code = draw.folder / "mine.py", draw.rng.randrange(300)
    kind = draw.number % 5
    if kind == 4:
        file.write_text(HEAD + f"@w2s.method('mine')\ndef mine(context): {code}\n")
        return Input("a sound one", ("methods", "--plugin", "mine.py"), right=_listed)
    if kind == 3:
        about, (body, word) = draw.rng.choice(sorted(USED.items()))
        text = TASK + "def mine():\n    " + body.replace("{code}", str(code)) + "\n"
        file.write_text(HEAD + text)
        words = ("export", "mine", "--plugin", "mine.py", "--out", "mine.jsonl")
        names = (word,) if "Example" in word else ("mine.py", "mine", word)
        return Input(f"a task that gives {about}", words, names=names)
    about, (text, word) = draw.rng.choice(sorted(LOADED.items()))
    file.write_text(HEAD + text.replace("{code}", str(code)) + "\n")
    return Input(about, ("methods", "--plugin", "mine.py"), names=("mine.py", word))


def _listed(ended: Ended) -> str | None:
    return None if "mine" in ended.out else "the method is not listed"
