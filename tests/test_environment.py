"""environment.yml, the locks and pyproject.toml say the same thing."""

import re
import tomllib
from pathlib import Path

import pytest
import rattler
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
HEAVY = ["bench", "device", "import", "instructor", "site"]
LOCKS = [ROOT / "requirements.lock", *(ROOT / "locks" / f"{name}.lock" for name in HEAVY)]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
names = {"ids": lambda p: p.stem}


def pins(path: Path) -> list[tuple[Requirement, list[str]]]:
    """Each locked requirement with its hashes."""
    joined = path.read_text(encoding="utf-8").replace("\\\n", " ")
    rows = [re.split(r"\s+--hash=", line.strip()) for line in joined.splitlines() if line.strip()]
    return [(Requirement(first), hashes) for first, *hashes in rows]


def versions(path: Path) -> dict[str, list[str]]:
    """Locked name -> its versions (several where markers divide the Pythons)."""
    found: dict[str, list[str]] = {}
    for pin, _ in pins(path):
        (spec,) = pin.specifier
        found.setdefault(canonicalize_name(pin.name), []).append(spec.version)
    return found


# ---- locks


def test_every_heavy_extra_has_its_lock_and_no_other_lock_lies_about():
    assert sorted(set(EXTRAS) - {"course", "test"}) == HEAVY
    assert sorted((ROOT / "locks").iterdir()) == LOCKS[1:]


@pytest.mark.parametrize("path", LOCKS, **names)
def test_lock_pins_and_hashes_every_line_and_holds_no_address(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|^\s*#|^--", text, re.M)
    assert pins(path)
    for pin, hashes in pins(path):
        assert [s.operator for s in pin.specifier] == ["=="] and pin.url is None
        assert hashes and all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in hashes)


@pytest.mark.parametrize("path", LOCKS, **names)
def test_lock_holds_no_deep_learning_framework(path):
    assert not {"torch", "tensorflow", "jax", "numba"} & set(versions(path))


def agrees(requirements: list[str], path: Path) -> None:
    locked = versions(path)
    for requirement in map(Requirement, requirements):
        got = locked.get(canonicalize_name(requirement.name))
        assert got, f"{path.name} lacks {requirement.name}: make locks"
        assert all(requirement.specifier.contains(v) for v in got), (
            f"{requirement} is locked at {got}: make locks"
        )


def test_requirements_lock_satisfies_core_course_test_and_build():
    wanted = [*PROJECT["project"]["dependencies"], *EXTRAS["course"], *EXTRAS["test"]]
    agrees([*wanted, *PROJECT["build-system"]["requires"]], ROOT / "requirements.lock")


@pytest.mark.parametrize("name", HEAVY)
def test_extra_lock_satisfies_its_extra(name):
    agrees(EXTRAS[name], ROOT / "locks" / f"{name}.lock")


@pytest.mark.parametrize("name", [n for n in HEAVY if n != "site"])  # site has an environment of its own
def test_extra_installs_beside_the_course(name):
    base, extra = versions(ROOT / "requirements.lock"), versions(ROOT / "locks" / f"{name}.lock")
    assert {n: base[n] for n in extra if n in base} == {n: v for n, v in extra.items() if n in base}


def test_lock_is_universal():
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert all(marker in text for marker in ("sys_platform == 'win32'", "sys_platform == 'darwin'"))
    for minor in (11, 12, 13):
        env = {"python_version": f"3.{minor}", "python_full_version": f"3.{minor}.0"}
        numpy = [p for p, _ in pins(ROOT / "requirements.lock") if p.name == "numpy"]
        assert sum(p.marker is None or p.marker.evaluate(env) for p in numpy) == 1


# ---- environment.yml


def test_environment_file_is_the_lock_and_a_python():
    assert set(CONDA) == {"name", "channels", "dependencies"}
    assert CONDA["name"] == PROJECT["project"]["name"] and CONDA["channels"] == ["conda-forge"]
    *conda, last = CONDA["dependencies"]
    assert conda == ["python=3.11", "pip"] and last == {"pip": ["-r requirements.lock"]}


def test_conda_specs_parse_and_match_a_python_that_the_project_accepts():
    spec = rattler.MatchSpec(CONDA["dependencies"][0])
    assert spec.matches(record("python", "3.11.9")) and not spec.matches(record("python", "3.12.1"))
    assert rattler.MatchSpec(CONDA["dependencies"][1]).matches(record("pip", "26.3"))
    assert PROJECT["project"]["requires-python"] == ">=3.11"


def record(name: str, version: str) -> rattler.PackageRecord:
    return rattler.PackageRecord(
        name=name, version=version, build=rattler.BuildString("0"), build_number=0, subdir="linux-64"
    )
