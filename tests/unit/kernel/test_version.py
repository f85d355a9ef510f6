"""The version that both command lines name."""

from importlib.metadata import version

from lumio.kernel.version import VERSION


def test_the_version_is_the_one_of_the_installed_package() -> None:
    assert version("lumio") == VERSION
