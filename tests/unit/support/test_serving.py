"""The server of the tests is ready when the block begins, and gone when it ends."""

from pathlib import Path

import httpx2
import pytest

from tests.support.serving import LiveServer, live_server, living


@pytest.mark.slow
def test_a_live_server_answers_survives_a_kill_and_leaves_nothing_running(tmp_path: Path) -> None:
    with live_server({"LUMIO_DATA_DIR": str(tmp_path)}) as server:
        code = server.set_up_code
        assert code.startswith("lm_set_")
        assert server.set_up_link == f"{server.base_url}/setup/{code}"
        with server.client() as client:
            assert client.get("/healthz").json() == {"status": "ok"}
            assert client.get("/v1/users/me").status_code == 401
        first = server.leader
        server.kill()
        assert living(first) == []
        with server.client() as client, pytest.raises(httpx2.TransportError):
            client.get("/healthz")
        server.start()
        second = server.leader
    assert living(second) == []


def test_a_server_that_cannot_start_is_told_in_its_own_words(tmp_path: Path) -> None:
    settings = {"LUMIO_DATA_DIR": str(tmp_path), "LUMIO_PUBLIC_URL": "http://lumio.example"}
    with pytest.raises(RuntimeError, match="LUMIO_PUBLIC_URL must use https"), live_server(settings):
        pass


def test_no_setting_of_the_caller_reaches_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMIO_PUBLIC_URL", "https://somewhere.example")
    server = LiveServer({"LUMIO_DATA_DIR": str(tmp_path)})
    assert server.environment["LUMIO_DATA_DIR"] == str(tmp_path)
    assert "LUMIO_PUBLIC_URL" not in server.environment
