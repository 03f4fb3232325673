"""`pasar doctor`: what is missing on this machine."""

import typer

from pasar.cli.options import DataOption, HostOption, PortOption


def doctor(data: DataOption = None, host: HostOption = None, port: PortOption = None) -> None:
    """Say what is missing on this machine, and what to do about it; exit code 1 when the store cannot start."""
    from rich.console import Console
    from rich.markup import escape

    from pasar.configuration import read_settings
    from pasar.findings import Verdict, examine

    colours = {Verdict.OK: "green", Verdict.LIMITED: "yellow", Verdict.MISSING: "red"}
    console = Console(highlight=False, soft_wrap=True)
    findings = examine(read_settings(data=data, host=host, port=port))
    for finding in findings:
        colour = colours[finding.verdict]
        console.print(f"[{colour}]{finding.verdict:8}[/] {finding.subject:12} {escape(finding.seen)}")
        if finding.remedy:
            console.print(f"{'':22}{escape(finding.remedy)}")
    if any(finding.verdict is Verdict.MISSING for finding in findings):
        raise typer.Exit(1)
