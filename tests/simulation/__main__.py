"""Play a seed again and print its course: `python -m tests.simulation SEED [THEME] [VARIANT]`."""

import sys
from contextlib import nullcontext

from tests.simulation.course import run
from tests.simulation.variants import VARIANTS

seed, theme, weakened = (*sys.argv[1:], None, None)[:3]
weak = next((one.at_work() for one in VARIANTS if one.name == weakened), nullcontext())
with weak:
    outcome = run(int(seed or 0), theme=theme, traced=True)
lines = [f"seed {outcome.seed}: {outcome.theme}, a lease of {outcome.lease} s", *outcome.trace]
sys.stdout.write("\n".join([*lines, *map(str, outcome.violations), f"worst: {outcome.truth.worst}", ""]))
sys.exit(bool(outcome.violations))
