"""What PostgreSQL does for each statement of the hot ways over a large practice: `ONLY=plans BOOKINGS=1000000`.

The dearest statement of each work; all of them in short in docs/plans.md, and in full in var/plans.txt.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from tests.bench import large, plan_table, plans, report
from tests.bench.figures import Figure
from tests.bench.plans import Plan
from tests.bench.run import Run


def measure(run: Run) -> list[Figure]:
    """Each statement once, its pages in memory or not as it comes."""
    if run.service:
        run.service.only("broker")
    made = large.filled(run)
    with large.connected():
        found = plans.of_everything()
    kept = Path(settings.BASE_DIR) / "var" / "plans.txt"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("\n".join(str(plan) for plan in sorted(found, key=lambda plan: -plan.buffers)) + "\n")
    if run.service:
        report.keep(
            "plans", f"{run.bookings:,} bookings\n\n{plan_table.table(found)}", report.KEPT.with_name("plans.md")
        )
    return [made, *_dearest(found)]


def _dearest(found: Sequence[Plan]) -> Iterator[Figure]:
    by_work = defaultdict[str, list[Plan]](list)
    for plan in found:
        by_work[plan.work].append(plan)
    for work, of_work in by_work.items():
        dearest = max(of_work, key=lambda plan: plan.buffers)
        yield Figure(f"{work}, the dearest of {len(of_work)} statements: buffers", [dearest.buffers])
        yield Figure(f"{work}, all statements in the database", [sum(plan.ms for plan in of_work)], "ms")
