"""What a popout token may carry: the table, more by name in the settings, and a mistake there stops the start."""

from pathlib import Path

import pytest

from lumio.access import permission
from lumio.access.policy import POPOUT_ADMITS
from lumio.popouts.admission import NAMEABLE, admitted
from lumio.popouts.pages import WORDS
from lumio.settings import SettingsError, load


def test_without_the_setting_it_is_the_table(tmp_path: Path) -> None:
    assert admitted(load({"LUMIO_DATA_DIR": str(tmp_path)}).popout_admits) == POPOUT_ADMITS


@pytest.mark.parametrize("text", ['"audit-log:read, extensions:deploy"', '["audit-log:read", "extensions:deploy"]'])
def test_the_file_names_more_as_one_text_or_as_a_list(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lumio.toml"
    path.write_text(f"popout_admits = {text}\n", "utf-8")
    found = admitted(load({"LUMIO_CONFIG": str(path)}).popout_admits)
    assert found == POPOUT_ADMITS | {"audit-log:read", "extensions:deploy"}


def test_the_variable_wins_over_the_file_and_empty_places_count_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lumio.toml"
    path.write_text('popout_admits = "audit-log:read"\n', "utf-8")
    settings = load({"LUMIO_CONFIG": str(path), "LUMIO_POPOUT_ADMITS": " account:read ,, "})
    assert settings.popout_admits == ("account:read",)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("extensions:fly", "there is no permission 'extensions:fly'"),
        ("extensions:*", "there is no permission"),
        ("api-keys:read:own", "there is no permission"),
        ("admin:access", "no right inside an account"),
        ("system-keys:create", "no right inside an account"),
        ("auth:introspect", "no right inside an account"),
    ],
)
def test_a_name_that_cannot_be_says_itself_and_the_reason(name: str, said: str) -> None:
    with pytest.raises(SettingsError, match="LUMIO_POPOUT_ADMITS") as caught:
        admitted(["audit-log:read", name])
    assert said in str(caught.value)


def test_everything_that_can_be_named_has_its_words_on_the_page() -> None:
    assert NAMEABLE | POPOUT_ADMITS == permission.ACCOUNT
    assert set(WORDS) == permission.ACCOUNT
