"""The stages of planning as text: find the first that goes wrong."""

from router.planner import Plan, Stages, count_fetches, measure_depth


def format_stages(stages: Stages, plan: Plan) -> str:
    """Return every stage under its heading, then how many requests the plan makes and how many wait for each other."""
    sections = (
        ("Operation", stages.operation),
        ("Paths", stages.paths),
        ("Fetch graph", stages.fetch_graph),
        ("Optimised fetch graph", stages.optimised_fetch_graph),
        ("Plan", stages.plan),
        ("Requests", count_requests(plan)),
    )
    return "\n".join(f"== {heading} ==\n{text.strip(chr(10)) or 'Nothing'}\n" for heading, text in sections)


def count_requests(plan: Plan) -> str:
    """Return `7 requests, depth 4`: the most that are made, and how many of them wait for each other."""
    requests = count_fetches(plan.root)
    return f"{requests} request{'' if requests == 1 else 's'}, depth {measure_depth(plan.root)}"
