"""What a table of plans says of a statement, and the pictures of cost against size."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.bench import plan_table
from tests.bench.plans import Plan
from tests.bench.rows import sizes
from tests.support import plot

pytestmark = pytest.mark.sqlite_only


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ('SELECT "a_b"."id", "a_b"."it" FROM "a_b" WHERE "a_b"."at" > \'2026-11-29\'::timestamptz LIMIT 25',
         "SELECT … FROM a_b WHERE at > ? LIMIT ?"),
        ('SELECT "a_b"."id", (SELECT U0."n" FROM "c_d" U0) AS "n" FROM "a_b" WHERE "a_b"."id" IN (1, 2, 3)',
         "SELECT … FROM a_b WHERE id IN (?, …)"),
        ("SELECT COUNT(*) FROM (SELECT 1 FROM a_b LIMIT 251) s", "SELECT COUNT(*) FROM (SELECT ? FROM a_b LIMIT ?) s"),
        ("INSERT INTO a_b (id, it) VALUES (1, 'it''s') RETURNING id", "INSERT INTO a_b …"),
        ("UPDATE a_b SET it = 'x', n = n + 1 WHERE id = 7", "UPDATE a_b SET … WHERE id = ?"),
    ],
)  # fmt: skip
def test_a_statement_is_told_without_columns_and_values(sql: str, told: str) -> None:
    assert plan_table.short(sql) == told


def test_statements_alike_have_one_line_with_the_dearest() -> None:
    found = [
        Plan("draft", "SELECT x FROM a_b WHERE id = 1", 4, 0.1, (), ("a_b_pkey",)),
        Plan("status", "SELECT x FROM a_b WHERE id = 2", 1_004, 0.5, ("a_b",)),
        Plan("status", "INSERT INTO a_b (x) VALUES (1)", 9, 0.2, ()),
    ]
    assert plan_table.table(found).splitlines()[2:] == [
        "| draft and 1 more | `SELECT … FROM a_b WHERE id = ?` | all of `a_b` | 1,004 | 0.50 |",
        "| status | `INSERT INTO a_b …` | – | 9 | 0.20 |",
    ]


def test_cost_against_size_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "cost.png"
    sizes.draw(path, "cost", [20_000, 1_000_000], [{"today": 1.0, "lists": 2.0}, {"today": 4.0, "lists": 2.0}])
    with Image.open(path) as picture:
        assert picture.size == plot.SIZE
        assert {(int(c[1:3], 16), int(c[3:5], 16), int(c[5:], 16)) for c in plot.COLOURS[:2]} <= {
            colour for _, colour in picture.getcolors(10_000) or ()
        }


def test_each_page_belongs_to_a_group() -> None:
    assert sizes.group_of("list, page 10") == "bookings, by filter"
    assert sizes.group_of("payments, search") == sizes.RECORDS
