"""The example files of a fleet: what must be equal is equal, what must differ does, and every name is a setting."""

from lumio.settings import KNOWN, PREFIX, load
from tests.support.fleet import DEPLOY, documented

HOSTS = range(3)
OWN = {"LUMIO_NODE", "LUMIO_REGION"}


def test_hosts_differ_in_their_name_and_region_and_in_nothing_else() -> None:
    first, *others = [documented(place) for place in HOSTS]
    for other in others:
        assert {name for name in first if first[name] != other[name]} == OWN
        assert list(other) == list(first)


def test_every_name_is_a_setting_and_every_value_one_that_a_server_takes() -> None:
    for place in HOSTS:
        example = documented(place)
        assert {name.removeprefix(PREFIX) for name in example} <= KNOWN
        settings = load(example)
        assert settings.public_url.startswith("https://")
        assert settings.data_dir not in settings.journal_dir.parents


def test_nginx_knows_as_many_servers_as_there_are_examples() -> None:
    upstream = (DEPLOY / "lumio-upstream.conf").read_text("utf-8")
    assert upstream.count("max_fails=3 fail_timeout=2s;") == len(list(DEPLOY.glob("lumio-*.env"))) == len(HOSTS)
