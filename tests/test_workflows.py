"""The workflows of the code host: valid, of official actions only, with few permissions, and of commands that exist."""

import re

import pytest
import yaml

from sentencing import paths

WORKFLOWS = sorted((paths.ROOT / ".github" / "workflows").glob("*.yml"))
# What a job may do beyond reading the repository, and why: publish pages, publish a release.
MAY_WRITE = {
    ("pages", "deploy"): {"pages": "write", "id-token": "write"},
    ("release", "release"): {"contents": "write"},
}


def read(path) -> dict:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["on"] = content.pop(True)  # YAML 1.1 reads the word as a truth value
    return content


def named(name: str):
    return next(path for path in WORKFLOWS if path.stem == name)


def steps(path) -> list[dict]:
    return [step for job in read(path)["jobs"].values() for step in job["steps"]]


def test_there_are_workflows_for_tests_pages_releases_and_new_packages():
    assert [path.stem for path in WORKFLOWS] == ["pages", "release", "tests", "weekly"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
class TestWorkflow:
    def test_has_a_name_a_reason_to_run_and_jobs_that_end(self, path):
        content = read(path)
        assert set(content) <= {"name", "on", "permissions", "concurrency", "jobs"} and content["name"]
        assert isinstance(content["on"], dict) and content["on"]
        for job in content["jobs"].values():
            assert job["runs-on"] == "ubuntu-latest" and 0 < job["timeout-minutes"] <= 90
            for needed in [job["needs"]] if "needs" in job else []:
                assert needed in content["jobs"]

    def test_permissions_are_the_least(self, path):
        content = read(path)
        assert content["permissions"] == {"contents": "read"}
        given = {(path.stem, name): job["permissions"] for name, job in content["jobs"].items() if "permissions" in job}
        assert given == {key: rights for key, rights in MAY_WRITE.items() if key[0] == path.stem}

    def test_uses_official_actions_at_a_major_version(self, path):
        used = [step["uses"] for step in steps(path) if "uses" in step]
        assert used and all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)

    def test_asks_for_no_secret_and_leaves_no_credentials_behind(self, path):
        assert "secrets" not in path.read_text(encoding="utf-8")
        for step in steps(path):
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False

    def test_no_text_from_outside_becomes_a_command(self, path):
        """What somebody else may choose, such as the name of a branch, must not be pasted into a script."""
        assert not any("${{" in step.get("run", "") for step in steps(path))

    def test_each_step_does_one_thing(self, path):
        assert all(("uses" in step) != ("run" in step) for step in steps(path))

    def test_commands_exist(self, path):
        makefile = (paths.ROOT / "Makefile").read_text(encoding="utf-8")
        targets = set(re.findall(r"^([a-z-]+):(?!=)", makefile, re.MULTILINE))
        for step in steps(path):
            for line in step.get("run", "").splitlines():
                words = line.split()
                if words and words[0] == "make":
                    assert {word for word in words[1:] if "=" not in word} <= targets, line
                if words and words[0].startswith((".", "./")):
                    assert (paths.ROOT / words[0]).stat().st_mode & 0o111, line

    def test_python_is_that_of_the_pins(self, path):
        asked = [step["with"]["python-version"] for step in steps(path) if "setup-python" in step.get("uses", "")]
        assert set(asked) == {"3.11"}


def test_site_that_is_deployed_is_the_one_that_make_builds():
    (given,) = (
        step["with"]["path"] for step in steps(named("pages")) if "upload-pages-artifact" in step.get("uses", "")
    )
    assert given == "build/site"
    commands = "\n".join(step.get("run", "") for step in steps(named("pages")))
    assert "make profiles" in commands


def test_packages_of_a_release_hold_what_is_there():
    packed = next(step["run"] for step in steps(named("release")) if "git archive" in step.get("run", ""))
    names = re.search(r"HEAD ([^\n]+)", packed)[1].split()
    assert {"data/processed", "results"} <= set(names) and all((paths.ROOT / name).exists() for name in names)


def test_tag_is_compared_with_the_version_that_is_cited():
    (compared,) = (
        step["run"]
        for step in steps(named("release"))
        if "CITATION.cff" in step.get("run", "") and "grep" in step["run"]
    )
    pattern = re.search(r'"(version: )\$\{GITHUB_REF_NAME#v\}"', compared)[1]
    lines = (paths.ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.fullmatch(rf"{pattern}\d+\.\d+\.\d+", line)]
