"""Nothing in the code removes a row of the audit log, or changes what was done and by whom."""

import ast
from pathlib import Path

from subgraphs.user.audit import AUDIT

ROOT = Path(__file__).parents[4]
SOURCES = ("core", "loaders", "pasar", "router", "schema", "subgraphs")
KEEPER = ROOT / "subgraphs" / "user" / "audit.py"

# What may be done with the collection: add, read, make indexes, and empty where an erased person was
ALLOWED = {"create_indexes", "find", "find_one", "insert_one", "update_many"}


def test_no_other_module_knows_the_collection() -> None:
    mentions = [
        str(file.relative_to(ROOT))
        for source in SOURCES
        for file in sorted((ROOT / source).rglob("*.py"))
        if file != KEEPER
        for node in ast.walk(ast.parse(file.read_text()))
        if (isinstance(node, ast.Constant) and node.value == AUDIT)
        or (isinstance(node, ast.alias) and node.name == "AUDIT")
    ]
    # Only to make its indexes, and to tell why they are there
    assert mentions == ["pasar/indexes/reasons.py", "subgraphs/user/app.py"]


def test_the_module_that_keeps_it_only_adds_and_reads() -> None:
    tree = ast.parse(KEEPER.read_text())
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "_entries"
    }
    assert called == ALLOWED
    changing = [
        (function.name, ast.unparse(node.args[1]))
        for function in ast.walk(tree)
        if isinstance(function, ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update_many"
    ]
    assert changing == [("forget_origins_of", "{'$set': {'address': '', 'user_agent': ''}}")]
    # Handed on it is to the reader of pages only
    handed_on = [
        ast.unparse(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Attribute) and argument.attr == "_entries"
    ]
    assert handed_on == ["find_page"]
    commands = [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "command"
        and isinstance(node.args[0], ast.Constant)
    ]
    # For the index that forgets, when its age was set anew
    assert commands == ["collMod"]
