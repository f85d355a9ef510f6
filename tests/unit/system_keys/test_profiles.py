"""Profiles: five are built in, more come from the settings file, and a mistake there stops the start."""

from pathlib import Path

import pytest

from lumio.access import permission
from lumio.kernel.errors import Invalid
from lumio.settings import SettingsError, load
from lumio.system_keys.profiles import BUILT_IN, Profiles


def _file(folder: Path, text: str) -> dict[str, str]:
    path = folder / "lumio.toml"
    path.write_text(text, "utf-8")
    return {"LUMIO_CONFIG": str(path)}


def test_every_built_in_permission_exists() -> None:
    assert set().union(*BUILT_IN.values()) <= permission.ALL


def test_the_default_is_service() -> None:
    assert [one.name for one in Profiles({}).all() if one.default] == ["service"]


def test_a_profile_of_the_file_stands_beside_the_built_in_ones(tmp_path: Path) -> None:
    settings = load(
        _file(tmp_path, 'node = "n1"\n[profiles]\nkick-worker = ["members:read", "auth:introspect"]\nbare = []\n')
    )
    assert settings.node == "n1"
    found = Profiles(settings.profiles)
    assert found.permissions("kick-worker") == ["auth:introspect", "members:read"]
    assert found.permissions("bare") == []
    assert [one.name for one in found.all()] == [*BUILT_IN, "kick-worker", "bare"]


@pytest.mark.parametrize(
    "text",
    ['profiles = "service"', '[profiles]\na = "auth:introspect"', "[profiles]\na = [1]", "[profiles.a]\nb = []"],
)
def test_a_table_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="profiles"):
        load(_file(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "permissions", "said"),
    [
        ("service", ["auth:introspect"], "built in"),
        ("Kick", [], "lower-case"),
        ("", [], "lower-case"),
        ("x" * 41, [], "40 at most"),
        ("kick", ["extensions:*"], "no permission"),
        ("kick", ["extensions:fly"], "no permission"),
        ("kick", ["api-keys:read:own"], "no permission"),
        ("kick", ["admin:access"], "persons only"),
    ],
)
def test_a_profile_that_cannot_be_names_itself_and_the_reason(name: str, permissions: list[str], said: str) -> None:
    with pytest.raises(SettingsError, match=rf"profiles\.{name}: .*{said}"):
        Profiles({name: permissions})


def test_an_unknown_profile_is_bad_input_that_names_the_choices() -> None:
    with pytest.raises(Invalid) as refused:
        Profiles({}).permissions("root")
    assert refused.value.fields[0].field == "profile"
    assert "introspector" in refused.value.fields[0].message
