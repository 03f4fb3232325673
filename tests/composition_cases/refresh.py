"""Ask the oracles again and record their answers: `python -m tests.composition_cases.refresh`.

Needs Node and `npm ci` in tests/node/composition. The suite itself only reads what is recorded here.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from tests.composition_cases.cases import CompositionCase, all_cases
from tests.composition_cases.normal_form import normalise_api_schema, normalise_supergraph
from tests.testkit.node import run_node

TIMEOUT_S = 300


def main() -> int:
    """Record what every oracle makes of every case."""
    cases = all_cases()
    for case, answers in zip(cases, ask(cases), strict=True):
        record = {oracle: summarise(answer) for oracle, answer in answers.items()}
        case.oracles_path.write_text(_dump(record), encoding="utf-8")
    print(f"{len(cases)} cases recorded")
    return 0


def ask(cases: tuple[CompositionCase, ...]) -> list[Mapping[str, Any]]:
    """Return the raw answers of the oracles, case by case."""
    question = json.dumps([[[each.name, each.sdl] for each in case.subgraphs] for case in cases])
    answers: list[Mapping[str, Any]] = json.loads(
        run_node("composition", "ask.mjs", stdin=question, timeout_s=TIMEOUT_S)
    )
    return answers


def summarise(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is worth recording of one oracle's answer."""
    if "codes" in answer:
        return {"codes": answer["codes"]}
    return {
        "codes": [],
        "hints": answer["hints"],
        "supergraph": normalise_supergraph(answer["supergraph"]),
        "api": normalise_api_schema(answer["api"]),
    }


def _dump(record: Mapping[str, Any]) -> str:
    """Write one element a line, so that a change is read as a change."""
    lines = ["{"]
    for oracle, answer in record.items():
        lines.append(f'  "{oracle}": {{')
        for key, value in answer.items():
            comma = "" if key == list(answer)[-1] else ","
            if isinstance(value, dict):
                lines.append(f'    "{key}": {{')
                entries = [f"      {json.dumps(name)}: {json.dumps(facts)}" for name, facts in value.items()]
                lines.append(",\n".join(entries))
                lines.append(f"    }}{comma}")
            else:
                lines.append(f'    "{key}": {json.dumps(value)}{comma}')
        lines.append("  }" if oracle == list(record)[-1] else "  },")
    lines.append("}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
