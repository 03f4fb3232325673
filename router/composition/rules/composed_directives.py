"""`@composeDirective` names a directive that is defined, linked, not federation's, and one and the same everywhere."""

from router.composition.composed import Composition, composed_name, find_compositions, find_link_of
from router.composition.landscape import Landscape
from router.composition.merge.type_choice import value_key
from router.composition.report import Report
from router.composition.specs import SPEC_HOST


def check(landscape: Landscape, report: Report) -> None:
    """Report directives that cannot be composed."""
    _check_applications(landscape, report)
    compositions = list(find_compositions(landscape))
    _check_versions(compositions, report)
    _check_names(compositions, report)


def _check_applications(landscape: Landscape, report: Report) -> None:
    for member in landscape.members:
        for use in member.subgraph.composed_directives:
            value = use.arguments.get("name")
            if value is None:
                report.error(
                    "DIRECTIVE_COMPOSITION_ERROR", f"[{member.name}] @{use.written} names no directive.", use.at
                )
                continue
            name = composed_name(use)
            written = value_key(value)
            found = find_link_of(member, name) if name is not None else None
            if name is None:
                why = "a directive's name begins with @"
            elif found is not None and found[0].identity.startswith(f"{SPEC_HOST}/"):
                why = "composition decides itself what to do with the directives of the federation specifications"
            elif name not in member.subgraph.directive_definitions:
                why = "the subgraph does not define that directive"
            elif found is None:
                why = "the directive belongs to no specification that the schema links to"
            else:
                continue
            report.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"[{member.name}] @{use.written} cannot compose {written}: {why}.",
                use.at,
            )


def _check_versions(compositions: list[Composition], report: Report) -> None:
    majors: dict[str, dict[int, Composition]] = {}
    for composition in compositions:
        major = (composition.link.version or (0, 0))[0]
        majors.setdefault(composition.link.identity, {}).setdefault(major, composition)
    for identity, found in majors.items():
        if len(found) > 1:
            report.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"{identity} is linked with different major versions:"
                f" {', '.join(f'v{major} in {each.member.name!r}' for major, each in sorted(found.items()))}.",
                *(each.use.at for each in found.values()),
            )


def _check_names(compositions: list[Composition], report: Report) -> None:
    """Refuse one name for two directives and two names for one."""
    by_name: dict[str, dict[tuple[str, str], Composition]] = {}
    by_directive: dict[tuple[str, str], dict[str, Composition]] = {}
    for composition in compositions:
        directive = (composition.link.identity, composition.imported_name or composition.name)
        by_name.setdefault(composition.name, {}).setdefault(directive, composition)
        by_directive.setdefault(directive, {}).setdefault(composition.name, composition)
    for name, directives in by_name.items():
        if len(directives) > 1:
            report.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"@{name} is not one directive: it comes from"
                f" {' and '.join(sorted(identity for identity, _ in directives))}.",
                *(each.use.at for each in directives.values()),
            )
    for (identity, imported), names in by_directive.items():
        if len(names) > 1:
            report.error(
                "DIRECTIVE_COMPOSITION_ERROR",
                f"{imported} of {identity} must have one name in all subgraphs, not"
                f" {' and '.join(f'@{name}' for name in sorted(names))}.",
                *(each.use.at for each in names.values()),
            )
