"""The pages of all countries: what is run, what is kept, and what goes on when one fails."""

import json

import pytest
import yaml
from conftest import write_notebook

from sentencing import countries, fanout, paths, schemas, tables

HEADS = {name: "iso3,n\n" for name in countries.TABLES}
ROWS = {"in_justice": "SRB,1\nHRV,2\n", "in_custody": "HRV,3\n"}


@pytest.fixture
def parameters(tmp_path) -> dict:
    """Parameters of the notebook, with small tables in place of the real ones."""
    given = {"country": "SRB", "first_year": 2010, "out_values": "build/values.json", "raw_dir": str(tmp_path / "raw"),
             "corrections_file": str(tmp_path / "corrections.yml")}  # fmt: skip
    (tmp_path / "raw").mkdir()
    (tmp_path / "corrections.yml").write_text("[]\n", encoding="utf-8")
    for name, head in {**HEADS, "in_coverage": "iso3,n\nDEU,1\n"}.items():
        place = tmp_path / f"{name}.csv"
        place.write_text(head + ROWS.get(name, ""), encoding="utf-8")
        given[name] = str(place)
    return given


@pytest.fixture
def command(parameters, tmp_path, monkeypatch):
    """Runs the command with work that only says what it was asked; a list of the countries that were done."""
    file, done = tmp_path / "parameters.yml", []
    file.write_text(yaml.safe_dump(parameters), encoding="utf-8")

    def work(notebook, parameters, executed):
        done.append(parameters["country"])
        if parameters["country"] == "BIH":
            raise ValueError("cell 3: no such thing")
        return {executed: json.dumps(parameters).encode(), parameters["out_values"]: b"{}"}

    monkeypatch.setattr(countries.notebooks, "run_apart", work)

    def run(*arguments):
        done.clear()
        return countries.main(["--parameters", str(file), "--to", str(tmp_path / "pages"), *arguments]), list(done)

    return run


def test_countries_with_data_are_those_of_the_five_tables_and_not_of_grids(parameters):
    assert countries.with_data(parameters) == ["HRV", "SRB"]


def test_task_is_the_notebook_with_its_parameters_but_for_country_and_output(parameters):
    task, _ = countries.tasks(parameters, ["MKD", "HRV"])
    assert task.name == "MKD" and task.arguments["executed"] == "MKD.ipynb"
    changed = {k for k, v in task.arguments["parameters"].items() if parameters[k] != v}
    assert changed == {"country", "out_values"} and task.arguments["parameters"]["country"] == "MKD"
    assert task.arguments["parameters"]["out_values"] == "values/MKD.json"
    assert paths.resolve(task.arguments["notebook"]).exists() and parameters["country"] == "SRB"


def test_codes_that_are_of_no_country_are_all_named(parameters):
    with pytest.raises(ValueError, match="no country has the code XXZ, mkd;"):
        countries.tasks(parameters, ["MKD", "XXZ", "mkd"])


def test_pages_rest_on_the_raw_tables_corrections_notebook_and_every_table_read(parameters, tmp_path):
    place = countries.kept(tmp_path / "pages", parameters)
    read = {value for name, value in parameters.items() if name.startswith("in_")}
    assert set(place.needs) == read | {
        parameters["raw_dir"], parameters["corrections_file"], "notebooks/country-profile.ipynb"
    }  # fmt: skip


def test_every_country_with_data_gets_its_page_and_values(command, tmp_path, capsys):
    assert command() == (0, ["HRV", "SRB"])
    assert "0 of 2 up to date" in capsys.readouterr().out
    assert json.loads((tmp_path / "pages/HRV.ipynb").read_text(encoding="utf-8"))["country"] == "HRV"
    assert (tmp_path / "pages/values/SRB.json").read_bytes() == b"{}"


def test_second_run_does_only_what_is_missing_or_was_changed(command, tmp_path):
    command()
    assert command() == (0, [])
    (tmp_path / "pages/HRV.ipynb").unlink()
    (tmp_path / "pages/values/SRB.json").write_bytes(b"{ }")
    assert command() == (0, ["HRV", "SRB"])
    assert command("--countries", "mkd,srb") == (0, ["MKD"])


@pytest.mark.parametrize("changed", ["in_justice.csv", "in_coverage.csv", "corrections.yml", "raw/new.csv"])
def test_all_is_done_anew_when_an_input_changed(command, tmp_path, changed):
    command()
    with (tmp_path / changed).open("a", encoding="utf-8") as file:
        file.write("SRB,5\n")
    assert command() == (0, ["HRV", "SRB"])


def test_country_that_fails_stops_no_other_and_is_told(command, tmp_path, capsys):
    assert command("--countries", "BIH,SRB") == (1, ["BIH", "SRB"])
    assert "BIH: ValueError: cell 3: no such thing" in capsys.readouterr().err
    assert (tmp_path / "pages/SRB.ipynb").exists() and not (tmp_path / "pages/BIH.ipynb").exists()


def test_unknown_country_ends_the_command_before_any_is_done(command, capsys):
    assert command("--countries", "SRB,XXZ") == (1, [])
    assert "XXZ" in capsys.readouterr().err


def test_missing_parameters_are_told(tmp_path, capsys):
    assert countries.main(["--parameters", str(tmp_path / "none.yml"), "--to", str(tmp_path)]) == 1
    assert "none.yml" in capsys.readouterr().err


def test_pages_are_current_until_something_they_rest_on_changes(command, parameters, tmp_path):
    folder = tmp_path / "pages"
    assert countries.current(folder, parameters) == ([], [])
    command("--countries", "MKD,HRV")
    assert countries.current(folder, parameters) == (["HRV", "MKD"], [])
    (folder / "MKD.ipynb").write_text("other", encoding="utf-8")
    assert countries.current(folder, parameters) == (["HRV"], ["MKD"])
    assert countries.current(folder, parameters | {"first_year": 2011}) == ([], ["HRV", "MKD"])


@pytest.mark.build
def test_page_of_a_small_notebook_is_run_with_its_country(parameters, tmp_path, monkeypatch):
    source = "from sentencing import tables\nvalues = tables.Values('p', {})\nvalues.add('c', country, 'name', 'it')"
    given = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    notebook = write_notebook(tmp_path / "country-profile.ipynb", given, source, "values.write(out_values)")
    task = countries.tasks(parameters, ["MKD"])[0]
    place, arguments = countries.kept(tmp_path / "pages", parameters), task.arguments | {"notebook": str(notebook)}
    failures = fanout.run(countries.notebooks.run_apart, [fanout.Task("MKD", arguments)], place.write, needs=())
    values = json.loads((tmp_path / "pages/values/MKD.json").read_text(encoding="utf-8"))["values"]
    assert failures == [] and values["c"]["value"] == "MKD" and (tmp_path / "pages/MKD.ipynb").exists()


def test_tables_of_the_command_are_parameters_of_the_notebook():
    defaults = countries.notebooks.declared_parameters(paths.resolve(f"notebooks/{countries.NOTEBOOK}.ipynb"))
    codes = countries.with_data(defaults)
    assert "SRB" in codes and set(codes) <= set(schemas.COUNTRIES)
    assert set(codes) >= set(tables.read_csv(defaults["in_custody"])["iso3"])
