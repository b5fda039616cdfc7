"""What a file does not say plainly is not guessed: labels, preferences, and what packs it."""

import bz2
import gzip
import lzma

import pytest

from weak2strong.config.data import DataOptions
from weak2strong.ground.errors import UserError
from weak2strong.tasks.files import file_task


def task_of(tmp_path, header, lines, **options):
    """The task of a file that has these lines ten times, with another ``#`` in each."""
    path = tmp_path / "d.csv"
    whole = [line.replace("#", str(i)) for i in range(10) for line in lines]
    path.write_text("\n".join([header, *whole]) + "\n")
    return file_task(path, DataOptions(near_duplicates=False, **options))


def preferred(task):
    return {row.completions[row.label].split()[0] for row in task.rows}


@pytest.mark.parametrize("label", ["0", "1", "2"])
def test_j_is_better_than_k_whatever_a_column_label_says(tmp_path, label):
    header = "prompt,response_j,response_k,label"
    task = task_of(tmp_path, header, [f"P #,good #,bad #,{label}"])
    assert preferred(task) == {"good"}
    assert task.accounts[0].sentences()[-1] == (
        "Not read, though it could be the preference by its name: label; say --preference-column "
        "where it is meant."
    )


def test_a_plain_name_says_that_k_is_better(tmp_path):
    lines = ["P #,bad #,good #,k", "Q #,good #,bad #,j"]
    assert preferred(task_of(tmp_path, "prompt,response_j,response_k,winner", lines)) == {"good"}
    lines = ["P #,bad #,good #,1", "Q #,good #,bad #,0"]
    options = {"preference_column": "label"}
    task = task_of(tmp_path, "prompt,response_j,response_k,label", lines, **options)
    assert preferred(task) == {"good"}


@pytest.mark.parametrize("sides", ["01", "12", "ab", "jk"])
@pytest.mark.parametrize("ending", ["", ".0"])
def test_a_preference_of_1_in_every_row_is_refused(tmp_path, sides, ending):
    header = f"prompt,response_{sides[0]},response_{sides[1]},preference"
    sentence = rf"1 in every row of .*response_{sides[0]}.*from 1.*response_{sides[1]}.*from 0"
    with pytest.raises(UserError, match=sentence):
        task_of(tmp_path, header, [f"P #,one #,other #,1{ending}", "Q #,x #,y #,tie"])


@pytest.mark.parametrize("sides", ["01", "12", "ab"])
@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2)])
def test_two_numbers_tell_from_where_they_count(tmp_path, sides, first, second):
    header = f"prompt,response_{sides[0]},response_{sides[1]},preference"
    lines = [f"P #,good #,bad #,{first}", f"Q #,bad #,good #,{second}"]
    assert preferred(task_of(tmp_path, header, lines)) == {"good"}


@pytest.mark.parametrize("value", ["response_1", "first", "-1"])
def test_one_value_that_is_plain_is_read(tmp_path, value):
    header = "prompt,response_1,response_2,preference"
    assert preferred(task_of(tmp_path, header, [f"P #,good #,bad #,{value}"])) == {"good"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"template": "{text} {label}"}, r"\{label\} in --template puts the answer into the text"),
        ({"text_column": ("text", "label")}, "text and label cannot both be in column 'label'"),
        ({"text_column": ("text", "text")}, "--text-column has column 'text' twice"),
        ({"prompt_column": ("text", "text")}, "--prompt-column has column 'text' twice"),
        ({"group_column": "label"}, "--group-column label would keep all rows of one answer"),
    ],
)
def test_a_column_with_two_roles_is_refused(tmp_path, options, sentence):
    with pytest.raises(UserError, match=sentence):
        task_of(tmp_path, "text,label", ["A #,0", "B #,1"], **options)


def test_a_template_with_the_completion_or_the_target_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"\{chosen\} in --template puts the answer"):
        task_of(tmp_path, "prompt,chosen,rejected", ["P #,a,b"], template="{prompt} {chosen}")
    with pytest.raises(UserError, match=r"\{target\} in --template puts the answer"):
        task_of(tmp_path, "prompt,target", ["P #,a"], template="{prompt} {target}")


def test_a_class_that_others_contradict_says_so(tmp_path):
    lines = ["A #,0", "A #,1", "B #,1"]
    sentence = (
        "Of class '0' of .*, 10 rows were left out since other rows have the same "
        "content and another label, and 0 are left"
    )
    with pytest.raises(UserError, match=sentence):
        task_of(tmp_path, "text,label", lines)
    with pytest.raises(UserError, match=r"Class '0' .* too few different examples \(1\)"):
        task_of(tmp_path, "text,label", ["A,0", "B #,1"])


def test_only_columns_of_text_are_called_text(tmp_path):
    lines = ["#,A #,0,1.5,a", "#,B #,1,-2e3,b"]
    (account,) = task_of(tmp_path, ",text,label,score,source", lines).accounts
    assert account.unread == ("source",)
    (account,) = task_of(tmp_path, ",text,label", ["x #,A #,0", "y #,B #,1"]).accounts
    assert "there is text in it: a column without a name; name" in account.sentences()[1]


def test_another_column_that_could_be_the_label_is_named(tmp_path):
    (account,) = task_of(tmp_path, "text,label,labels", ["A #,0,1", "B #,1,0"]).accounts
    assert account.read["class"] == ("label",)
    assert account.sentences()[-1] == (
        "Not read, though it could be the label by its name: labels; say --label-column where it "
        "is meant."
    )


@pytest.mark.parametrize(
    ("pack", "what", "end"),
    [(gzip.compress, "gzip", "gz"), (bz2.compress, "bzip2", "bz2"), (lzma.compress, "xz", "xz")],
)
def test_a_packed_file_whose_name_does_not_say_so(tmp_path, pack, what, end):
    path = tmp_path / "d.csv"
    path.write_bytes(pack(b"text,label\na,0\n"))
    with pytest.raises(UserError, match=rf"is compressed by {what}, .*: call it d\.csv\.{end}"):
        file_task(path, DataOptions())


def test_a_preference_against_the_scores_is_told(tmp_path):
    header = "prompt,response_0,response_1,preference,score_0,score_1"
    lines = ["P #,good #,bad #,0,1,3", "Q #,bad #,good #,1,2,2.5", "R #,a #,b #,1,2,2"]
    task = task_of(tmp_path, header, lines)
    assert preferred(task) == {"good", "b"}
    assert (
        "In 10 of 30 rows, column 'preference' prefers the completion that is lower by 'score_0' "
        f"and 'score_1' (first: {tmp_path / 'd.csv'}, row 1): the column counts; check which one "
        "is right."
    ) in task.accounts[0].sentences()
    agreed = task_of(tmp_path, header, ["P #,good #,bad #,0,4,3", "Q #,bad #,good #,1,2,2.5"])
    assert not any("prefers the completion" in said for said in agreed.accounts[0].sentences())
