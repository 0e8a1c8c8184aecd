"""template.yaml, as it is written and as CloudFormation sees it."""

import copy
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "template.yaml"

# The transformation wants code that lies in a bucket already.
UPLOADED_CODE = "s3://assets/function.zip"


class NoManagedPolicies:
    """The template names no managed policy, so that none needs to be looked up."""

    def load(self) -> dict[str, str]:
        return {}


def source() -> dict[str, Any]:
    """The template as it is written."""
    return yaml_parse(TEMPLATE.read_text())


def functions(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions of a template in SAM's form, by logical id."""
    resources = template["Resources"].items()
    return {name: it for name, it in resources if it["Type"] == "AWS::Serverless::Function"}


def expanded() -> dict[str, Any]:
    """The template in CloudFormation's own words."""
    template = copy.deepcopy(source())
    for function in functions(template).values():
        function["Properties"]["CodeUri"] = UPLOADED_CODE
    return transform(template, {}, NoManagedPolicies())


def routes(template: dict[str, Any]) -> dict[str, str]:
    """Which function owns which path: `$default` is what no other path matches."""
    owners: dict[str, str] = {}
    for name, function in functions(template).items():
        for event in function["Properties"]["Events"].values():
            if event["Type"] != "HttpApi":
                continue
            path = event["Properties"].get("Path", "$default")
            if path in owners:
                raise ValueError(f"{path} belongs to {owners[path]} and to {name}")
            owners[path] = name
    return owners
