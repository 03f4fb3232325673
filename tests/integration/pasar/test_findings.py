"""What the doctor sees."""

import shutil
import socket
from pathlib import Path

import pytest

from core.settings import Settings
from pasar.findings import Finding, Verdict, examine
from pasar.mongod import EmbeddedMongod


def settings(data: Path, **changes: object) -> Settings:
    return Settings.model_validate({"data": data, "port": 0, **changes})


def find(subject: str, chosen: Settings) -> Finding:
    return next(finding for finding in examine(chosen) if finding.subject == subject)


def test_a_running_store_is_no_trouble_for_the_folder_but_for_the_port(tmp_path: Path) -> None:
    with EmbeddedMongod(tmp_path), socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        chosen = settings(tmp_path, port=other.getsockname()[1])
        assert find("MongoDB", chosen) == Finding("MongoDB", Verdict.OK, f"a store is running on {tmp_path}")
        port = find("Port", chosen)
        assert (port.verdict, port.seen) == (Verdict.MISSING, "PORT_TAKEN")


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    finding = find("Data folder", settings(tmp_path / "file" / "data"))
    assert (finding.verdict, finding.remedy) == (Verdict.MISSING, "choose another with --data")


def test_a_configured_redis_that_does_not_answer_is_missing_and_its_password_is_not_shown(tmp_path: Path) -> None:
    finding = find("Redis", settings(tmp_path, redis_url="redis://:s3cret@127.0.0.1:1/0"))
    assert (finding.verdict, finding.seen) == (Verdict.MISSING, "127.0.0.1:1 does not answer (ConnectionError)")


def test_a_machine_without_node_and_browser_can_run_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    chosen = settings(tmp_path)
    assert [find(subject, chosen).verdict for subject in ("Node", "Chromium", "Redis")] == [Verdict.OK] * 3
