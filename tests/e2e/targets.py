"""The platform in its four forms: one process on embedded storage, one process on DynamoDB and S3, the functions under
`cargo lambda watch`, and the deployed stack. Each answers the same calls."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import httpx
from processes import answers, base_environment, free_port, running, wait_until

import sam

CLIENT_KEY = "client-key-of-the-tests"
SERVICE_KEY = "service-key-of-the-tests"

START_SECONDS = 30
CALL_SECONDS = 60
# Times that the watcher may hold back one request.
LOST_REQUESTS_MAX = 3
# The functions are compiled, at worst from nothing, before they answer.
BUILD_SECONDS = 1_500
DEPLOY_SECONDS = 300

STACK = "e2e"


@dataclass
class Target:
    """Something that answers the API, and where a `server import` beside it stores bars."""

    name: str
    http: httpx.Client
    storage: Mapping[str, str]
    measured: dict[str, float] = field(default_factory=dict)

    def as_service(self) -> dict[str, str]:
        """Headers of the platform's services."""
        return {"X-API-Key": SERVICE_KEY}


def keys() -> dict[str, str]:
    return {"API_KEY": CLIENT_KEY, "SERVICE_API_KEY": SERVICE_KEY}


def client(base_url: str, **options: Any) -> httpx.Client:  # noqa: ANN401
    headers = {"X-API-Key": CLIENT_KEY} | options.pop("headers", {})
    return httpx.Client(base_url=base_url, headers=headers, timeout=CALL_SECONDS, **options)


def aws_environment() -> dict[str, str]:
    """What the SDK needs to reach the local AWS that tests/run started."""
    names = (
        "AWS_ENDPOINT_URL",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
    )
    missing = [name for name in names if name not in os.environ]
    if missing:
        raise RuntimeError(f"no local AWS: {missing} not set; run this through tests/run")
    return {name: os.environ[name] for name in names} | {"AWS_EC2_METADATA_DISABLED": "true"}


def aws_storage(name: str) -> dict[str, str]:
    """A table and a bucket of their own."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    boto3.client("s3").create_bucket(Bucket=name)
    return aws_environment() | {"STORAGE": "aws", "TABLE_NAME": name, "BACKTEST_DATA_BUCKET": name}


@contextmanager
def server(
    name: str, binary: Path, storage: Mapping[str, str], folder: Path, strategies: Path = sam.ROOT / "strategies"
) -> Iterator[Target]:
    """The server on a free port, with the strategies of a folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "STRATEGIES_DIR": str(strategies)}
    environment = base_environment() | storage | keys() | settings
    started = time.monotonic()
    with (
        running(
            [binary, "serve"],
            env=environment,
            cwd=folder,
            log=folder / "server.log",
            ready=lambda: answers(f"{url}/health/live"),
            seconds=START_SECONDS,
        ),
        client(url) as http,
    ):
        yield Target(name, http, storage, {"start": time.monotonic() - started})


@contextmanager
def embedded(binary: Path, folder: Path) -> Iterator[Target]:
    """One process, SQLite and a folder."""
    storage = {"STORAGE": "embedded", "BACKTEST_DATA_DIR": str(folder / "data")}
    with server("embedded", binary, storage, folder) as target:
        yield target


@contextmanager
def server_on_aws(binary: Path, folder: Path) -> Iterator[Target]:
    """One process, DynamoDB and S3."""
    with server("server-on-aws", binary, aws_storage("e2e-server"), folder) as target:
        yield target


class ToItsFunction(httpx.BaseTransport):
    """Sends a request to the function that owns its path, as the template's routes say."""

    def __init__(self, routes: Mapping[str, str]) -> None:
        self.inner = httpx.HTTPTransport()
        self.default = routes["$default"].lower()
        owned = sorted((path, owner) for path, owner in routes.items() if path != "$default")
        # A literal segment is worth more than a parameter, as the gateway has it.
        self.owned = [(pattern(path), owner.lower()) for path, owner in sorted(owned, key=lambda it: "{" in it[0])]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        owner = next((owner for matches, owner in self.owned if matches.fullmatch(path)), self.default)
        raw = f"/lambda-url/{owner}".encode() + request.url.raw_path
        request.url = request.url.copy_with(raw_path=raw)
        # The watcher now and then holds a request back until the next one comes: its function never sees it. What only
        # reads is asked again.
        attempts = LOST_REQUESTS_MAX if request.method == "GET" else 1
        for attempt in range(1, attempts + 1):
            timeout = CALL_SECONDS if attempt == attempts else CALL_SECONDS / 6
            request.extensions["timeout"] = httpx.Timeout(timeout).as_dict()
            try:
                return self.inner.handle_request(request)
            except httpx.ReadTimeout:
                if attempt == attempts:
                    raise
        raise AssertionError(attempts)

    def close(self) -> None:
        self.inner.close()


def pattern(path: str) -> re.Pattern[str]:
    parts = ["[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/")]
    return re.compile("/".join(parts))


