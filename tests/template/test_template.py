"""template.yaml holds what the routers, the settings and the adapters need, and nothing more."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sam

# Whose routes they are, by the tag of the OpenAPI document. The rest is reached over the default route.
OWNERS = {
    "strategies": "Registration",
    "backtests": "Backtesting",
    "analysis": "Backtesting",
    "datasets": "Backtesting",
    "executions": "Execution",
}
DEFAULT_OWNER = "Registration"
PLATFORM_TAG = "platform"

# Read by the Lambda runtime's library, not by us.
LIBRARY_SETTINGS = {"AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"}

GATEWAY_LIMIT_SECONDS = 30


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return sam.source()


@pytest.fixture(scope="module")
def expansion() -> dict[str, Any]:
    return sam.expanded()


def function_statements(expansion: dict[str, Any], function: str) -> list[dict[str, Any]]:
    """What the role of a function may do."""
    role_name = expansion["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    role = expansion["Resources"][role_name]["Properties"]
    assert "ManagedPolicyArns" not in role, f"{role_name}: a managed policy grants more than is needed"
    return [it for policy in role["Policies"] for it in policy["PolicyDocument"]["Statement"]]


def as_list(value: Any) -> list[Any]:  # noqa: ANN401
    return value if isinstance(value, list) else [value]


def test_every_route_of_the_contract_has_its_function_and_no_other_is_there(
    template: dict[str, Any], openapi: dict[str, Any]
) -> None:
    expected = {"$default": DEFAULT_OWNER}
    for path, operations in openapi["paths"].items():
        tags = {tag for operation in operations.values() for tag in operation["tags"]}
        assert len(tags) == 1, f"{path} belongs to {tags}"
        tag = tags.pop()
        if tag != PLATFORM_TAG:
            expected[path] = OWNERS[tag]
    assert sam.routes(template) == expected


def test_a_function_gets_every_method_of_its_paths(template: dict[str, Any]) -> None:
    for name, function in sam.functions(template).items():
        for event in function["Properties"]["Events"].values():
            properties = event["Properties"]
            if "Path" in properties:
                assert properties["Method"] == "ANY", f"{name}: {properties['Path']} answers 404, not 405"


def test_every_function_is_built_by_cargo_lambda_from_its_own_package(template: dict[str, Any]) -> None:
    functions = sam.functions(template)
    assert set(functions) == {"Registration", "Backtesting", "Execution"}
    for name, function in functions.items():
        assert function["Metadata"]["BuildMethod"] == "rust-cargolambda", name
        package = function["Metadata"]["BuildProperties"]["Binary"]
        assert function["Properties"]["CodeUri"] == f"functions/{package}", name
        manifest = (sam.ROOT / "functions" / package / "Cargo.toml").read_text()
        assert f'name = "{package}"' in manifest, name


def test_every_function_ends_before_the_gateway_gives_up(expansion: dict[str, Any]) -> None:
    for function in named(expansion, "AWS::Lambda::Function"):
        timeout = function["Properties"]["Timeout"]
        deadline = int(function["Properties"]["Environment"]["Variables"]["STRATEGY_TIMEOUT_SECONDS"])
        assert deadline < timeout < GATEWAY_LIMIT_SECONDS


def test_every_variable_of_a_function_is_a_setting(expansion: dict[str, Any]) -> None:
    table = (sam.ROOT / "shared/fx-host/src/config/setting.rs").read_text()
    known = set(re.findall(r"^    ([A-Z][A-Z_]+) = (?:fixed|depends|unset|secret)\(", table, re.MULTILINE))
    assert len(known) > 20, "the table of settings was not found"
    for function in named(expansion, "AWS::Lambda::Function"):
        names = set(function["Properties"]["Environment"]["Variables"])
        assert names <= known | LIBRARY_SETTINGS
        assert {"STORAGE", "TABLE_NAME", "BACKTEST_DATA_BUCKET", "API_KEY"} | LIBRARY_SETTINGS <= names


def test_no_role_has_a_wildcard_action_or_reaches_beyond_the_stack(
    template: dict[str, Any], expansion: dict[str, Any]
) -> None:
    roles = set()
    for name in sam.functions(template):
        roles.add(expansion["Resources"][name]["Properties"]["Role"]["Fn::GetAtt"][0])
        for statement in function_statements(expansion, name):
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                assert "*" not in action, f"{name}: {action}"
            for resource in as_list(statement["Resource"]):
                assert isinstance(resource, dict), f"{name}: {resource} is not a resource of the stack"
            if any(action.startswith("dynamodb:") for action in as_list(statement["Action"])):
                assert "Condition" in statement, f"{name}: {statement['Sid']} reaches every item"
    assert len(roles) == len(sam.functions(template)), "one role for each function"


def test_only_registration_changes_strategies_and_only_backtesting_writes_objects(
    template: dict[str, Any], expansion: dict[str, Any]
) -> None:
    writers: dict[str, set[str]] = {}
    for name in sam.functions(template):
        for statement in function_statements(expansion, name):
            actions = set(as_list(statement["Action"]))
            keys = " ".join(
                key
                for it in statement.get("Condition", {}).values()
                for key in as_list(it.get("dynamodb:LeadingKeys", []))
            )
            if actions & {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}:
                for kind in ("STRATEGY#", "BACKTEST#", "EXECUTION#", "SERIES", "FEATURE"):
                    if kind in keys:
                        writers.setdefault(kind, set()).add(name)
            if "s3:PutObject" in actions:
                writers.setdefault("objects", set()).add(name)
    assert writers == {
        "STRATEGY#": {"Registration"},
        "BACKTEST#": {"Backtesting"},
        "EXECUTION#": {"Execution"},
        "objects": {"Backtesting"},
    }


def test_data_is_encrypted_private_and_kept(expansion: dict[str, Any]) -> None:
    (table,) = named(expansion, "AWS::DynamoDB::Table")
    assert [key["AttributeName"] for key in table["Properties"]["KeySchema"]] == ["pk", "sk"]
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    (bucket,) = named(expansion, "AWS::S3::Bucket")
    assert set(bucket["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
    (policy,) = named(expansion, "AWS::S3::BucketPolicy")
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert [it["DeletionPolicy"] for it in (table, bucket)] == ["Retain", "Retain"]


def test_every_secret_is_a_parameter_that_is_never_shown(template: dict[str, Any]) -> None:
    secrets = {name: it for name, it in template["Parameters"].items() if name.endswith("Key")}
    assert len(secrets) == 3
    for name, parameter in secrets.items():
        assert parameter.get("NoEcho") is True, name
        assert not parameter.get("Default"), name


def test_every_function_logs_to_a_group_that_forgets(expansion: dict[str, Any]) -> None:
    groups = {name for name, it in expansion["Resources"].items() if it["Type"] == "AWS::Logs::LogGroup"}
    used = set()
    for function in named(expansion, "AWS::Lambda::Function"):
        used.add(function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"])
    assert used < groups
    assert all("RetentionInDays" in expansion["Resources"][name]["Properties"] for name in groups)


def test_cfn_lint_finds_nothing_in_the_source() -> None:
    run_linter("cfn-lint", str(sam.TEMPLATE))


def test_cfn_lint_finds_nothing_in_the_expansion(expansion: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "expansion.json"
    file.write_text(json.dumps(expansion))
    run_linter("cfn-lint", str(file))


def test_sam_validates_the_source() -> None:
    run_linter("sam", "validate", "--lint", "--template", str(sam.TEMPLATE), "--region", "us-east-1")


def named(expansion: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    found = [it for it in expansion["Resources"].values() if it["Type"] == kind]
    assert found, f"no {kind}"
    return iter(found)


def run_linter(*command: str) -> None:
    offline = {"SAM_CLI_TELEMETRY": "0", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | offline, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
