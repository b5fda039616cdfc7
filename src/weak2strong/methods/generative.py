"""Generative finetuning: the student reads the task's texts before it sees a label."""

from __future__ import annotations

from weak2strong.methods.decorators import method
from weak2strong.methods.method import EVERY_KIND, Context


@method(
    "generative",
    "the student first reads the task's texts, without labels",
    "Burns et al. 2023, section 5.2.2",
    prepares=True,
    reads=True,
    needs=("decoder", "trunk"),
    kinds=EVERY_KIND,
    uses=("student",),
    changes=("student",),
)
def generative(context: Context, *, epochs: int = 1) -> Context:
    """The student is finetuned as a language model on the texts of ``strong_train``.

    Burns et al. 2023, section 5.2.2. No label is used. The method after it starts from that
    student, whether it finetunes, probes or prompts.
    """
    return context.after_reading(epochs)
