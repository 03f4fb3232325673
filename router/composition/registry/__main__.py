"""Print docs/errors.md: `python -m router.composition.registry > docs/errors.md`."""

import sys

from router.composition.registry import all_codes, render_page

if __name__ == "__main__":
    sys.stdout.write(render_page(all_codes()))
