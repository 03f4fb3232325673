"""The sandbox gateway's pay page: plain HTML, no script, nothing from elsewhere."""

from dataclasses import dataclass
from functools import cache

from jinja2 import Environment, Template

# Nothing but its own style may load, and its forms go back to where it came from
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0; background: Canvas; color: CanvasText }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1rem }
table { width: 100%; border-collapse: collapse; margin: 1rem 0 }
caption { text-align: left; font-weight: 600 }
th, td { text-align: left; padding: .4rem 0; border-bottom: 1px solid GrayText }
.number { text-align: right; font-variant-numeric: tabular-nums }
button { display: block; width: 100%; min-height: 3rem; margin: .75rem 0; padding: 0 1rem; font: inherit;
  border: 2px solid #595959; border-radius: .5rem; background: #fff; color: #1a1a1a; cursor: pointer }
button.main { background: #0b5d3b; border-color: #0b5d3b; color: #fff; font-weight: 600 }
button:focus-visible, a:focus-visible { outline: 3px solid #1a6fd4; outline-offset: 3px }
.notice { padding: .75rem 1rem; border-left: .4rem solid #0b5d3b; background: #e7f4ee; color: #12271d }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<p>This is the sandbox gateway: no money moves.</p>
{% if notice %}<p class="notice" role="status">{{ notice }}</p>{% endif %}
{% if lines %}<table>
<caption>Order {{ order_id }}</caption>
<thead><tr><th scope="col">Item</th><th scope="col" class="number">Quantity</th>
<th scope="col" class="number">Price</th></tr></thead>
<tbody>
{% for line in lines %}<tr><td>{{ line.name }}</td><td class="number">{{ line.quantity }}</td>
<td class="number">{{ line.price }}</td></tr>
{% endfor %}</tbody>
<tfoot><tr><th scope="row">Total</th><td></td><td class="number"><strong>{{ total }}</strong></td></tr></tfoot>
</table>{% endif %}
{% if is_open %}<form method="post" aria-label="Choose how the payment ends">
<button class="main" name="action" value="pay">Pay {{ total }}</button>
<button name="action" value="fail">Fail the payment</button>
<button name="action" value="expire">Let it expire</button>
</form>{% endif %}
{% if finish_url %}<p><a href="{{ finish_url }}">Back to the store</a></p>{% endif %}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class PageLine:
    """A row of the table."""

    name: str
    quantity: int
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PayPage:
    """What the page shows. The three buttons are there only while *is_open*."""

    title: str
    order_id: str = ""
    lines: tuple[PageLine, ...] = ()
    total: str = ""
    notice: str = ""
    is_open: bool = False
    finish_url: str = ""


@cache
def _template() -> Template:
    return Environment(autoescape=True).from_string(_PAGE)


def render_page(page: PayPage) -> str:
    """Return the HTML of *page*; every text in it is escaped."""
    return _template().render(
        title=page.title,
        order_id=page.order_id,
        lines=page.lines,
        total=page.total,
        notice=page.notice,
        is_open=page.is_open,
        finish_url=page.finish_url,
    )
