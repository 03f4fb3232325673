"""What every benchmark shares: its two options, and one line per result with the baseline of the same run."""

import argparse
import json
from dataclasses import asdict, dataclass
from math import isnan
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison; *ratio* is ours over the baseline's."""

    name: str
    ours: float
    baseline: float
    unit: str

    @property
    def ratio(self) -> float:
        return self.ours / self.baseline if self.baseline else float("nan")

    def line(self) -> str:
        return (
            f"{self.name}: ours {self.ours:,.6g} {self.unit}, baseline {self.baseline:,.6g} {self.unit}, "
            f"ratio {self.ratio:.2f}"
        )


def parse_arguments(description: str, *extra: tuple[str, type, object, str]) -> argparse.Namespace:
    """Read `--quick`, `--json FILE` and *extra* options (flag, type, default, help)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes: shows that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    for flag, kind, default, text in extra:
        parser.add_argument(flag, type=kind, default=default, help=text)
    return parser.parse_args()


def publish(results: list[Result], path: Path | None) -> None:
    """Print one line per result and write them to *path*."""
    print()
    for result in results:
        print(result.line())
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where there was no peer to measure its value is not a number, for which JSON has null
        rows = [
            {
                key: None if isinstance(value, float) and isnan(value) else value
                for key, value in {**asdict(result), "ratio": round(result.ratio, 4)}.items()
            }
            for result in results
        ]
        path.write_text(json.dumps(rows, indent=2, allow_nan=False) + "\n")
