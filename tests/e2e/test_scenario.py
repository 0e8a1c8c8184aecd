"""Import, register, backtest, read, execute: the main job over HTTP, the same on every form of the platform."""

import io
from typing import Any

import httpx
import pyarrow.parquet
import pytest
from reference import Reference
from targets import SERVICE_KEY, Target

import sam

SMALLEST = "class NewStrategy(Strategy):\n    def analyze(self, data):\n        return {}\n"
PARQUET = "application/vnd.apache.parquet"
BODY_BYTES_MAX = 1024 * 1024
# The reference's statistics by their names in our answer. Buy and hold, and alpha that rests on it, begin a bar later
# in the reference: its rules forbid a decision on the first bar on which both averages are known.
COMPARABLE = {
    "Exposure Time [%]": "exposure_time_pct",
    "Equity Final [$]": "equity_final",
    "Equity Peak [$]": "equity_peak",
    "Return [%]": "return_pct",
    "Return (Ann.) [%]": "return_ann_pct",
    "Volatility (Ann.) [%]": "volatility_ann_pct",
    "CAGR [%]": "cagr_pct",
    "Sharpe Ratio": "sharpe_ratio",
    "Sortino Ratio": "sortino_ratio",
    "Calmar Ratio": "calmar_ratio",
    "Beta": "beta",
    "Max. Drawdown [%]": "max_drawdown_pct",
    "Avg. Drawdown [%]": "avg_drawdown_pct",
    "Max. Drawdown Duration": "max_drawdown_duration_seconds",
    "Avg. Drawdown Duration": "avg_drawdown_duration_seconds",
    "# Trades": "trades",
    "Win Rate [%]": "win_rate_pct",
    "Best Trade [%]": "best_trade_pct",
    "Worst Trade [%]": "worst_trade_pct",
    "Avg. Trade [%]": "avg_trade_pct",
    "Max. Trade Duration": "max_trade_duration_seconds",
    "Avg. Trade Duration": "avg_trade_duration_seconds",
    "Profit Factor": "profit_factor",
    "Expectancy [%]": "expectancy_pct",
    "SQN": "sqn",
    "Kelly Criterion": "kelly_criterion",
}


