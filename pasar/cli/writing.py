"""Findings of the tools on standard error, for people or for programs."""

import sys
from collections.abc import Mapping, Sequence

from pasar.cli.options import DiagnosticFormat
from pasar.problems import Finding, format_finding, render_findings


def write_findings(
    findings: Sequence[Finding], format_: DiagnosticFormat, files: Mapping[str, str] | None = None
) -> None:
    """Write *findings* on standard error; as JSON they are one array, also when there are none."""
    if format_ is DiagnosticFormat.JSON:
        print(render_findings(findings, files), file=sys.stderr)
        return
    for finding in findings:
        print(format_finding(finding, files), file=sys.stderr)
