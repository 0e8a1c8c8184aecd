use super::*;
use jiff::civil::date;

fn pair(text: &str) -> Instrument {
    Instrument::parse(text).unwrap()
}

fn roll(text: &str) -> UnixNanos {
    UnixNanos::parse(text).unwrap()
}

fn points(instrument: &str, from: Date, long: f64, short: f64) -> FinancingRow {
    FinancingRow {
        instrument: pair(instrument),
        from,
        long: SwapRate::Points(long),
        short: SwapRate::Points(short),
    }
}

fn table() -> FinancingTable {
    let rows = vec![
        points("USD/JPY", date(2024, 1, 1), 1.5, -2.5),
        points("EUR/USD", date(2024, 6, 6), -0.7, 0.3),
        points("EUR/USD", date(2024, 1, 1), -0.6, 0.2),
    ];
    FinancingTable::new("broker", rows).unwrap()
}

/// Every unit, an optional column left empty, comments and blank lines.
const TEXT: &str = "\u{feff}# rates of a broker
instrument,from,long,short,unit,day_count,currency

EUR/USD, 2024-06-06, -0.7, 0.3, points,,
gbp_usd,2024-01-01,-4.75,2.5,annual_percent,365,\r
USD/JPY,2024-01-01,12.5,-20,per_lot,,JPY
AUD/USD,2024-01-01,-3,1,per_lot,,
EUR/USD,2024-01-01,-5.1,3.2,annual_percent,360,
";

#[test]
fn the_latest_row_counts_from_the_trading_day_that_ends_at_the_rollover() {
    let long = |at| table().swap(&pair("EUR/USD"), Side::Long, roll(at));
    assert_eq!(long("2023-12-29T22:00:00Z"), None);
    assert_eq!(long("2024-01-01T22:00:00Z"), Some(SwapRate::Points(-0.6)));
    assert_eq!(long("2024-06-05T21:00:00Z"), Some(SwapRate::Points(-0.6)));
    assert_eq!(long("2024-06-06T21:00:00Z"), Some(SwapRate::Points(-0.7)));
    assert_eq!(long("2034-06-06T21:00:00Z"), Some(SwapRate::Points(-0.7)));
}

#[test]
fn sides_and_pairs_have_rates_of_their_own() {
    let at = roll("2024-06-06T21:00:00Z");
    assert_eq!(table().swap(&pair("EUR/USD"), Side::Short, at), Some(SwapRate::Points(0.3)));
    assert_eq!(table().swap(&pair("USD/JPY"), Side::Short, at), Some(SwapRate::Points(-2.5)));
    for missing in ["AUD/USD", "GBP/USD", "USD/ZAR"] {
        assert_eq!(table().swap(&pair(missing), Side::Long, at), None, "{missing}");
    }
    assert_eq!(table().swap(&pair("EUR/USD"), Side::Long, roll("2024-06-08T21:00:00Z")), None, "a Saturday");
}

#[test]
fn days_are_those_between_value_dates_unless_overridden() {
    let weights = DayWeights::new([1, 1, 1, 1, 3]).unwrap();
    let table = table().with_day_weights(pair("EUR/USD"), weights).unwrap();
    let week = |text: &str| -> Vec<u32> {
        let days = (3..=8).map(|day| date(2024, 6, day)).map(UnixNanos::end_of_trading_day);
        days.map(|roll| table.days(&pair(text), roll)).collect()
    };
    assert_eq!(week("EUR/USD"), [1, 1, 1, 1, 3, 0]);
    assert_eq!(week("USD/JPY"), [1, 1, 3, 1, 1, 0]);
}

#[test]
fn a_wrong_table_says_which_row_and_field() {
    let error = |name: &str, rows| FinancingTable::new(name, rows).unwrap_err().to_string();
    let row = points("EUR/USD", date(2024, 1, 1), -0.6, 0.2);
    assert_eq!(error("", vec![row]), "name: expected 1 to 64 characters");
    assert_eq!(error(&"x".repeat(65), vec![row]), "name: expected 1 to 64 characters");
    assert_eq!(error("broker", vec![]), "rows: expected 1 to 100000, got 0");
    let other = points("USD/JPY", date(2024, 1, 1), 1.0, f64::NAN);
    assert_eq!(
        error("broker", vec![row, other]),
        "rows[1]: short: expected a number from -1e9 to 1e9, got NaN"
    );
    let other = FinancingRow { long: SwapRate::PerLot { amount: 2e9, currency: None }, ..row };
    assert!(error("broker", vec![other]).starts_with("rows[0]: long: "));
    assert_eq!(
        error("broker", vec![row, points("USD/JPY", date(2024, 1, 1), 1.0, 1.0), row]),
        "rows[2]: from: rows[0] already has rates of EUR/USD from 2024-01-01"
    );
}

#[test]
fn day_weights_have_a_limit_and_a_pair_with_rates() {
    assert_eq!(DayWeights::new([1, 1, 32, 1, 1]), Err(FinancingError::DayWeight(32)));
    let weights = DayWeights::new([1, 1, 3, 1, 31]).unwrap();
    let error = table().with_day_weights(pair("GBP/USD"), weights).unwrap_err();
    assert_eq!(error.to_string(), "day_weights: GBP/USD has no rates in the table");
}

