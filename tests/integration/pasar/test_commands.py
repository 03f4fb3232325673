"""Commands that run to their end, as programs of their own."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from graphql import build_schema

from core.identity import Role
from core.mongo import Client
from core.scopes import ROLE_SCOPES
from core.settings import Settings
from core.tokens import generate_private_key
from subgraphs.inventory.bulk import insert_stock
from tests.testkit.running import pasar

ORDER = 'type Query { order(id: ID!): Order } type Order @key(fields: "id") { id: ID! total: Int! }'
USER = 'type Query { me: User } type User @key(fields: "id") { id: ID! orders: [Order!] } type Order { id: ID! }'
LINK = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"]) '


@pytest.fixture
def subgraphs(tmp_path: Path) -> tuple[str, str]:
    (tmp_path / "order.graphql").write_text(LINK + ORDER)
    (tmp_path / "user.graphql").write_text(LINK + USER.replace("type Order {", 'type Order @key(fields: "id") {'))
    return f"order={tmp_path / 'order.graphql'}@http://o:1/graphql", f"user={tmp_path / 'user.graphql'}"


def test_compose_writes_a_supergraph_and_its_api_schema(subgraphs: tuple[str, str], tmp_path: Path) -> None:
    result = pasar("compose", *subgraphs)
    assert result.returncode == 0, result.stderr
    assert 'ORDER @join__graph(name: "order", url: "http://o:1/graphql")' in result.stdout
    output = tmp_path / "api.graphql"
    assert pasar("compose", *subgraphs, "--api", "--output", str(output)).returncode == 0
    assert sorted(build_schema(output.read_text()).type_map["User"].fields) == ["id", "orders"]  # type: ignore[attr-defined]


def test_compose_says_what_does_not_fit_and_writes_nothing(subgraphs: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "user.graphql").write_text(
        LINK + USER.replace("type Order { id: ID! }", "type Order { total: String }")
    )
    output = tmp_path / "supergraph.graphql"
    result = pasar("compose", *subgraphs, "--output", str(output))
    assert result.returncode == 1
    assert result.stdout == ""
    assert not output.exists()
    as_json = pasar("compose", *subgraphs, "--format", "json")
    assert as_json.returncode == 1
    diagnostics = json.loads(as_json.stderr)
    assert {diagnostic["severity"] for diagnostic in diagnostics} <= {"ERROR", "HINT"}
    errors = [diagnostic["code"] for diagnostic in diagnostics if diagnostic["severity"] == "ERROR"]
    assert "FIELD_TYPE_MISMATCH" in errors
    assert all(f"error {code}: " in result.stderr for code in errors)


def test_compose_without_arguments_is_the_stores_own_graph() -> None:
    result = pasar("compose")
    assert result.returncode == 0, result.stderr
    committed = Path(__file__).parents[3] / "schema" / "sdl" / "supergraph.graphql"
    assert result.stdout == committed.read_text("utf-8")


def test_compose_of_sdl_that_cannot_be_read_is_diagnostics_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "order.graphql").write_text("type Query {\n  order(: Int\n}")
    arguments = (f"order={tmp_path / 'order.graphql'}", "--format", "json")
    result = pasar("compose", *arguments)
    assert (result.returncode, result.stdout) == (1, "")
    [diagnostic] = json.loads(result.stderr)
    assert (diagnostic["code"], diagnostic["severity"]) == ("INVALID_GRAPHQL", "ERROR")
    assert diagnostic["locations"] == [
        {"subgraph": "order", "line": 2, "column": 9, "file": str(tmp_path / "order.graphql")}
    ]
    missing = pasar("compose", *arguments, "user=http://127.0.0.1:1/", f"web={tmp_path / 'web.graphql'}")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert [(row["code"], row["details"]) for row in json.loads(missing.stderr)] == [
        ("SUBGRAPH_SOURCE_UNUSABLE", {"location": "http://127.0.0.1:1/", "subgraph": "user"}),
        ("SUBGRAPH_SOURCE_UNUSABLE", {"location": str(tmp_path / "web.graphql"), "subgraph": "web"}),
    ]


def test_check_answers_by_its_exit_code(tmp_path: Path) -> None:
    old, new, broken = (str(tmp_path / name) for name in ("old.graphql", "new.graphql", "broken.graphql"))
    Path(old).write_text("type Query { a: Int b: Int }")
    Path(new).write_text("type Query { a: Int }")
    Path(broken).write_text("type Query {")
    assert pasar("check", new, old).returncode == 0
    breaking = pasar("check", old, new)
    assert (breaking.returncode, breaking.stderr) == (1, "")
    assert breaking.stdout == (
        "BREAKING\n  FIELD_REMOVED: Field Query.b was removed.\n\n1 breaking, 0 dangerous, 0 safe\n"
    )
    unreadable = pasar("check", old, broken)
    assert (unreadable.returncode, unreadable.stdout) == (2, "")
    assert f"  at {broken}:1:13\n" in unreadable.stderr
    assert pasar("check", old).returncode == 2


def test_explain_knows_what_compose_says_and_suggests_what_was_meant() -> None:
    known = pasar("explain", "KEY_INVALID_FIELDS")
    assert (known.returncode, known.stderr) == (0, "")
    assert known.stdout.startswith("### KEY_INVALID_FIELDS\n")
    unknown = pasar("explain", "KEY_INVALID_FIELD")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.startswith(
        "error [UNKNOWN_CODE] there is no code 'KEY_INVALID_FIELD'; did you mean KEY_INVALID_FIELDS"
    )


def test_the_committed_schemas_are_up_to_date() -> None:
    result = pasar("schema", "check")
    assert (result.returncode, result.stdout) == (0, "8 files are up to date\n"), result.stdout + result.stderr


def test_a_development_token_names_its_roles_and_scopes(tmp_path: Path) -> None:
    import jwt

    result = pasar("token", "--role", "staff", "--subject", "usr_1", "--data", str(tmp_path))
    assert result.returncode == 0, result.stderr
    claims = jwt.decode(result.stdout.strip(), options={"verify_signature": False})
    assert (claims["sub"], claims["roles"]) == ("usr_1", ["STAFF"])
    assert claims["scope"].split() == sorted(ROLE_SCOPES[Role.STAFF])


def test_in_production_no_development_token_is_made(tmp_path: Path) -> None:
    result = pasar("token", "--data", str(tmp_path / "data"), PASAR_ENVIRONMENT="production")
    assert (result.returncode, result.stdout) == (1, "")
    assert "error [CONFIGURATION_INVALID] development tokens are not made" in result.stderr
    assert not (tmp_path / "data").exists()


def test_in_production_the_sandbox_gateway_is_not_served(tmp_path: Path) -> None:
    result = pasar(
        "sandbox",
        *("--data", str(tmp_path / "data"), "--port", "0"),
        PASAR_ENVIRONMENT="production",
        PASAR_SANDBOX_SERVER_KEY="k" * 40,
    )
    assert result.returncode == 1
    assert "error [NOT_IN_PRODUCTION]" in result.stderr


def test_the_doctor_finds_this_machine_in_order_and_names_what_is_not(tmp_path: Path) -> None:
    well = pasar("doctor", "--data", str(tmp_path / "data"), "--port", "0")
    assert well.returncode == 0, well.stdout
    assert [line.split()[1] for line in well.stdout.splitlines() if line.startswith("ok")][:2] == ["Python", "Data"]
    # It has looked and left nothing behind
    assert not (tmp_path / "data").exists()
    ill = pasar("doctor", "--data", str(tmp_path / "data"), "--port", "0", PASAR_MONGOD_BIN="/nowhere/mongod")
    assert ill.returncode == 1
    assert "missing  MongoDB      MONGOD_UNAVAILABLE" in ill.stdout
    assert "PASAR_MONGOD_BIN is /nowhere/mongod, which is not an executable file" in ill.stdout


@pytest.mark.parametrize("arguments", [("nonsense",), ("up", "--port", "99999"), ("subgraph", "shoes")])
def test_a_command_line_that_is_not_understood_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert pasar(*arguments).returncode == 2


@pytest.mark.parametrize(
    "command",
    [
        *(
            "up",
            "seed",
            "import",
            "db",
            "token",
            "doctor",
            "compose",
            "check",
            "explain",
            "inventory",
            "router",
            "subgraph",
            "worker",
            "sandbox",
            "schema",
        ),
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    result = pasar(command, "--help")
    assert result.returncode == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"PASAR_PORT": "many"}, "error [CONFIGURATION_INVALID] PASAR_PORT: Input should be a valid integer"),
        ({"PASAR_MONGODB_URI": "http://example"}, "error [MONGODB_UNUSABLE] PASAR_MONGODB_URI is not a MongoDB URI"),
        (
            {"PASAR_TOKEN_KEY_FILE": __file__},
            f"error [KEY_UNUSABLE] PASAR_TOKEN_KEY_FILE: {__file__} is not usable: Unable to load PEM file",
        ),
    ],
)
def test_a_bad_variable_is_one_sentence(tmp_path: Path, variables: dict[str, str], sentence: str) -> None:
    result = pasar("up", "--data", str(tmp_path / "data"), **{"PASAR_PORT": "0", **variables})
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(sentence)


def test_keys_are_rotated_by_a_command_and_not_made_up_in_production(tmp_path: Path) -> None:
    refused = pasar("keys", "list", "--data", str(tmp_path), PASAR_ENVIRONMENT="production")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "set PASAR_TOKEN_KEY_FILE" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "19700101T000000Z.key").write_bytes(generate_private_key("RS256"))
    variables = {
        "PASAR_ENVIRONMENT": "production",
        "PASAR_TOKEN_KEY_FILE": str(folder),
        "PASAR_TOKEN_ALGORITHM": "RS256",
        "PASAR_INTERNAL_SECRET": "s" * 40,
    }
    rotated = pasar("keys", "rotate", "--data", str(tmp_path / "data"), **variables)
    assert rotated.returncode == 0, rotated.stderr
    listed = pasar("keys", "list", "--data", str(tmp_path / "data"), **variables).stdout.splitlines()
    assert [line.split()[1] for line in listed] == ["signs", "next"]
    assert len(list(folder.iterdir())) == 2
    assert not (tmp_path / "data").exists()


async def test_stock_is_compared_with_its_ledger_and_rebuilt_by_a_command(
    tmp_path: Path, store_settings: Settings, mongo_uri: str, mongo_client: Client
) -> None:
    variables = {"PASAR_MONGODB_URI": mongo_uri, "PASAR_DATABASE_PREFIX": store_settings.database_prefix}
    database = mongo_client[f"{store_settings.database_prefix}inventory"]
    await insert_stock(database, {"prd_a": 3, "prd_b": 5}, now=datetime(2026, 11, 1, tzinfo=UTC))
    fine = pasar("inventory", "check", "--data", str(tmp_path), **variables)
    assert (fine.returncode, fine.stdout) == (0, "all counters are what the ledger says\n")
    await database["stock_levels"].update_one({"_id": "prd_b"}, {"$set": {"on_hand": 50, "reserved": 2}})
    line = "prd_b: on hand 50, reserved 2; right: on hand 5, reserved 0 (5/0 in whs_main)\n"
    found = pasar("inventory", "check", "--data", str(tmp_path), **variables)
    assert (found.returncode, found.stdout) == (1, f"{line}1 products differ from their ledger\n")
    mended = pasar("inventory", "rebuild", "--data", str(tmp_path), **variables)
    assert (mended.returncode, mended.stdout) == (0, f"{line}1 products were put right\n")
    row = await database["stock_levels"].find_one({"_id": "prd_b"})
    assert row is not None
    assert (row["on_hand"], row["reserved"], row["available"]) == (5, 0, 5)
    assert pasar("inventory", "check", "--data", str(tmp_path), **variables).returncode == 0
