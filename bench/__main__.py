"""`python -m bench [PART …]`: measure ours against bare servers and against peers, on this machine, in this run."""

import argparse
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from bench import machine, processes
from bench.figures import Row, missing
from bench.ground import Ground
from bench.parts import PARTS, described, measure
from bench.record import Record, line
from lumio.kernel import clock

RESULTS = Path(__file__).with_name("results")
BROKEN = "the whole part"
TOLD_TO_END = 143
CACHE = Path(platformdirs.user_cache_dir("lumio-bench"))


def words(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parts = "\n".join(f"  {part:<10}{described(part)}" for part in PARTS)
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure, and print figures that can be compared: minimum / median / maximum of the rounds.",
        epilog=f"Parts, in the order of a full run:\n{parts}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them where none is named")
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of every contender (default: 3)")
    parser.add_argument("--results", type=Path, help=f"where to write; a full run writes into {RESULTS.name}/")
    parser.add_argument(
        "--cache",
        type=Path,
        default=CACHE,
        help="where peers are installed, outside the repository (default: %(default)s)",
    )
    parser.add_argument(
        "--audit-rows", type=int, default=1_000_000, help="of the long log in growth (default: 1 million)"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="below 1: fewer keys, to try the bench itself out")
    read = parser.parse_args(given)
    if unknown := set(read.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)!r}")
    return read


def main() -> int:
    """Run the parts, print each row when it is known, write the record."""
    asked = words()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TOLD_TO_END))  # servers are stopped on the way out
    parts = asked.parts or PARTS
    watch = machine.Watch()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory(prefix="lumio-bench-") as scratch,
        Ground(
            Path(scratch), asked.cache, asked.seconds, asked.rounds, asked.audit_rows, asked.scale
        ).open() as ground,
    ):
        before = processes.processor_seconds(ground.postgres.first)
        for part in parts:
            print(f"\n{part}: {described(part)}", flush=True)
            rows.extend(_measured(part, ground))
        others = watch.others(processes.processor_seconds(ground.postgres.first) - before)
        record = Record(clock.rfc3339(clock.now())[:10], machine.facts(ground), rows, _warnings(others, asked.scale))
    print(f"\n{record.summary()}")
    for warning in record.warnings:
        print(f"NOT FINAL: {warning}")
    folder = asked.results or (None if asked.parts else RESULTS)
    if folder is not None:
        print(f"written: {record.write(folder)} with a picture and JSON beside it")
    return int(any(row.name == BROKEN for row in rows))


def _measured(part: str, ground: Ground) -> Sequence[Row]:
    """Run a part and print its rows; one that breaks off is said so, and the others go on."""
    rows = []
    try:
        for row in measure(part, ground):
            print(line(row), flush=True)
            rows.append(row)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs into the record
        traceback.print_exc()
        rows.append(missing(part, BROKEN, f"it broke off: {type(error).__name__}: {error}"[:300]))
        print(line(rows[-1]), flush=True)
    return rows


def _warnings(others: float, scale: float) -> list[str]:
    """Return why the figures are not final, if they are not."""
    found = []
    if others > machine.QUIET:
        found.append(f"other programs used {others:.0%} of this machine meanwhile.")
    if scale < 1:
        found.append(f"counts were scaled by {scale:g}.")
    return found


if __name__ == "__main__":
    sys.exit(main())