#[test]
fn a_text_is_read_with_every_unit() {
    let table = FinancingTable::parse_csv("broker", TEXT).unwrap();
    let percent = |percent, days_in_year| SwapRate::AnnualPercent { percent, days_in_year };
    let lot = |amount, currency| SwapRate::PerLot { amount, currency };
    let row = |instrument: &str, from, long, short| FinancingRow {
        instrument: pair(instrument),
        from,
        long,
        short,
    };
    let (first, actual360, actual365) = (date(2024, 1, 1), DayCount::Actual360, DayCount::Actual365);
    let expected = [
        row("AUD/USD", first, lot(-3.0, None), lot(1.0, None)),
        row("EUR/USD", first, percent(-5.1, actual360), percent(3.2, actual360)),
        row("EUR/USD", date(2024, 6, 6), SwapRate::Points(-0.7), SwapRate::Points(0.3)),
        row("GBP/USD", first, percent(-4.75, actual365), percent(2.5, actual365)),
        row("USD/JPY", first, lot(12.5, Some(Currency::JPY)), lot(-20.0, Some(Currency::JPY))),
    ];
    assert_eq!(table.rows(), expected);
    assert_eq!(table.name(), "broker");
}

#[test]
fn the_optional_columns_may_be_left_out_and_the_order_is_free() {
    let text = "unit,short,long,from,instrument\npoints,0.3,-0.7,2024-06-06,EUR/USD";
    let table = FinancingTable::parse_csv("broker", text).unwrap();
    assert_eq!(table.rows(), [points("EUR/USD", date(2024, 6, 6), -0.7, 0.3)]);
}

#[test]
fn a_wrong_text_says_which_line_and_column() {
    let whole = "instrument,from,long,short,unit,day_count,currency\n";
    let good = "EUR/USD,2024-01-01,-1,1,points,,\n";
    for (line, message) in [
        ("EUR,2024-01-01,-1,1,points,,", "instrument: expected a pair such as EUR/USD, got `EUR`"),
        ("EUR/USD,2024-02-30,-1,1,points,,", "from: expected a date such as 2024-03-08, got `2024-02-30`"),
        (
            "EUR/USD,2024-02-02T00:00,-1,1,points,,",
            "from: expected a date such as 2024-03-08, got `2024-02-02T00:00`",
        ),
        ("EUR/USD,2024-01-02,,1,points,,", "long: expected a number, got ``"),
        ("EUR/USD,2024-01-02,-1,inf,points,,", "short: expected a number from -1e9 to 1e9, got inf"),
        ("EUR/USD,2024-01-02,-1,1,pips,,", "unit: expected points, annual_percent or per_lot, got `pips`"),
        ("EUR/USD,2024-01-02,-1,1,annual_percent,,", "day_count: expected 360 or 365, got ``"),
        ("EUR/USD,2024-01-02,-1,1,points,360,", "day_count: `360` is for annual_percent only"),
        ("EUR/USD,2024-01-02,-1,1,points,,USD", "currency: `USD` is for per_lot only"),
        (
            "EUR/USD,2024-01-02,-1,1,per_lot,,XXX",
            "currency: expected an ISO 4217 code such as USD, got `XXX`",
        ),
        ("EUR/USD,2024-01-02,-1,1,points", "expected 7 fields as in the header, got 5"),
        ("EUR/USD,2024-01-01,-1,1,points,,", "from: line 2 already has rates of EUR/USD from 2024-01-01"),
    ] {
        let error = FinancingTable::parse_csv("broker", &format!("{whole}{good}\n{line}\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("line 4: {message}"));
    }
    let header = |header: &str| FinancingTable::parse_csv("broker", header).unwrap_err().to_string();
    assert_eq!(header("\ninstrument,from,long,short"), "line 2: column `unit` is missing");
    assert_eq!(header("instrument,from,long,long,unit"), "line 1: column `long` is there twice");
    assert!(header("instrument,date").starts_with("line 1: unknown column `date`: expected instrument,"));
    assert_eq!(header("# nothing"), "rows: expected 1 to 100000, got 0");
    assert_eq!(header(whole), "rows: expected 1 to 100000, got 0");
}

#[test]
fn a_table_survives_its_stored_forms_and_a_wrong_one_is_refused() {
    let weights = DayWeights::new([1, 1, 1, 1, 3]).unwrap();
    let table = FinancingTable::parse_csv("broker", TEXT).unwrap();
    let table = table.with_day_weights(pair("EUR/USD"), weights).unwrap();
    let json = serde_json::to_string(&table).unwrap();
    assert_eq!(serde_json::from_str::<FinancingTable>(&json).unwrap(), table);
    let bytes = postcard::to_stdvec(&table).unwrap();
    assert_eq!(postcard::from_bytes::<FinancingTable>(&bytes).unwrap(), table);

    let refused = |from: &str, to: &str| {
        assert!(json.contains(from), "{from} is not in {json}");
        serde_json::from_str::<FinancingTable>(&json.replacen(from, to, 1)).unwrap_err().to_string()
    };
    assert!(refused("\"broker\"", "\"\"").contains("name: expected 1 to 64 characters"));
    assert!(refused(":360", ":366").contains("day_count: expected 360 or 365, got 366"));
    assert!(refused("[1,1,1,1,3]", "[1,1,1,1,300]").contains("day_weights: expected at most 31"));
    assert!(refused("\"2024-06-06\"", "\"2024-01-01\"").contains("already has rates of EUR/USD"));
    assert!(refused("\"name\"", "\"title\"").contains("unknown field `title`"));
}
