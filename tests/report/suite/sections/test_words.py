"""What the sections say of a whole suite, of a part of one, and of one with failures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorap_bench.record import Status
from lorap_bench.report.document import Checks, Figure, Fold, Heading, Listing, Table, Words, walk
from lorap_bench.report.suite.sections import bits, costs, failures, gains, published, ranks, reproduce, tables, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lorap_bench.report.document import Section
    from lorap_bench.report.suite.entry import Entry
    from lorap_bench.report.suite.material import SuiteMaterial

    Make = Callable[..., Entry]
    MakeMaterial = Callable[..., SuiteMaterial]


def words(section: Section) -> str:
    return " ".join(block.text for block in walk(section.blocks) if isinstance(block, Words))


def table(section: Section, name: str) -> Table:
    found = [block.table if isinstance(block, Figure) else block for block in walk(section.blocks)]
    return next(block for block in found if isinstance(block, Table) and block.id == name)


def checks(section: Section) -> dict[str, tuple[str, str]]:
    (found,) = (block for block in section.blocks if isinstance(block, Checks))
    return {check.name: (check.state.value, check.text) for check in found.checks}


def some(make: Make, tests: Sequence[float | None] = (0.5, 0.6), **named: object) -> list[Entry]:
    return [make("Cora", "GCN", "QAT", prompt, tests, **named) for prompt in ("None", "LoRAP", "GPFPlus")]


def test_the_verdict_names_who_helps_and_who_costs(whole: SuiteMaterial) -> None:
    section = verdict.section(whole)
    text = words(section)
    assert "Of 36 cells **36 are done**." in text
    assert "each was trained 3 times" in text
    assert "**Over all schemes, LoRAP helps; GPFPlus hurts.**" in text
    assert "GPFPlus **-1.1 points** [-1.3, -0.9]" in text
    assert "LoRAP **+2.2 points** [+1.7, +2.7]" in text
    assert "(p by Holm for 2 prompts)" in text
    assert "Of 4 pairs of a scheme and a prompt, 4 have a gain or loss" in text
    assert "A2Q with LoRAP +2.2 points" in text
    assert checks(section) == {
        "Cells": ("good", "none is left"),
        "Failures": ("good", "none of 108 trainings failed"),
        "Repeats": ("note", "3 trainings a cell"),
        "Epochs": ("good", "0 of 108 trainings were best on validation in the last twentieth of their epochs"),
        "Learning": ("good", "every arm is within a factor of two of the best of its table"),
        "Tuning": ("note", "no cell was tuned: all arms have the settings of the suite’s file"),
        "Origin": ("good", "one commit, one set of versions, one device"),
    }


def test_the_verdict_of_one_set_speaks_of_no_other(make_entry: Make, make_material: MakeMaterial) -> None:
    text = words(verdict.section(make_material(*some(make_entry))))
    assert "On Cora, the one data set so far" in text
    assert "LoRAP +0.0 points" in text
    assert "**Whether that holds on other sets cannot be said.**" in text


def test_the_verdict_of_two_sets_shows_no_interval(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry(dataset, "GCN", "QAT", prompt, [level])
        for dataset, gain in (("Cora", 0.01), ("CiteSeer", 0.03))
        for prompt, level in (("None", 0.5), ("LoRAP", 0.5 + gain))
    ]
    text = words(verdict.section(make_material(*entries)))
    assert "± the standard deviation of the two: LoRAP **+2.0 points** ± 1.4." in text
    assert "**Two data sets are too few to tell a gain or a loss from chance.**" in text
    assert "Half of those" not in text  # a single pair has no interval


def test_the_verdict_counts_the_sets_that_have_every_prompt(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry(dataset, "GCN", "QAT", prompt, [0.5, 0.6, 0.7])
        for dataset, prompts in (("Cora", ("None", "LoRAP", "GPFPlus")), ("PROTEINS", ("None", "LoRAP")))
        for prompt in prompts
    ]
    material = make_material(*entries)
    assert "On Cora, the one data set with every prompt" in words(verdict.section(material))
    section = gains.section(material)
    assert "**With less than three data sets there is no test over sets**" in words(section)
    over = table(section, "gains-over-sets")
    assert {row[3:6] for row in over.rows} == {(None, None, None)}
    assert [row[2].n for row in over.rows] == [1, 1, 2, 1]


def test_the_verdict_of_errors_is_in_their_unit(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry(dataset, "GCN", "QAT", prompt, [level, level + gap], metric="mae")
        for dataset, gap in (("ZINC", 0.1), ("ZINC2", 0.2))
        for prompt, level in (("None", 0.5), ("LoRAP", 0.4))
    ]
    material = make_material(*entries)
    assert "LoRAP **+0.100**" in words(verdict.section(material))
    assert "must exceed 0.000" in words(verdict.section(material))
    section = gains.section(material)
    assert table(section, "gains-over-sets-mae").columns[2].kind == "difference"
    assert table(section, "gains-mae").columns[4].label == "Gain"


def test_each_metric_has_gains_of_its_own(make_entry: Make, make_material: MakeMaterial) -> None:
    zinc = [make_entry("ZINC", "GCN", "QAT", prompt, [0.5, 0.6], metric="mae") for prompt in ("None", "LoRAP")]
    section = gains.section(make_material(*some(make_entry), *zinc))
    headings = [block.text for block in section.blocks if isinstance(block, Heading)]
    assert headings == ["Sets measured by accuracy", "Sets measured by MAE"]
    assert len(table(section, "gains").rows) == 2
    assert len(table(section, "gains-mae").rows) == 1


def test_nothing_trained_says_so_everywhere(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(*some(make_entry, ()))
    assert "Of 3 cells **3 are left**." in words(verdict.section(material))
    assert "prompts have no verdict" in words(verdict.section(material))
    assert checks(verdict.section(material))["Epochs"] == ("note", "no training has ended")
    assert "No cell has been trained yet." in words(tables.section(material))
    assert "Nothing to compare" in words(gains.section(material))
    assert "Too little to rank: 0 blocks with all 3 arms" in words(ranks.section(material))
    assert "No scheme has a block" in words(ranks.section(material))
    assert "No cell has a test figure yet." in words(bits.section(material))
    assert "No cell has been trained yet." in words(costs.section(material))
    assert "No published figure is known" in words(published.section(material))
    assert "No training failed (0 ended)." in words(failures.section(material))
    folds = [block for block in failures.section(material).blocks if isinstance(block, Fold)]
    assert folds[0].summary == "Cells that are left (3)"
    assert folds[0].blocks == (Listing("Cora GCN QAT None\nCora GCN QAT LoRAP\nCora GCN QAT GPFPlus"),)
    assert "No cell was tuned" in words(reproduce.section(material))


def test_the_main_table_has_schemes_as_rows_and_prompts_as_columns(whole: SuiteMaterial) -> None:
    found = table(tables.section(whole), "main-cora-gcn")
    assert [column.label for column in found.columns] == ["Scheme", "No prompt", "GPFPlus", "LoRAP"]
    assert [row[0] for row in found.rows] == ["QAT", "A2Q"]
    assert [cell.standing.value for cell in found.rows[0][1:]] == ["", "", "best"]
    assert found.caption == "Test accuracy on Cora with GCN, in percent"


def test_groups_that_wait_are_named(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(*some(make_entry), make_entry("CiteSeer", "GIN", "QAT", "None"))
    assert "No cell has been trained yet of CiteSeer with GIN." in words(tables.section(material))
    cells = table(failures.section(material), "cells").rows
    assert cells == [("Cora", "GCN", 3, 0, 0, 0), ("CiteSeer", "GIN", 0, 0, 1, 0)]


def test_gains_over_sets_and_every_gain(whole: SuiteMaterial) -> None:
    section = gains.section(whole)
    assert [row[:2] for row in table(section, "gains-over-sets").rows][:2] == [
        ("all schemes", "GPFPlus"),
        ("all schemes", "LoRAP"),
    ]
    assert len(table(section, "gains").rows) == 24
    text = words(section)
    assert "**With 3 data sets these tests are weak**" in text
    assert "below six sets" in text
    assert "Of 24 gains within one data set and architecture, **12 are above 0 and 12 below**" in text


def test_gains_tell_of_single_pairs_and_lost_ones(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry("Cora", "GCN", "QAT", "None", [0.5, 0.6]),
        make_entry("Cora", "GCN", "QAT", "LoRAP", [0.5, None]),
    ]
    text = words(gains.section(make_material(*entries)))
    assert "**With less than three data sets there is no test over sets**" in text
    assert "1 is of a single pair, which no test can judge." in text
    assert "In 1 some trainings have no partner or failed" in text


def test_ranks_of_a_whole_suite(whole: SuiteMaterial) -> None:
    section = ranks.section(whole)
    figure = next(block for block in section.blocks if isinstance(block, Figure))
    assert figure.table.rows[0][0] in {"QAT, LoRAP", "A2Q, LoRAP"}
    assert "n = 6 blocks" in words(section)
    assert "**with 6 blocks the test is weak**" in words(section)
    prompt_ranks = table(section, "prompt-ranks")
    assert prompt_ranks.rows[0][:5] == ("QAT", 2.0, 3.0, 1.0, 6)
    assert [column.label for column in prompt_ranks.columns][1:4] == ["No prompt", "GPFPlus", "LoRAP"]


def test_ranks_of_few_blocks_say_that_nothing_can_be_told(make_entry: Make, make_material: MakeMaterial) -> None:
    prompts = ("None", "LoRAP", "GPFPlus")
    entries = [
        make_entry(dataset, "GCN", "QAT", prompt, [0.5 + 0.01 * place])
        for dataset in ("Cora", "CiteSeer")
        for place, prompt in enumerate(prompts)
    ]
    entries += [make_entry("PubMed", "GCN", "QAT", "None", [None]), make_entry("PubMed", "GCN", "QAT", "LoRAP", [0.5])]
    text = words(ranks.section(make_material(*entries)))
    assert "**No two arms could be told apart with so few blocks**" in text
    assert "Left out, because not all arms are whole there: PubMed with GCN (1 failed, 1 skipped)." in text


def test_many_blocks_are_not_called_weak(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry(f"set{number}", "GCN", "QAT", prompt, [0.5 + 0.01 * place])
        for number in range(60)
        for place, prompt in enumerate(("None", "LoRAP", "GPFPlus"))
    ]
    assert "weak" not in words(ranks.section(make_material(*entries)))


def test_the_front_has_no_arm_with_a_failure(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [
        make_entry("Cora", "GCN", "QAT", "None", [0.5], bits=4.0),
        make_entry("Cora", "GCN", "QAT", "LoRAP", [0.4], bits=5.0),
        make_entry("Cora", "GCN", "A2Q", "None", [0.9, None], bits=2.0),
        make_entry("Cora", "GIN", "A2Q", "None", [0.6], bits=4.5),
    ]
    material = make_material(*entries)
    rows = table(bits.section(material), "bits-cora-table").rows
    assert [(row[1], row[2], row[5]) for row in rows] == [
        ("A2Q", "None", "no"),
        ("QAT", "None", "yes"),
        ("A2Q", "None", "yes"),
        ("QAT", "LoRAP", "no"),
    ]
    (figure,) = (block for block in walk(bits.section(material).blocks) if isinstance(block, Figure))
    marks = next(trace for trace in figure.plot.data if trace.name == "A2Q" and trace.showlegend is False)
    assert tuple(marks.marker.symbol) == ("circle-open", "circle")


def test_a_set_whose_arms_all_failed_in_part_has_no_front(make_entry: Make, make_material: MakeMaterial) -> None:
    (figure,) = (
        block
        for block in walk(bits.section(make_material(*some(make_entry, (0.5, None)))).blocks)
        if isinstance(block, Figure)
    )
    assert "0 on the front" in figure.label
    assert "front" not in {trace.name for trace in figure.plot.data}


def test_costs_are_ratios_to_no_prompt(whole: SuiteMaterial) -> None:
    rows = {row[:2]: row[2:] for row in table(costs.section(whole), "costs").rows}
    assert rows["QAT", "LoRAP"] == (4.0, None, 4.0, 10.0, 1.5, 1.0, 1.0)
    assert rows["A2Q", "None"] == (3.0, None, 3.0, 0.0, 1.0, 1.0, 1.0)
    own = table(costs.section(whole), "costs-cora").rows
    assert own[0] == ("GCN", "QAT", "None", 4.0, None, 4.0, 0.0, 2.0, 1.0, 2.0)


def test_costs_wait_until_all_arms_are_over_the_same_sets(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(*some(make_entry), make_entry("Cora", "GCN", "A2Q", "None"))
    assert "Nowhere have all arms been trained yet" in words(costs.section(material))
    alone = [make_entry("Cora", "GCN", "QAT", prompt, [0.5]) for prompt in ("LoRAP", "GPFPlus")]
    rows = table(costs.section(make_material(*alone)), "costs").rows
    assert rows[0][-3:] == (None, None, None)  # nothing without a prompt to compare with


def test_every_failed_training_is_listed_without_a_path(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(
        make_entry("Cora", "GCN", "QAT", "None", [0.5, None], status=Status.OUT_OF_MEMORY),
        make_entry("Cora", "GCN", "QAT", "LoRAP", skipped="there are no bits to win back"),
        make_entry("Cora", "GIN", "QAT", "LoRAP", skipped="there are no bits to win back"),
    )
    section = failures.section(material)
    assert "**1 training in 1 cell did not end well.**" in words(section)
    assert table(section, "failures").rows == [
        ("Cora GCN QAT None", 1, 0, 100, "out of memory", "out_of_memory at …/x.pt")
    ]
    assert table(section, "skipped").rows == [
        (2, "Cora GCN QAT LoRAP; Cora GIN QAT LoRAP", "there are no bits to win back")
    ]
    found = checks(verdict.section(material))
    assert found["Failures"] == ("warn", "1 of 2 trainings failed; their cells are marked")
    assert found["Cells"] == ("good", "none is left, 2 are skipped with a reason")
    assert found["Repeats"][0] == "warn"


def test_a_test_figure_that_is_no_number_is_a_failure(make_entry: Make, make_material: MakeMaterial) -> None:
    section = failures.section(make_material(make_entry("Cora", "GCN", "QAT", "None", [float("nan")])))
    assert table(section, "failures").rows[0][4:] == ("no test figure", None)


def test_published_figures_that_fit_a_cell(make_entry: Make, make_material: MakeMaterial) -> None:
    material = make_material(make_entry("Cora", "GCN", "QAT", "None", [0.79, 0.80, 0.79]))
    section = published.section(material)
    rows = table(section, "beside-published").rows
    assert {row[2:6] for row in rows} == {("Cora", "GCN", "QAT", "None")}
    reproduced = [row for row in rows if row[0] == "reproduced"]
    assert reproduced[0][6] == 4.0  # QAT at 4 bits: 79.2 ± 1.1
    assert all(row[11] is None for row in rows if row[0] == "not comparable")
    assert "more on these data sets with these architectures" in words(section)
    assert "`--unverified` shows them" in words(section)
    assert len(table(section, "published-sources").rows) == len(rows)


def test_unverified_figures_come_only_when_asked_for(make_entry: Make, make_material: MakeMaterial) -> None:
    entry = make_entry("Cora", "GCN", "QAT", "None", [0.79, None])
    few, many = (
        table(published.section(make_material(entry, unverified=choice)), "beside-published").rows
        for choice in (False, True)
    )
    assert len(many) > len(few)
    assert all("ours: 1 of 2 failed: diverged" in row[-1] for row in many)
    text = words(published.section(make_material(entry, unverified=True)))
    assert "written down from memory" in text


def test_published_errors_are_compared_in_their_unit(make_entry: Make, make_material: MakeMaterial) -> None:
    entry = make_entry("ZINC", "GIN", "QAT", "None", [0.5, 0.52], metric="mae")
    section = published.section(make_material(entry, unverified=True))
    found = table(section, "beside-published-mae")
    assert {column.label for column in found.columns} >= {"Theirs", "Ours", "Difference"}


def test_arms_that_hardly_learned_are_told(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = [make_entry("Cora", "GCN", "QAT", prompt, [level]) for prompt, level in (("None", 0.8), ("LoRAP", 0.39))]
    entries += [
        make_entry("ZINC", "GCN", scheme, "None", [level], metric="mae")
        for scheme, level in (("QAT", 0.4), ("A2Q", 0.79), ("MixQ", 0.81), ("FP32", 2.0), ("DegreeQuant", 3.0))
    ]
    state, text = checks(verdict.section(make_material(*entries)))["Learning"]
    assert state == "warn"
    told = "Cora with GCN: QAT, LoRAP; ZINC with GCN: MixQ, no prompt; ZINC with GCN: FP32, no prompt and 1 more"
    assert f"not within a factor of two of the best of their table: {told};" in text


def test_commands_name_the_folder_where_it_may_be_told(make_entry: Make, make_material: MakeMaterial) -> None:
    def lines(folder: str) -> tuple[str, ...]:
        section = reproduce.section(make_material(*some(make_entry), folder=folder))
        return next(block.lines for block in section.blocks if hasattr(block, "lines"))

    assert lines("reports/made-up") == (
        "lorap-bench suite made-up.toml --runs reports",
        "lorap-bench verify reports/made-up",
        "lorap-bench report reports/made-up",
    )
    assert lines("made-up") == lines("runs/made-up")
    assert lines("runs/made-up")[0] == "lorap-bench suite made-up.toml"


def test_tuned_cells_show_their_budget(make_entry: Make, make_material: MakeMaterial) -> None:
    tuning = {"trials": 30, "params": {"optim.lr": 0.02, "prompt.count": 4}, "val": 0.81}
    entries = some(make_entry, (0.5, 0.6), tuning=tuning)
    section = reproduce.section(make_material(*entries))
    assert "3 of 3 trained cells were tuned on validation with 30 trials each" in words(section)
    assert table(section, "tuning").rows[0] == ("Cora GCN QAT None", 30, 0.81, "optim.lr = 0.02, prompt.count = 4")
    assert checks(verdict.section(make_material(*entries)))["Tuning"] == (
        "good",
        "every cell was tuned with 30 trials",
    )
    assert "unless a cell was tuned" in words(gains.section(make_material(*entries)))
    assert "unless a cell was tuned" not in words(gains.section(make_material(*some(make_entry))))
    more = make_entry("Cora", "GIN", "QAT", "None", [0.5], tuning={"trials": 40})
    uneven = make_material(*entries, more)
    assert "**unequal budgets**: 30 and 40 trials" in words(reproduce.section(uneven))
    assert checks(verdict.section(uneven))["Tuning"][0] == "warn"


def test_trainings_that_ended_early_and_mixed_origins_are_told(make_entry: Make, make_material: MakeMaterial) -> None:
    entries = some(make_entry, (0.5,) * 6)
    for place, entry in enumerate(entries):
        (record,) = entry.records
        record.provenance["commit"] = f"c{place}+"
        for member in record.members:
            object.__setattr__(member, "best_epoch", 99)
    found = checks(verdict.section(make_material(*entries)))
    assert found["Epochs"][0] == "warn"
    assert found["Epochs"][1].endswith("in the last twentieth of their epochs: more may help them")
    told = "more than one value: 3 of Commit; a commit had changes that were not committed"
    assert found["Origin"] == ("note", told)
    assert found["Repeats"][0] == "good"
    bare = make_entry("Cora", "GCN", "QAT", "None")
    assert checks(verdict.section(make_material(*entries[:2], bare)))["Cells"][0] == "warn"
