"""A real purchase history: CDNOW, 69,659 purchases from January 1997 to June 1998, as the README imports it."""

import csv
import subprocess
import sys
import zipfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from tests.testkit.mongod import running_mongodb
from tests.testkit.running import Client, eventually, pasar, running_store

# Carries the history as a data file; none of its code is run
WHEEL = "lifetimes==0.11.3"
MEMBER = "lifetimes/datasets/CDNOW_master.txt"
PURCHASES = 69_659

COLUMNS = (
    *("--customer", "customer_id", "--date", "date"),
    *("--quantity", "number_of_cds", "--amount", "dollar_value"),
    *("--currency", "USD", "--timezone", "UTC"),
)
TOTALS = """
{
  monthlyOrderTotals(from: "1997-01", to: "1998-06", timezone: "UTC", currency: "USD") {
    servedFrom
    months { year month orderCount quantity revenue { amount currency } averageOrderValue { amount } }
  }
}
"""


@pytest.fixture(scope="module")
def history(pytestconfig: pytest.Config) -> Path:
    """Return the history's file, fetched once and kept in pytest's cache."""
    assert pytestconfig.cache is not None
    folder = pytestconfig.cache.mkdir("cdnow")
    file = folder / "CDNOW_master.txt"
    if not file.exists():
        fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*fetch, "--dest", str(folder), WHEEL], check=True)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            file.write_bytes(archive.read(MEMBER))
    return file


def sum_up(file: Path) -> list[tuple[int, int, int, int, int]]:
    """Return year, month, purchases, pieces and cents of each month, without any of the store's code."""
    orders: Counter[str] = Counter()
    pieces: Counter[str] = Counter()
    cents: Counter[str] = Counter()
    for line in file.read_text("ascii").splitlines()[1:]:
        _, day, quantity, dollars = line.split()
        month = day[:6]
        orders[month] += 1
        pieces[month] += int(quantity)
        cents[month] += int(Decimal(dollars) * 100)
    return [(int(m[:4]), int(m[4:]), orders[m], pieces[m], cents[m]) for m in sorted(orders)]


def ask_totals(client: Client) -> tuple[str, list[tuple[int, int, int, int, int]]]:
    """Return where the totals came from, and what `sum_up` returns."""
    totals = client.ask(TOTALS)["monthlyOrderTotals"]
    months = totals["months"]
    assert {month["revenue"]["currency"] for month in months} == {"USD"}
    return totals["servedFrom"], [
        (month["year"], month["month"], month["orderCount"], month["quantity"], month["revenue"]["amount"])
        for month in months
    ]


def test_the_monthly_totals_of_the_cdnow_history_are_those_of_the_file(history: Path, tmp_path: Path) -> None:
    expected = sum_up(history)
    assert len(expected) == 18
    assert sum(orders for _, _, orders, _, _ in expected) == PURCHASES
    data = tmp_path / "data"
    with running_mongodb(tmp_path / "mongodb") as uri, running_store(data, PASAR_MONGODB_URI=uri) as store:
        staff = store.client.with_token(pasar("token", "--data", str(data)).stdout.strip())

        def import_history() -> list[str]:
            imported = pasar("import", "orders", str(history), *COLUMNS, "--data", str(data), PASAR_MONGODB_URI=uri)
            assert imported.returncode == 0, imported.stderr
            return imported.stdout.splitlines()

        # Into the store that is running: the reports that it has cached change with it
        assert ask_totals(staff)[1] == [(year, month, 0, 0, 0) for year, month, *_ in expected]
        assert import_history() == [
            "69659 imported, 0 already there, 0 refused",
            "purchases from 1997-01-01 to 1998-06-30",
        ]
        assert ask_totals(staff) == ("ROLLUP", expected)
        assert ask_totals(staff) == ("CACHE", expected)
        assert import_history()[0] == "0 imported, 69659 already there, 0 refused"
        assert ask_totals(staff) == ("CACHE", expected)
        # Without its sums the store adds up the orders, and makes the sums anew meanwhile
        with MongoClient[Any](uri) as client:
            totals = client["pasar_order"]["order_totals"]
            totals.drop()
            assert ask_totals(staff) == ("AGGREGATION", expected)
            rebuilt = {"_id": "state", "is_complete": True}
            assert eventually(lambda: totals.count_documents(rebuilt), until=bool) == 1
        assert ask_totals(staff) == ("ROLLUP", expected)


def test_broken_rows_are_listed_and_the_rest_is_imported(tmp_path: Path) -> None:
    file, refused, data = tmp_path / "orders.csv", tmp_path / "refused.csv", tmp_path / "data"
    file.write_bytes(
        b"customer,date,quantity,amount,product\n"
        b"ana,2024-01-05,2,10.50,Tea\n"
        b"ben,2024-01-06,zero,3,Tea\n"
        b"cid,2024-02-30,1,3,Tea\n"
        b"d\xff,2024-01-07,1,3,Tea\n"
        b"eva,2024-01-08,1,3.999,Tea\n"
        b"fay,2024-02-01,0,3,Tea\n"
        b"gus,2024-02-01,1,4,Coffee\n"
    )
    options = ("--product", "product", "--currency", "USD", "--timezone", "UTC", "--data", str(data))
    result = pasar("import", "orders", str(file), *options, "--refused", str(refused))
    assert result.returncode == 1
    assert result.stdout.splitlines()[0] == "2 imported, 0 already there, 5 refused"
    reasons = [
        "line 3: quantity 'zero' is not a whole number",
        "line 4: date '2024-02-30' is not of the form YYYY-MM-DD, YYYYMMDD or with a time",
        "line 5: customer is not UTF-8 text",
        "line 6: 3.999 has more than the 2 decimals of USD",
        "line 7: quantity 0 is not between 1 and 1000000",
    ]
    assert [line for line in result.stderr.splitlines() if line.startswith("line ")] == reasons
    with refused.open(encoding="utf-8", newline="") as rows:
        assert [f"line {row['line']}: {row['reason']}" for row in csv.DictReader(rows)] == reasons
    # Mended and imported again: only what was missing is added
    file.write_text(
        "customer,date,quantity,amount,product\n"
        "ana,2024-01-05,2,10.50,Tea\n"
        "ben,2024-01-06,1,3,Tea\n"
        "gus,2024-02-01,1,4,Coffee\n"
    )
    again = pasar("import", "orders", str(file), *options)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, "1 imported, 2 already there, 0 refused")


def test_a_file_without_the_named_column_imports_nothing(tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("who,date,quantity,amount\nana,2024-01-05,2,10.50\n")
    result = pasar("import", "orders", str(file), "--data", str(tmp_path / "data"))
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "error [ORDER_FILE_UNUSABLE] there is no column 'customer' (--customer);"
        " the file has: who, date, quantity, amount"
    )
    missing = pasar("import", "orders", str(tmp_path / "none.csv"), "--data", str(tmp_path / "data"))
    assert missing.stderr.splitlines() == [
        f"error [ORDER_FILE_UNUSABLE] {tmp_path / 'none.csv'} cannot be opened: No such file or directory"
    ]
