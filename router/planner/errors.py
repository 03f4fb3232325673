"""Why an operation that is valid for clients may still have no plan."""

from enum import StrEnum


class PlanningErrorCode(StrEnum):
    """The reasons for refusing to plan."""

    UNKNOWN_OPERATION = "UNKNOWN_OPERATION"
    UNSATISFIABLE = "UNSATISFIABLE_OPERATION"
    RESERVED_ALIAS = "RESERVED_ALIAS"
    CONTEXT_NOT_SET = "CONTEXT_NOT_SET_ABOVE"


class PlanningError(Exception):
    """No plan can be made; *code* says why, the message carries the values."""

    def __init__(self, code: PlanningErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code.value
