"""The store's settings as the command line reads them, with errors that name the variable."""

from typing import Any

from pydantic import ValidationError

from core.errors import PasarError
from core.settings import Settings


class ConfigurationInvalid(PasarError):
    """A variable or an option has a value that cannot be used."""

    code = "CONFIGURATION_INVALID"


def read_settings(**options: Any) -> Settings:
    """Return the settings of the environment, overridden by the *options* that are not None.

    Raises:
        ConfigurationInvalid: a value does not fit; the message names the variable and never shows the value, which may
            be a secret.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as invalid:
        faults = [
            f"{_origin(str(fault['loc'][0]) if fault['loc'] else '', given)}: {fault['msg']}"
            for fault in invalid.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationInvalid("; ".join(faults)) from None
    # Programs that are started from here get the same folder wherever they run
    return settings.model_copy(update={"data": settings.data.resolve()})


def _origin(field: str, given: dict[str, Any]) -> str:
    return f"--{field.replace('_', '-')}" if field in given else f"PASAR_{field.upper()}"
