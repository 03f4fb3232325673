"""From a question to what is shown of its plan."""

from collections.abc import Callable

from pasar.planning.picture import draw_plan
from pasar.planning.question import PlanRefused, Question
from pasar.planning.stages import format_stages
from router.planner import Plan, PlanningError, explain_operation, plan_operation
from router.planner.plan_json import print_plan_json


def show_as_text(question: Question) -> str:
    """Return every stage of planning; raise PlanRefused when there is no plan."""

    def show() -> str:
        stages = explain_operation(question.supergraph, question.document, question.operation_name, question.labels)
        return format_stages(stages, make_plan(question))

    return _refuse_politely(show)


def show_as_json(question: Question) -> str:
    """Return the plan as JSON; raise PlanRefused when there is none."""
    return _refuse_politely(lambda: print_plan_json(make_plan(question), question.operation_name, question.labels))


def show_as_svg(question: Question) -> str:
    """Return a picture of the plan; raise PlanRefused when there is none."""
    return _refuse_politely(lambda: draw_plan(make_plan(question), question.operation_name))


def make_plan(question: Question) -> Plan:
    """Return the plan; raise PlanningError when there is none."""
    return plan_operation(question.supergraph, question.document, question.operation_name, question.labels)


def _refuse_politely(show: Callable[[], str]) -> str:
    try:
        return show()
    except PlanningError as error:
        raise PlanRefused(error.code, str(error)) from None
    except RecursionError:
        raise PlanRefused("MAX_DEPTH_LIMIT", "the operation is nested too deeply to be planned") from None
