"""What a run can be asked for, end to end, on bars small enough to check each number by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bars import Store, flat
from targets import Target
from test_scenario import all_pages, get, refusal


def strategy(target: Target, name: str, decisions: dict[int, str], pair: str = "EUR/USD") -> str:
    """A strategy that decides at given bars, by number; its id."""
    rules = "".join(f"        if data.index == {bar}:\n            return {what}\n" for bar, what in decisions.items())
    code = f"class Scripted(Strategy):\n    def analyze(self, data):\n{rules}        return {{}}\n"
    body = {"name": name, "instruments": [pair], "timeframe": "1h", "code": code}
    answer = target.http.post("/api/v1/strategies/register", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def backtest(target: Target, strategy_id: str, dataset: str, **options: Any) -> dict[str, Any]:  # noqa: ANN401
    body = {"strategy_id": strategy_id, "dataset": dataset, "start_date": "2024-01-02", "end_date": "2024-03-31"}
    answer = target.http.post("/api/v1/backtest", json=body | options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def rows(target: Target, result: dict[str, Any], part: str, key: str | None = None) -> list[dict[str, Any]]:
    return all_pages(target, f"/api/v1/backtests/{result['backtest_id']}/{part}", key or part, page_size=3)


def money(amount: float) -> Any:  # noqa: ANN401
    """Millionths are exact."""
    return pytest.approx(amount, abs=4e-7, rel=0)


def test_a_limit_order_with_a_bracket_tells_its_life(target: Target, store: Store) -> None:
    store(
        "bracket",
        [
            flat(1.1000),
            (1.1000, 1.1005, 1.0960, 1.0970),
            (1.0970, 1.0975, 1.0940, 1.0960),  # comes to the limit
            (1.0960, 1.1010, 1.0955, 1.1005),  # and to the target
            (1.1005, 1.1010, 1.0990, 1.1000),
            (1.1000, 1.1010, 1.0990, 1.1000),  # the order that waits one bar is gone
        ],
    )
    decisions = {
        0: 'buy(units=10000, limit=1.0950, stop_loss=1.0900, take_profit=1.1000, label="dip")',
        3: 'sell(units=10000, stop=1.0800, expires=1, label="late")',
        4: 'buy(units=1000, limit=1.0500, label="far")',
    }
    result = backtest(target, strategy(target, "Bracket", decisions), "bracket")
    submitted, filled, exited, late, far, expired = rows(target, result, "orders")
    head = {"order_id": 0, "instrument": "EUR/USD"}
    assert submitted == head | {
        "time": "2024-01-02T00:00:00Z",
        "event": "submitted",
        "kind": "limit",
        "side": "buy",
        "units": 10000,
        "price": 1.095,
        "stop_loss": 1.09,
        "take_profit": 1.1,
        "time_in_force": "gtc",
    }
    assert filled == head | {
        "time": "2024-01-02T02:00:00Z",
        "event": "filled",
        "side": "buy",
        "units": 10000,
        "price": 1.095,
        "raw_price": 1.095,
        "price_source": "modelled",  # bid bars: the ask that a buy pays is made
        "stop_loss": 1.09,
        "take_profit": 1.1,
    }
    assert exited == head | {
        "time": "2024-01-02T03:00:00Z",
        "event": "exited",
        "reason": "take_profit",
        "units": 10000,
        "price": 1.1,
        "raw_price": 1.1,
        "price_source": "measured",
    }
    assert (late["kind"], late["price"], late["expires_after_bars"]) == ("stop", 1.08, 1)
    assert (far["order_id"], far["time"]) == (2, "2024-01-02T04:00:00Z")
    assert expired == {
        "order_id": 1,
        "time": "2024-01-02T05:00:00Z",
        "instrument": "EUR/USD",
        "event": "expired",
    }
    (trade,) = result["trades"]
    assert (trade["exit_reason"], trade["ambiguous"]) == ("take_profit", False)
    assert trade["profit_loss"] == money(10000 * (1.1000 - 1.0950))
    (pending,) = result["pending_orders"]
    assert (pending["order_id"], pending["kind"], pending["side"], pending["price"], pending["units"]) == (
        2, "limit", "buy", 1.05, 1000,
    )  # fmt: skip


def test_a_yen_gain_becomes_dollars_by_the_inverse_of_the_pair(target: Target, store: Store) -> None:
    bars = [flat(150.00), (150.00, 150.60, 149.95, 150.50), (151.00, 151.10, 150.90, 151.00), flat(151.00)]
    store("yen", bars, pair="USD/JPY")
    script = strategy(target, "Yen", {0: "buy(units=10000)", 1: "close()"}, pair="USD/JPY")
    costs = {"commission": {"per_notional": 2e-5}}
    result = backtest(target, script, "yen", account_currency="USD", **costs)
    deposit, entry, gain, leave = rows(target, result, "ledger")
    assert (deposit["kind"], deposit["amount"], deposit["currency"]) == ("deposit", 10_000, "USD")
    assert "conversion" not in deposit
    # 10,000 · 150 yen · 2e-5 = 30 yen at 150, and 30.2 yen at 151.
    assert [(it["kind"], it["amount"]) for it in (entry, leave)] == [("commission", -0.2), ("commission", -0.2)]
    assert entry["conversion"]["rate"] == pytest.approx(1 / 150, rel=1e-12)
    # 10,000 yen at 151.
    assert gain["kind"] == "profit_loss"
    assert gain["amount"] == 66.225166
    assert gain["conversion"] == {
        "from": "JPY",
        "rate": pytest.approx(1 / 151, rel=1e-12),
        "path": "1/USD/JPY",
        "time": "2024-01-02T02:00:00Z",
    }
    assert result["metrics"]["final_balance"] == money(10_000 + 66.225166 - 0.4)
    (trade,) = result["trades"]
    assert trade["profit_loss"] == money(66.225166 - 0.4)


def test_another_pair_of_the_data_set_converts(target: Target, store: Store) -> None:
    store("sterling", [flat(0.8600), flat(0.8600), flat(0.8610), flat(0.8610)], pair="EUR/GBP")
    store("sterling", [flat(1.2400), flat(1.2400), flat(1.2500), flat(1.2500)], pair="GBP/USD")
    script = strategy(target, "Sterling", {0: "buy(units=10000)", 1: "close()"}, pair="EUR/GBP")
    result = backtest(target, script, "sterling", account_currency="USD")
    gain = rows(target, result, "ledger")[-1]
    assert gain["amount"] == money(10 * 1.25)
    assert gain["conversion"]["path"] == "GBP/USD"
    roles = {it["instrument"]: it["role"] for it in result["inputs"]}
    assert roles == {"EUR/GBP": "track", "GBP/USD": "rate"}
    body = {"strategy_id": script, "dataset": "sterling", "start_date": "2024-01-02", "end_date": "2024-01-03"}
    answer = target.http.post("/api/v1/backtest", json=body | {"account_currency": "JPY"})
    assert answer.status_code in (400, 422), answer.text
    assert "JPY" in answer.json()["detail"], "nothing converts sterling into yen, and it is said"


def test_wednesday_pays_three_days_from_rates_in_the_request_and_from_a_stored_table(
    target: Target, store: Store, server: Callable[..., str], tmp_path: Path
) -> None:
    # From Tuesday 20:00 to Wednesday 23:00: 17:00 New York is 22:00 UTC in the winter.
    store("rollover", [flat(1.1000)] * 28, start="2024-03-05T20:00")
    script = strategy(target, "Held over Wednesday", {0: "buy(units=10000)", 26: "close()"})
    rate = {"instrument": "EUR/USD", "from": "2024-01-01", "long": -0.6, "short": 0.2, "unit": "points"}
    result = backtest(target, script, "rollover", financing={"rates": [rate]})
    tuesday, wednesday = [it for it in rows(target, result, "ledger") if it["kind"] == "financing"]
    rollover = {"instrument": "EUR/USD", "units": 10000, "price": 1.1, "inside_bar": False}
    # 10,000 units · −0.6 points · 0.00001 a day.
    assert (tuesday["timestamp"], tuesday["amount"]) == ("2024-03-05T22:00:00Z", -0.06)
    assert tuesday["rollover"] == rollover | {"days": 1, "time": "2024-03-05T22:00:00Z"}
    assert (wednesday["timestamp"], wednesday["amount"]) == ("2024-03-06T22:00:00Z", -0.18)
    assert wednesday["rollover"] == rollover | {"days": 3, "time": "2024-03-06T22:00:00Z"}
    (trade,) = result["trades"]
    assert trade["costs"]["financing"] == money(0.24)
    assert trade["profit_loss"] == money(-0.24)
    assert result["metrics"]["costs"]["financing"] == money(0.24)
    assert result["financing"] == {"source": "request", "name": "inline", "rates": 1}
    assert not any("ollover" in warning and "zero" in warning for warning in result["warnings"])

    file = tmp_path / "rates.csv"
    file.write_text("instrument,from,long,short,unit\nEUR/USD,2024-01-01,-0.6,0.2,points\n")
    assert "1 rates as table `broker`" in server("import", "--financing", file, "--name", "broker")
    stored = backtest(target, script, "rollover", financing="broker")
    assert stored["result_hash"] == result["result_hash"]
    assert (stored["financing"]["source"], stored["financing"]["name"]) == ("table", "broker")

    zero = backtest(target, script, "rollover")
    assert zero["metrics"]["net_profit"] == 0
    assert any("inancing is zero" in warning for warning in zero["warnings"])
    body = {"strategy_id": script, "dataset": "rollover", "start_date": "2024-01-02", "end_date": "2024-03-31"}
    answer = target.http.post("/api/v1/backtest", json=body | {"financing": "nobodys"})
    assert "nobodys" in refusal(answer, 400, "BacktestConfigError")["detail"]


def test_a_fall_calls_the_account_and_then_stops_it_out(target: Target, store: Store) -> None:
    store(
        "fall",
        [
            flat(1.2000),
            (1.2000, 1.2010, 1.1990, 1.2000),
            (1.2000, 1.2000, 1.1700, 1.1750),
            (1.1750, 1.1750, 1.1600, 1.1650),
            flat(1.1650),
        ],
    )
    script = strategy(target, "Too much", {0: "buy(units=20000)", 1: "order(units=1000, limit=1.0)"})
    result = backtest(target, script, "fall", initial_capital=1000)
    at = {hour: f"2024-01-02T0{hour}:00:00Z" for hour in range(5)}
    filled, called, stopped, left = rows(target, result, "margin")
    # 20,000 · 1.2 ÷ 30.
    assert filled == {
        "time": at[1], "cause": "fill", "equity": 1000, "used_margin": 800, "level_pct": 125, "currency": "USD",
    }  # fmt: skip
    # At 1.17: 1000 − 20,000 · 0.03 over 20,000 · 1.17 ÷ 30.
    assert (called["time"], called["cause"], called["equity"], called["used_margin"]) == (
        at[2],
        "margin_call",
        400,
        780,
    )
    assert called["level_pct"] == pytest.approx(100 * 400 / 780)
    # At 1.16: 1000 − 20,000 · 0.04 over 20,000 · 1.16 ÷ 30.
    assert (stopped["time"], stopped["cause"], stopped["equity"]) == (at[3], "stop_out", 200)
    assert stopped["used_margin"] == money(773.333333)
    assert (left["time"], left["used_margin"], left["level_pct"]) == (at[3], 0, None)
    (trade,) = result["trades"]
    assert (trade["exit_reason"], trade["exit_price"]) == ("stop_out", 1.16)
    assert trade["profit_loss"] == money(-800)
    last = [(it["order_id"], it["event"], it.get("reason")) for it in rows(target, result, "orders")][-2:]
    assert last == [(1, "cancelled", "stop_out"), (0, "exited", "stop_out")]
    assert (result["metrics"]["stop_outs"], result["metrics"]["margin_calls"]) == (1, 1)
    # Without a stop-out the position is held, and the order goes on waiting.
    kept = backtest(target, script, "fall", initial_capital=1000, stop_out={"level_pct": 0})
    assert kept["trades"] == []
    assert len(kept["pending_orders"]) == len(kept["open_positions"]) == 1
    refused = backtest(target, script, "fall", initial_capital=500)
    reasons = [it["reason"] for it in rows(target, refused, "orders") if it["event"] == "rejected"]
    assert reasons == ["insufficient_margin"], "800 of margin is more than 500"


def test_a_hedged_account_holds_both_sides_and_a_netting_one_does_not(target: Target, store: Store) -> None:
    store("hedge", [flat(1.1000), flat(1.1000), flat(1.1020), flat(1.1020), flat(1.1050), flat(1.1050)])
    decisions = {0: "order(units=10000)", 1: "order(units=-6000)", 3: "close()"}
    script = strategy(target, "Both sides", decisions)
    hedged = backtest(target, script, "hedge", account="hedging")
    sides = [(it["type"], it["size"], it["profit_loss"]) for it in hedged["trades"]]
    # 10,000 · 50 pips, and 6,000 · −30 pips.
    assert sides == [("long", 10000, money(50)), ("short", 6000, money(-18))]
    both = rows(target, hedged, "margin")[1]
    assert both["used_margin"] == money(367.333333), "the larger side: 10,000 · 1.102 ÷ 30"
    netted = backtest(target, script, "hedge")
    sides = [(it["type"], it["size"], it["profit_loss"]) for it in netted["trades"]]
    assert sides == [("long", 6000, money(12)), ("long", 4000, money(20))]
    assert netted["metrics"]["final_balance"] == hedged["metrics"]["final_balance"] == money(10_032)


def test_scenarios_show_each_policy_and_the_range_of_all(target: Target, store: Store) -> None:
    store("doubt", [flat(1.1000), (1.1000, 1.1010, 1.0990, 1.1000), (1.1000, 1.1060, 1.0940, 1.1000), flat(1.1000)])
    script = strategy(target, "Doubt", {0: "buy(units=10000, stop_loss=1.0950, take_profit=1.1050)"})
    result = backtest(target, script, "doubt", scenarios=["pessimistic", "optimistic"])
    assert result["metrics"]["net_profit"] == money(-50)
    assert result["metrics"]["ambiguous_trades"] == 1
    pessimistic, optimistic = result["scenarios"]
    assert (pessimistic["fill_policy"], pessimistic["metrics"]) == ("pessimistic", result["metrics"])
    assert pessimistic["result_hash"] == result["result_hash"]
    assert (optimistic["fill_policy"], optimistic["metrics"]["net_profit"]) == ("optimistic", money(50))
    net = result["range"]["net_profit"]
    assert (net["min"], net["max"]) == (money(-50), money(50))
    alone = backtest(target, script, "doubt", fill_policy="optimistic")
    assert alone["result_hash"] == optimistic["result_hash"]
    assert "scenarios" not in alone
    assert get(target, f"/api/v1/backtests/{result['backtest_id']}")["result"] == result


def test_two_pairs_share_one_account(target: Target, store: Store) -> None:
    store("two", [flat(1.1000), flat(1.1000), flat(1.1010), flat(1.1010)])
    store("two", [flat(1.2500), flat(1.2500), flat(1.2480), flat(1.2480)], pair="GBP/USD")
    script = strategy(target, "Two pairs", {0: "buy(units=10000)", 1: "close()"})
    result = backtest(target, script, "two", instruments=["EUR/USD", "GBP/USD"])
    assert result["instruments"] == ["EUR/USD", "GBP/USD"]
    gains = {it["instrument"]: it["profit_loss"] for it in result["trades"]}
    assert gains == {"EUR/USD": money(10), "GBP/USD": money(-20)}
    assert result["metrics"]["final_balance"] == money(9_990)


def test_pairs_with_accounts_of_their_own_are_each_run_alone(target: Target, store: Store) -> None:
    store("apart", [flat(1.1000), flat(1.1000), flat(1.1010), flat(1.1010)])
    store("apart", [flat(1.2500), flat(1.2500), flat(1.2480), flat(1.2480)], pair="GBP/USD")
    script = strategy(target, "Apart", {0: "buy(equity_percent=100)", 1: "close()"})
    pairs = ["EUR/USD", "GBP/USD"]
    result = backtest(target, script, "apart", instruments=pairs, independent=True, initial_capital=10_001)
    assert result["independent"] is True
    alone = [backtest(target, script, "apart", instruments=[pair], initial_capital=5_000.5) for pair in pairs]
    assert not any(it["independent"] for it in alone)
    gains = [it["profit_loss"] for it in result["trades"]]
    assert gains == [it["trades"][0]["profit_loss"] for it in alone]
    assert result["metrics"]["final_balance"] == money(sum(it["metrics"]["final_balance"] for it in alone))
    ledger = rows(target, result, "ledger")
    assert [it["amount"] for it in ledger if it["kind"] == "deposit"] == [5_000.5, 5_000.5]
    assert ledger[-1]["balance"] == result["metrics"]["final_balance"]


def test_what_services_told_decides_from_the_close_at_which_it_was_known(
    target: Target, store: Store, server: Callable[..., str], tmp_path: Path
) -> None:
    store("told", [flat(1.1000)] * 6)

    def tell(rows: dict[str, str], column: str, *kind: str) -> str:
        file = tmp_path / "told.csv"
        file.write_text("\n".join([f"available_at,{column}", *(f"{at},{value}" for at, value in rows.items())]))
        printed = server("import", file, *kind, "--instrument", "EUR/USD", "--dataset", "told")
        return printed.split()[-1]

    code = (
        "class Told(Strategy):\n    def analyze(self, data):\n"
        '        if feature("mood") > 0 and regime() == "calm" and pattern("double_top") < 0.5:\n'
        "            return buy(units=10000)\n        return close()\n"
    )
    body = {"name": "Told", "instruments": ["EUR/USD"], "timeframe": "1h", "code": code}
    answer = target.http.post("/api/v1/strategies/register", json=body)
    assert answer.status_code == 201, answer.text
    asked = {
        "strategy_id": answer.json()["id"],
        "dataset": "told",
        "start_date": "2024-01-02",
        "end_date": "2024-01-03",
    }
    before = "2024-01-01T00:00:00Z"
    regimes = {before: "wild", "2024-01-02T01:30:00Z": "calm"}
    tell(regimes, "regime", "--regime", "--timeframe", "1h")
    tell({before: "0", "2024-01-02T04:00:00Z": "0.75"}, "confidence", "--pattern", "double_top", "--timeframe", "1h")
    missing = refusal(target.http.post("/api/v1/backtest", json=asked), 422, "BacktestDataError")
    assert 'no values of feature("mood") for EUR/USD' in missing["detail"]
    version = tell({before: "-1", "2024-01-02T03:00:00Z": "1"}, "value", "--feature", "mood")
    answer = target.http.post("/api/v1/backtest", json=asked)
    assert answer.status_code == 200, answer.text
    (trade,) = answer.json()["trades"]
    # The mood turns at the close of the third bar, the pattern appears at that of the fourth.
    assert (trade["entry_time"], trade["exit_time"]) == ("2024-01-02T03:00:00Z", "2024-01-02T04:00:00Z")
    read = {it["kind"]: it for it in answer.json()["features"]}
    assert read["feature"] == {
        "dataset": "told", "instrument": "EUR/USD", "kind": "feature", "name": "mood", "version": version
    }  # fmt: skip
    assert (read["regime"]["timeframe"], read["pattern"]["name"]) == ("1h", "double_top")
    listed = [it for it in all_pages(target, "/api/v1/features", "features", page_size=2) if it["dataset"] == "told"]
    assert {it["kind"]: it["version"] for it in listed} == {kind: it["version"] for kind, it in read.items()}
    stale = target.http.post("/api/v1/backtest", json=asked | {"features_age_hours_max": 24})
    detail = refusal(stale, 422, "BacktestDataError")["detail"]
    assert "at 2024-01-02T01:00:00Z there is no value of" in detail, detail
    assert "more than 24 hours before" in detail
    executed = target.http.post(
        "/api/v1/execute", json={"strategy_id": asked["strategy_id"], "capital_allocation": 10000, "dataset": "told"}
    )
    assert executed.status_code == 200, executed.text


def test_every_wrong_option_of_a_run_is_named_at_once(target: Target) -> None:
    body = {
        "strategy_id": "s", "start_date": "2024-01-02", "end_date": "2024-01-03",
        "account": "both", "stop_out": {"level": 5}, "scenarios": ["best"], "spread": {"by_hour": [1]},
        "financing": {"rates": [{"instrument": "EUR/USD", "from": "soon", "long": 1, "short": 1, "unit": "points"}]},
    }  # fmt: skip
    answer = target.http.post("/api/v1/backtest", json=body)
    issues = refusal(answer, 422, "RequestValidationError")["error"]["details"]["issues"]
    named = {it["field"] for it in issues}
    assert named == {"account", "stop_out.level", "scenarios[0]", "spread.by_hour", "financing.rates[0].from"}
    (hint,) = [it["hint"] for it in issues if it.get("hint")]
    assert hint == "did you mean `level_pct`?"
