"""The judge of promise R: every breach is found, and what is only possible is none."""

from dataclasses import replace

import pytest

from tests.support.observer import Seen
from tests.support.verdict import DELIVERY_SECONDS, Revocation, Verdict, judge, untouched

BOUND = 2.0
REVOCATION = Revocation("key", earliest=100.0, latest=100.1, effective_at=103.0)
GOOD = Seen("key", "n1", sent=99.0, received=99.1, status=200)


def found(*seen: Seen, refusal: int = 401) -> Verdict:
    return judge(seen, REVOCATION, BOUND, refusal)


def test_a_promise_that_was_kept_has_no_breach_and_its_window_ends_with_the_last_request_that_was_accepted() -> None:
    late = replace(GOOD, sent=100.6, received=100.7)
    refused = Seen("key", "n1", 100.8, 100.9, 401)
    silent = [Seen("key", "n2", 100.8, 101.0, 503), Seen("key", "n2", 100.8, 101.0, 0)]
    verdict = found(GOOD, late, refused, *silent)
    assert verdict.breaches == {}
    assert verdict.window == pytest.approx(0.6)
    assert verdict.counts == {("n1", 200): 2, ("n1", 401): 1, ("n2", 503): 1, ("n2", 0): 1}


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(GOOD, sent=102.1, received=102.2), "(a)"),
        (replace(GOOD, received=102.1 + DELIVERY_SECONDS), "(c)"),
        (replace(GOOD, sent=103.0, received=103.1), "(d)"),
        (replace(GOOD, status=401), "refused with 401 before"),
        (replace(GOOD, status=500), "nothing explains"),
        (replace(GOOD, sent=101.0, received=101.1, status=403), "nothing explains"),
    ],
)
def test_every_breach_is_found(seen: Seen, words: str) -> None:
    assert any(breach.startswith(words) or words in breach for breach in found(seen).breaches)


def test_what_was_sent_while_the_commit_may_have_been_later_is_no_breach_but_counts_in_the_window() -> None:
    verdict = found(replace(GOOD, sent=102.05, received=102.2))
    assert verdict.breaches == {}
    assert len(verdict.unsure) == 1
    assert verdict.window == pytest.approx(2.05)


def test_a_right_that_was_taken_is_refused_with_403_and_a_401_for_it_is_a_breach() -> None:
    assert found(Seen("key", "n1", 100.5, 100.6, 403), refusal=403).breaches == {}
    assert found(Seen("key", "n1", 100.5, 100.6, 401), refusal=403).breaches
    assert found(Seen("key", "n1", 99.5, 99.6, 403), refusal=403).breaches


def test_answers_to_other_questions_do_not_count() -> None:
    assert found(replace(GOOD, question="another", sent=110.0)).counts == {}


def test_a_good_key_that_a_healthy_node_did_not_serve_is_found() -> None:
    bad = replace(GOOD, status=503)
    assert untouched([GOOD, bad, replace(bad, node="n3"), replace(bad, question="other")], "key", {"n1", "n2"}) == [
        bad
    ]
