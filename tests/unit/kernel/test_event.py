"""Events: what comes from outside fits into its column, whatever it is."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumio.kernel.event import AGENT_LIMIT, LABEL_LIMIT, SYSTEM, Actor, Event, Origin
from lumio.storage.events import events


@given(st.text(), st.text())
def test_labels_and_agents_are_cut_and_hold_no_nul(label: str, agent: str) -> None:
    row = Event("a.b", "success", Actor("user", label=label * 50), Origin(user_agent=agent * 50)).row("node")
    assert "\0" not in row["actor_label"]
    assert "\0" not in (row["user_agent"] or "")
    assert len(row["actor_label"]) <= 2 * LABEL_LIMIT
    assert len(row["user_agent"] or "") <= 2 * AGENT_LIMIT


def test_a_row_has_every_column_of_the_journal_and_no_other() -> None:
    assert set(Event("a.b", "success", SYSTEM, Origin()).row("node")) == {column.name for column in events.columns}


def test_a_failure_keeps_the_fact_and_adds_its_reason() -> None:
    event = Event("a.b", "success", SYSTEM, Origin(), detail={"label": "x"})
    failed = event.failed("wrong_secret")
    assert failed.result == "failure"
    assert json.loads(failed.row("node")["detail"]) == {"label": "x", "reason": "wrong_secret"}
    assert (failed.id, failed.ts) == (event.id, event.ts)


def test_an_event_cannot_be_changed_after_the_fact() -> None:
    event = Event("a.b", "success", SYSTEM, Origin())
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.result = "failure"  # type: ignore[misc]