@contextmanager
def lambda_watch(folder: Path) -> Iterator[Target]:
    """The three functions under `cargo lambda watch`."""
    port, storage = free_port(), aws_storage("e2e-watch")
    url = f"http://127.0.0.1:{port}"
    building = {"CARGO_LAMBDA_GLOBAL": str(sam.ROOT / "tests/cargo-lambda.toml")}
    environment = base_environment() | building | storage | keys()
    options = [
        "--release",
        "--offline",
        "--ignore-changes",
        "--disable-cors",
        "-A",
        "127.0.0.1",
        "-P",
        str(port),
    ]
    with (
        running(
            ["cargo", "lambda", "watch", *options],
            env=environment,
            cwd=sam.ROOT,
            log=folder / "watch.log",
            ready=lambda: answers(url),
            seconds=START_SECONDS,
        ),
        client(url, transport=ToItsFunction(sam.routes(sam.source()))) as http,
    ):
        target = Target("cargo-lambda-watch", http, storage)
        # Each function is built and started by its first call.
        for function in ("registration", "backtesting", "execution"):
            started = time.monotonic()
            httpx.get(f"{url}/lambda-url/{function}/health/live", timeout=BUILD_SECONDS)
            target.measured[f"build and start of {function}"] = time.monotonic() - started
        yield target


@contextmanager
def deployed(folder: Path) -> Iterator[Target]:
    """The stack as `sam build` and `sam deploy` make it."""
    # An x86_64 machine builds x86_64 functions; the template's default is arm64.
    overrides = {"Architecture": "x86_64", "ApiKey": CLIENT_KEY, "ServiceApiKey": SERVICE_KEY}
    parameters = [f"{name}={value}" for name, value in overrides.items()]
    building = {"CARGO_LAMBDA_GLOBAL": str(sam.ROOT / "tests/cargo-lambda.toml"), "SAM_CLI_TELEMETRY": "0"}
    build, bucket = folder / "build", "e2e-assets"
    environment = base_environment() | aws_environment() | building | {"BUILD_DIR": str(build)}
    boto3.client("s3").create_bucket(Bucket=bucket)
    measured = {}

    def run(what: str, seconds: int, *command: str | Path) -> None:
        started = time.monotonic()
        log = folder / f"{what}.log"
        with log.open("wb") as sink:
            result = subprocess.run(
                command, env=environment, cwd=sam.ROOT, stdout=sink, stderr=subprocess.STDOUT, timeout=seconds
            )
        assert result.returncode == 0, log.read_text(errors="replace")
        measured[what] = time.monotonic() - started

    run("sam build", BUILD_SECONDS, "bash", "infra/build", "--parameter-overrides", *parameters)
    deploy = ["sam", "deploy", "--template-file", build / "template.yaml", "--stack-name", STACK, "--s3-bucket", bucket]
    options = ["--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"]
    run("sam deploy", DEPLOY_SECONDS, *deploy, *options, "--parameter-overrides", *parameters)
    outputs = stack_outputs()
    api_id = add_routes()
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    host = f"{api_id}.execute-api.localhost:{endpoint.rsplit(':', 1)[1]}"
    storage = aws_environment() | {
        "STORAGE": "aws",
        "TABLE_NAME": outputs["TableName"],
        "BACKTEST_DATA_BUCKET": outputs["BucketName"],
    }
    for function in sam.functions(sam.source()):
        measured[f"first invoke of {function}"] = first_invoke(physical_ids()[function])
    with client(endpoint, headers={"Host": host}) as http:
        yield Target("deployed", http, storage, measured)


def stack_outputs() -> dict[str, str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def physical_ids() -> dict[str, str]:
    resources = boto3.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources}


def add_routes() -> str:
    """Makes the routes of the expansion: the local AWS takes an API's document, and imports no route of it."""
    gateway, functions, ids = boto3.client("apigatewayv2"), boto3.client("lambda"), physical_ids()
    api_id = ids["Api"]
    assert gateway.get_routes(ApiId=api_id)["Items"] == [], "the local AWS imports routes now: this step can go"
    integrations: dict[str, str] = {}
    for path, methods in sam.expanded()["Resources"]["Api"]["Properties"]["Body"]["paths"].items():
        for method, operation in methods.items():
            integration = operation["x-amazon-apigateway-integration"]
            (owner,) = re.findall(r"\$\{(\w+)\.Arn\}", integration["uri"]["Fn::Sub"])
            if owner not in integrations:
                arn = functions.get_function(FunctionName=ids[owner])["Configuration"]["FunctionArn"]
                made = gateway.create_integration(
                    ApiId=api_id,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=arn,
                    PayloadFormatVersion=integration["payloadFormatVersion"],
                )
                integrations[owner] = made["IntegrationId"]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            route = "$default" if path == "/$default" else f"{verb} {path}"
            gateway.create_route(ApiId=api_id, RouteKey=route, Target=f"integrations/{integrations[owner]}")
    return api_id


def first_invoke(function: str) -> float:
    """Seconds of a function's first answer after its deployment."""
    http = {
        "method": "GET",
        "path": "/health/live",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "e2e",
    }
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/health/live",
        "rawQueryString": "",
        "headers": {"host": "e2e"},
        "isBase64Encoded": False,
        "requestContext": {
            "accountId": "0",
            "apiId": "e2e",
            "domainName": "e2e",
            "domainPrefix": "e2e",
            "http": http,
            "requestId": "e2e",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Jan/2024:00:00:00 +0000",
            "timeEpoch": 1_704_067_200_000,
        },
    }
    client = boto3.client("lambda")
    wait_until(
        lambda: client.get_function(FunctionName=function)["Configuration"]["State"] == "Active",
        f"{function} is active",
        START_SECONDS,
    )
    started = time.monotonic()
    answer = client.invoke(FunctionName=function, Payload=json.dumps(event))
    elapsed = time.monotonic() - started
    payload = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return elapsed
