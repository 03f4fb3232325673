"""Which MongoDB an installation uses."""

import subprocess
from pathlib import Path

import pytest

from core.settings import Settings
from pasar.database import MongodbUnusable, check_mongodb, open_mongodb
from pasar.free_ports import pick_free_port
from pasar.mongod_binary import find_mongod, lend_libcurl


def test_a_configured_replica_set_is_used_and_nothing_is_started(mongo_uri: str, tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path / "data", "mongodb_uri": mongo_uri})
    with open_mongodb(settings) as mongodb:
        assert (mongodb.uri, mongodb.embedded) == (mongo_uri, None)
    assert not (tmp_path / "data").exists()


def test_without_one_an_embedded_mongod_runs_for_the_block_and_others_may_share_it(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data": tmp_path})
    with open_mongodb(settings) as own:
        assert own.embedded is not None
        with open_mongodb(settings, share=True) as shared:
            assert (shared.uri, shared.embedded) == (own.uri, None)
        assert own.embedded.pid is not None
    assert own.embedded.pid is None
    # Nobody to share with: a command starts one itself
    with open_mongodb(settings, share=True) as alone:
        assert alone.embedded is not None


def test_a_uri_that_leads_nowhere_is_refused_without_showing_it() -> None:
    with pytest.raises(MongodbUnusable, match="does not answer") as refusal:
        check_mongodb("mongodb://user:s3cret@127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=300")
    assert "s3cret" not in refusal.value.message


def test_a_single_server_is_refused_because_it_has_no_transactions(tmp_path: Path) -> None:
    port = pick_free_port()
    (tmp_path / "db").mkdir()
    server = subprocess.Popen(
        [str(find_mongod().path), "--dbpath", str(tmp_path / "db"), "--port", str(port), "--nounixsocket"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=lend_libcurl(tmp_path / "lib"),
    )
    try:
        with pytest.raises(MongodbUnusable, match="is a single server; the store's transactions need a replica set"):
            check_mongodb(f"mongodb://127.0.0.1:{port}/")
    finally:
        server.terminate()
        server.wait()
