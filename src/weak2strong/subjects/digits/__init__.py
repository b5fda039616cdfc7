"""Handwritten digits, and the builder of two networks that have seen other writing."""

from weak2strong.ground.rooms import COMMANDS
from weak2strong.tasks import TASKS

_HERE = "weak2strong.subjects.digits"

TASKS.enter({"digits": f"{_HERE}.task:DIGITS"})
COMMANDS.enter({"digits": f"{_HERE}.commands:BuildDigits"})
