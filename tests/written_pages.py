"""The pages of the documentation as tests read them: their texts, links and commands."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "llms.txt")]
TEXTS = {path: path.read_text() for path in (*PAGES, *OTHERS)}


def prose(text):
    """A page without its code."""
    text = re.sub(r"^(```+|~~~+).*?^\1", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", "code", text)


def anchors(text):
    """What links may lead to within a page, as GitHub and MyST make it of headings."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    found = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return found | set(re.findall(r'<a id="([^"]+)">', text))


def broken_links(path, text):
    """The links of a page that lead nowhere."""
    links = re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", prose(text))
    broken = []
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


def commands(text, languages=("console", "sh", "bash")):
    """The command lines `w2s` in blocks of a page, whose lines may go on."""
    blocks = re.findall(rf"^```({'|'.join(languages)})\n(.*?)^```", text, flags=re.M | re.S)
    for _, block in blocks:
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            while words and re.match(r"\w+=", words[0]):
                del words[0]
            # What a shell does with the command is no part of it.
            ends = [i for i, word in enumerate(words) if word in ("|", ">", "&")]
            if words[:1] == ["w2s"]:
                yield words[1 : min(ends, default=len(words))]
