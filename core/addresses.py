"""Postal addresses: what a parcel needs, and how one is tidied. No I/O."""

from dataclasses import dataclass

from core.errors import BadUserInput

# Longer than any real address line, short enough for a label
MAX_ADDRESS_LINE = 120


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where a parcel goes."""

    recipient: str
    line1: str
    city: str
    postal_code: str
    country: str
    phone: str | None = None
    line2: str | None = None
    region: str | None = None


def clean_address(address: PostalAddress, *, field: str = "shippingAddress") -> PostalAddress:
    """Return *address* without blanks at the ends and with optional lines that are empty left out.

    Raises:
        BadUserInput: a line is missing or too long, or the country is not an ISO 3166 code of two letters; *field* is
            where the address is in the input.
    """

    def required(value: str, name: str) -> str:
        cleaned = optional(value, name)
        if cleaned is None:
            raise BadUserInput("this line is needed for shipping", field=f"{field}.{name}")
        return cleaned

    def optional(value: str | None, name: str) -> str | None:
        cleaned = " ".join((value or "").split())
        if len(cleaned) > MAX_ADDRESS_LINE:
            raise BadUserInput(f"at most {MAX_ADDRESS_LINE} characters fit", field=f"{field}.{name}")
        return cleaned or None

    country = required(address.country, "country").upper()
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        raise BadUserInput(f"{country!r} is not a country code such as ID", field=f"{field}.country")
    return PostalAddress(
        recipient=required(address.recipient, "recipient"),
        line1=required(address.line1, "line1"),
        city=required(address.city, "city"),
        postal_code=required(address.postal_code, "postalCode"),
        country=country,
        phone=optional(address.phone, "phone"),
        line2=optional(address.line2, "line2"),
        region=optional(address.region, "region"),
    )