def get(target: Target, path: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    answer = target.http.get(path, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def register(target: Target, name: str, code: str, **more: Any) -> httpx.Response:  # noqa: ANN401
    body = {"name": name, "instruments": ["EUR/USD"], "timeframe": "1h", "code": code} | more
    return target.http.post("/api/v1/strategies/register", json=body)


def all_pages(target: Target, path: str, key: str, **query: Any) -> list[Any]:  # noqa: ANN401
    found: list[Any] = []
    token: str | None = None
    while True:
        page = get(target, path, params=query | ({"page_token": token} if token else {}))
        found += page[key]
        token = page.get("next_page_token")
        if token is None:
            return found


def refusal(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """The body of a failure: in the platform's form, and of this kind."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["status"] == "error"
    assert body["type"] == kind
    assert body["detail"] == body["error"]["message"]
    assert set(body["error"]) == {"code", "message", "details"}
    assert set(body["metadata"]) == {"timestamp", "version", "request_id"}
    assert body["metadata"]["request_id"] == answer.headers["x-request-id"]
    return body


class TestPlatform:
    def test_health_needs_no_key(self, target: Target) -> None:
        # The local AWS answers `/health` itself, before its gateway looks at any route.
        for path in ["/health/live", "/health/ready"] + ["/health"] * (target.name != "deployed"):
            answer = target.http.get(path, headers={"X-API-Key": ""})
            assert answer.status_code == 200, answer.text
            assert answer.json()["status"] == "healthy"
        assert get(target, "/")["message"] == "Strategy Execution Engine is running"

    def test_detailed_health_names_every_part(self, target: Target) -> None:
        health = get(target, "/health/detailed")
        assert health["status"] == "healthy", health
        assert health["database"]["status"] == "healthy"
        parts = {
            "analysis_engine",
            "feature_store",
            "trading_gateway",
            "risk_management",
            "portfolio_management",
        }
        assert parts | {"monitoring", "strategy_loader", "backtester"} <= set(health["services"])
        shipped = len(list((sam.ROOT / "strategies").glob("*.py")))
        assert health["services"]["strategy_loader"]["strategies_loaded"] == shipped > 0

    def test_the_document_is_served_as_it_is_printed(self, target: Target, openapi: dict[str, Any]) -> None:
        served = get(target, "/api/openapi.json")
        assert served["openapi"].startswith("3.1")
        # Only the server has metrics.
        assert set(openapi["paths"]) - set(served["paths"]) <= {"/metrics"}
        for path, operations in served["paths"].items():
            assert operations == openapi["paths"][path]
        docs = target.http.get("/api/docs")
        assert docs.status_code == 200
        assert docs.headers["content-type"].startswith("text/html")

    def test_a_request_id_is_echoed_or_made(self, target: Target) -> None:
        assert target.http.get("/health/live", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
        made = [target.http.get("/health/live").headers["x-request-id"] for _ in range(2)]
        assert made[0] != made[1]


class TestKeys:
    @pytest.mark.parametrize("path", ["/api/v1/strategies", "/api/v1/datasets", "/api/v1/executions"])
    def test_every_function_wants_a_key(self, target: Target, path: str) -> None:
        without = {name: value for name, value in target.http.headers.items() if name.lower() != "x-api-key"}
        request = httpx.Request("GET", target.http.base_url.join(path), headers=without)
        refusal(target.http.send(request), 401, "AuthenticationError")
        refusal(target.http.get(path, headers={"X-API-Key": "wrong"}), 403, "AuthorizationError")
        assert target.http.get(path, headers={"X-API-Key": SERVICE_KEY}).status_code == 200

    def test_an_object_is_its_owners_and_the_services(self, target: Target, cross: dict[str, Any]) -> None:
        path = f"/api/v1/strategies/{cross['id']}"
        assert target.http.get(path, headers=target.as_service()).status_code == 200
        body = {"name": "Service only", "instruments": ["EUR/USD"], "timeframe": "1h", "code": SMALLEST}
        answer = target.http.post("/api/v1/strategies/register", json=body, headers=target.as_service())
        assert answer.status_code == 201, answer.text
        path = f"/api/v1/strategies/{answer.json()['id']}"
        refusal(target.http.get(path), 404, "StrategyLoadError")
        assert target.http.get(path, headers=target.as_service()).status_code == 200


class TestStrategies:
    def test_the_smallest_strategy_registers_and_trades_nothing(self, target: Target, imported: str) -> None:
        assert imported
        answer = register(target, "Smallest", SMALLEST)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        assert made["status"] == "active"
        assert answer.headers["location"] == f"/api/v1/strategies/{made['id']}"
        assert len(made["version"]) == len(made["plan_hash"]) == 64
        run = {"strategy_id": made["id"], "start_date": "2017-06-01", "end_date": "2017-06-30"}
        answer = target.http.post("/api/v1/backtest", json=run)
        assert answer.status_code == 200, answer.text
        result = answer.json()
        assert result["trades"] == []
        assert result["metrics"]["total_trades"] == 0
        assert result["metrics"]["final_equity"] == result["initial_capital"] == 10_000
        assert result["bars"] > 400

    def test_the_same_strategy_is_the_same_version_and_another_source_another(self, target: Target) -> None:
        first, again = (
            register(target, "Versions", SMALLEST).json(),
            register(target, "Versions", SMALLEST).json(),
        )
        assert (again["id"], again["version"]) == (first["id"], first["version"])
        other = register(target, "Versions", SMALLEST.replace("{}", "None")).json()
        assert other["id"] == first["id"]
        assert other["version"] != first["version"]
        path = f"/api/v1/strategies/{first['id']}"
        assert get(target, path)["version"] == other["version"]
        old = get(target, path, params={"version": first["version"]})
        assert old["code"] == SMALLEST
        versions = all_pages(target, f"{path}/versions", "versions", page_size=1)
        assert [it["version"] for it in versions] == [first["version"], other["version"]]

    def test_a_shipped_strategy_registers_and_is_listed(self, target: Target) -> None:
        source = (sam.ROOT / "strategies/ma_crossover.py").read_text()
        made = register(target, "Shipped source", source, parameters={"fast_period": 10}).json()
        shown = get(target, f"/api/v1/strategies/{made['id']}")
        assert shown["code"] == source
        assert shown["parameters"]["fast_period"] == 10
        assert shown["instruments"] == ["EUR/USD"]
        assert shown["timeframe"] == "1h"
        listed = all_pages(target, "/api/v1/strategies", "strategies", page_size=2)
        ids = [it["id"] for it in listed]
        assert made["id"] in ids
        assert len(ids) == len(set(ids))

    def test_a_deleted_strategy_is_gone(self, target: Target) -> None:
        path = f"/api/v1/strategies/{register(target, 'To delete', SMALLEST).json()['id']}"
        assert target.http.delete(path).status_code == 204
        refusal(target.http.get(path), 404, "StrategyLoadError")
        refusal(target.http.delete(path), 404, "StrategyLoadError")

    def test_a_mistake_in_the_source_is_shown_where_it_is(self, target: Target) -> None:
        answer = register(target, "Wrong", "class S(Strategy):\n    def analyze(self, data):\n        return nothing\n")
        body = refusal(answer, 400, "StrategyConfigurationError")
        (found,) = body["error"]["details"]["diagnostics"]
        assert [found[it] for it in ("line", "column", "end_line", "end_column")] == [3, 16, 3, 23]
        assert (found["code"], found["message"]) == ("unknown-name", "unknown name `nothing`")
        assert found["hint"]


class TestBacktest:
    def test_the_import_says_what_it_stored(self, imported: str, golden: Reference) -> None:
        assert f"{golden.case['bars']} read" in imported
        assert "data version" in imported

    def test_every_trade_of_the_reference_is_reproduced(self, result: dict[str, Any], golden: Reference) -> None:
        assert len(result["trades"]) == len(golden.trades) == result["metrics"]["total_trades"]
        for ours, theirs in zip(result["trades"], golden.trades, strict=True):
            assert (ours["type"] == "long") == (theirs["side"] == "1"), theirs
            assert moment(ours["entry_time"]) == theirs["entry_time"]
            assert moment(ours["exit_time"]) == theirs["exit_time"]
            assert ours["size"] == int(theirs["size"])
            assert ours["entry_price"] == pytest.approx(float(theirs["entry_price"]), abs=5.1e-10, rel=0)
            assert ours["exit_price"] == pytest.approx(float(theirs["exit_price"]), abs=5.1e-10, rel=0)
            assert ours["profit_loss"] == pytest.approx(float(theirs["pnl"]), rel=1e-6, abs=2e-5)

    def test_its_statistics_are_the_references(self, result: dict[str, Any], golden: Reference) -> None:
        metrics, stats = result["metrics"], golden.case["stats"]
        assert metrics["final_equity"] == pytest.approx(stats["Equity Final [$]"], rel=1e-6)
        assert metrics["return_pct"] == pytest.approx(stats["Return [%]"], rel=1e-6)
        assert metrics["win_rate"] * 100 == pytest.approx(stats["Win Rate [%]"], rel=1e-6)
        assert metrics["max_drawdown"] == pytest.approx(-stats["Max. Drawdown [%]"], rel=1e-6)
        (position,) = result["open_positions"]
        assert position["type"] == "short"
        left = golden.case["open_position_at_end"]
        assert position["unrealized_profit_loss"] == pytest.approx(left["unrealised"], rel=1e-6)

    def test_the_result_hash_is_the_same_on_every_form_of_the_platform(
        self, target: Target, result: dict[str, Any], hashes: dict[str, str]
    ) -> None:
        hashes[target.name] = result["result_hash"]
        assert len(set(hashes.values())) == 1, hashes

    def test_the_same_question_has_the_same_answer(self, target: Target, result: dict[str, Any]) -> None:
        fields = ("strategy_id", "start_date", "end_date", "initial_capital")
        answer = target.http.post("/api/v1/backtest", json={name: result[name] for name in fields})
        assert answer.status_code == 200, answer.text
        again = answer.json()
        assert again["result_hash"] == result["result_hash"]
        assert again["metrics"] == result["metrics"]

    def test_a_result_is_read_as_it_was_answered(self, target: Target, result: dict[str, Any]) -> None:
        path = f"/api/v1/backtests/{result['backtest_id']}"
        status = get(target, path)
        assert status["status"] == "completed"
        assert status["result"] == result
        assert all_pages(target, f"{path}/trades", "trades", page_size=50) == result["trades"]
        equity = all_pages(target, f"{path}/equity", "equity_curve", page_size=1000)
        assert len(equity) == result["equity_points_total"] == result["bars"]
        assert equity[-1]["equity"] == result["metrics"]["final_equity"]
        ledger = all_pages(target, f"{path}/ledger", "ledger", page_size=100)
        assert ledger[-1]["balance"] == result["metrics"]["final_balance"]

    def test_its_parts_are_parquet_files(self, target: Target, result: dict[str, Any]) -> None:
        path = f"/api/v1/backtests/{result['backtest_id']}"
        rows = {}
        for part in ("trades", "equity", "ledger", "orders", "margin"):
            answer = target.http.get(f"{path}/{part}", headers={"Accept": PARQUET})
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == PARQUET
            rows[part] = pyarrow.parquet.read_table(io.BytesIO(answer.content))
        assert rows["trades"].num_rows == len(result["trades"])
        assert rows["equity"].num_rows == result["equity_points_total"]
        orders = all_pages(target, f"{path}/orders", "orders", page_size=1000)
        assert rows["orders"].num_rows == len(orders) > rows["trades"].num_rows
        assert rows["margin"].num_rows == len(all_pages(target, f"{path}/margin", "margin", page_size=1000)) > 0
        profits = rows["trades"].column("profit_loss").to_pylist()
        assert [float(it) for it in profits] == [it["profit_loss"] for it in result["trades"]]

    def test_its_report_is_one_page_that_runs_nothing(self, target: Target, result: dict[str, Any]) -> None:
        answer = target.http.get(f"/api/v1/backtests/{result['backtest_id']}/report")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.text.lstrip().lower().startswith("<!doctype html>")
        assert "Golden cross" in answer.text
        for loaded in ("<script", 'src="http', 'href="http', "@import"):
            assert loaded not in answer.text, loaded

    def test_the_analysis_agrees_with_the_result(self, target: Target, result: dict[str, Any]) -> None:
        strategy, backtest = result["strategy_id"], result["backtest_id"]
        listed = get(target, "/api/v1/analysis/backtests", params={"strategy_id": strategy})["backtests"]
        assert backtest in [it["backtest_id"] for it in listed]
        report = get(target, f"/api/v1/analysis/performance/{backtest}")
        assert report["metrics"] == result["metrics"]
        assert report["trade_stats"]["consecutive_losses"] > 0
        assert report["drawdown_stats"]["max_drawdown"] == result["metrics"]["max_drawdown"]
        assert list(report["monthly_returns"])[0] == "2017-04"
        comparison = get(target, "/api/v1/analysis/compare", params={"strategy_ids": strategy})
        assert comparison["strategies"] == [strategy]
        assert comparison["metrics_comparison"]["net_profit"] == {strategy: result["metrics"]["net_profit"]}

    def test_its_comparable_statistics_are_the_references(
        self, target: Target, result: dict[str, Any], golden: Reference
    ) -> None:
        ours = get(target, f"/api/v1/analysis/performance/{result['backtest_id']}")["comparable"]
        for theirs, name in COMPARABLE.items():
            expected = golden.case["stats"][theirs]
            assert ours[name] == pytest.approx(expected, rel=1e-6), f"{name} is {ours[name]}, not {expected}"

    def test_the_bars_are_described(self, target: Target, result: dict[str, Any]) -> None:
        listed = all_pages(target, "/api/v1/datasets", "datasets")
        (series,) = [it for it in listed if it["dataset"] == "default"]
        assert series["version"] == result["data_version"]
        assert series["bars"] == 5_000
        assert series["side"] == "bid"
        for spelling in ("EUR_USD", "EURUSD"):
            of_pair = get(target, f"/api/v1/datasets/{spelling}")
            assert of_pair["instrument"] == "EUR/USD"
            assert series in of_pair["datasets"]

    def test_costs_are_taken(self, target: Target, result: dict[str, Any]) -> None:
        body = {name: result[name] for name in ("strategy_id", "start_date", "end_date", "initial_capital")}
        costly = body | {
            "commission": {"per_notional": 2e-5},
            "spread": {"relative_on_entry": 1e-4},
            "slippage": 0.1,
        }
        answer = target.http.post("/api/v1/backtest", json=costly)
        assert answer.status_code == 200, answer.text
        with_costs = answer.json()["metrics"]
        assert all(with_costs["costs"][kind] > 0 for kind in ("commission", "spread", "slippage"))
        assert with_costs["net_profit"] < result["metrics"]["net_profit"]


class TestExecution:
    def test_a_dry_run_decides_and_sends_nothing(self, target: Target, imported: str) -> None:
        assert imported
        always = "class Always(Strategy):\n    def analyze(self, data):\n        return buy(units=1000)\n"
        strategy = register(target, "Always long", always).json()["id"]
        answer = target.http.post("/api/v1/execute", json={"strategy_id": strategy, "capital_allocation": 10_000})
        assert answer.status_code == 200, answer.text
        execution = answer.json()
        assert execution["dry_run"] is True
        assert execution["risk"]["is_valid"] is True
        assert execution["signal_time"] == "2018-02-07T15:00:00Z"
        path = f"/api/v1/executions/{execution['execution_id']}"
        assert get(target, path) == execution
        listed = get(target, "/api/v1/executions", params={"strategy_id": strategy})["executions"]
        assert execution in listed

    def test_a_live_run_is_refused(self, target: Target, cross: dict[str, Any]) -> None:
        body = {"strategy_id": cross["id"], "capital_allocation": 10_000, "dry_run": False}
        refusal(target.http.post("/api/v1/execute", json=body), 400, "StrategyConfigurationError")


class TestErrors:
    RUN = {"start_date": "2017-06-01", "end_date": "2017-06-30"}

    def test_an_unknown_path_and_a_wrong_method(self, target: Target) -> None:
        refusal(target.http.get("/api/v1/nothing"), 404, "NotFoundError")
        for path in ("/api/v1/strategies", "/api/v1/datasets", "/api/v1/executions"):
            refusal(target.http.put(path), 405, "MethodNotAllowedError")

    def test_unknown_objects(self, target: Target) -> None:
        run = self.RUN | {"strategy_id": "no-such-strategy"}
        refusal(target.http.post("/api/v1/backtest", json=run), 404, "StrategyLoadError")
        refusal(target.http.get("/api/v1/strategies/no-such-strategy"), 404, "StrategyLoadError")
        refusal(target.http.get("/api/v1/backtests/no-such-backtest"), 404, "BacktestError")
        refusal(target.http.get("/api/v1/executions/no-such-execution"), 404, "NotFoundError")

    def test_bodies_that_do_not_fit(self, target: Target) -> None:
        url = "/api/v1/backtest"
        body = refusal(target.http.post(url, json={"initial_capital": "much"}), 422, "RequestValidationError")
        named = {it["field"] for it in body["error"]["details"]["issues"]}
        assert {"strategy_id", "start_date", "end_date", "initial_capital"} <= named
        json_header = {"Content-Type": "application/json"}
        refusal(target.http.post(url, content=b"{", headers=json_header), 422, "RequestValidationError")
        refusal(target.http.post(url, content=b"{}", headers={"Content-Type": "text/plain"}), 415,
                "UnsupportedMediaTypeError")  # fmt: skip
        large = b'{"strategy_id": "' + b"x" * BODY_BYTES_MAX + b'"}'
        refusal(target.http.post(url, content=large, headers=json_header), 413, "PayloadTooLargeError")

    def test_what_cannot_be_done_is_named(self, target: Target, cross: dict[str, Any], imported: str) -> None:
        assert imported
        run = self.RUN | {"strategy_id": cross["id"]}
        answer = target.http.post("/api/v1/backtest", json=run | {"financing": "oanda"})
        assert "financing" in refusal(answer, 400, "BacktestConfigError")["detail"]
        answer = target.http.post("/api/v1/backtest", json=run | {"end_date": "2017-05-01"})
        assert "end_date" in refusal(answer, 400, "BacktestConfigError")["detail"]
        answer = target.http.post("/api/v1/backtest", json=run | {"dataset": "elsewhere"})
        assert "elsewhere" in refusal(answer, 422, "BacktestDataError")["detail"]
        refusal(target.http.get("/api/v1/analysis/compare"), 400, "BacktestConfigError")

    def test_a_problem_in_the_form_of_rfc_9457(self, target: Target) -> None:
        answer = target.http.get("/api/v1/nothing", headers={"Accept": "application/problem+json"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == 404
        assert {"title", "detail", "code", "request_id"} <= set(problem)


def moment(stamp: str) -> str:
    """`2017-04-20T16:00:00Z` as the reference writes it."""
    return stamp.removesuffix("Z").replace("T", " ")
