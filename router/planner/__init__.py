"""From an operation to a plan: pure, synchronous, deterministic.

normalised operation (`operation`) -> cheapest moves (`paths`) -> fetch graph (`fetch_graph`) -> passes -> plan (`plan`)
"""

from router.planner.errors import PlanningError, PlanningErrorCode
from router.planner.plan import Plan
from router.planner.plan_text import count_fetches, format_plan, measure_depth, measure_documents
from router.planner.planning import Stages, explain_operation, plan_operation

__all__ = [
    "Plan",
    "PlanningError",
    "PlanningErrorCode",
    "Stages",
    "count_fetches",
    "explain_operation",
    "format_plan",
    "measure_depth",
    "measure_documents",
    "plan_operation",
]
