//! Tables of rates as text.

use super::{DayCount, FinancingError, FinancingRow, FinancingTable, ROWS_MAX, RowPlace, SwapRate};
use crate::Instrument;
use jiff::civil::Date;

/// Columns that every text has.
const REQUIRED: [&str; 5] = ["instrument", "from", "long", "short", "unit"];
/// Columns that it may have.
const OPTIONAL: [&str; 2] = ["day_count", "currency"];

impl FinancingTable {
    /// Reads a table from comma-separated text: a header, then one row a line.
    ///
    /// | column | holds |
    /// | --- | --- |
    /// | `instrument` | the pair: `EUR/USD` |
    /// | `from` | the first trading day, `2024-03-08` |
    /// | `long`, `short` | the rates: received when positive, paid when negative |
    /// | `unit` | `points`, `annual_percent` or `per_lot` |
    /// | `day_count` | 360 or 365 for `annual_percent`, else empty |
    /// | `currency` | the currency of `per_lot`, empty for the account's; else empty |
    ///
    /// The last two may be left out. Columns come in any order; blank lines and lines that open with `#` are passed
    /// over; fields are not quoted.
    ///
    /// # Errors
    /// [`FinancingError`], naming the line and column.
    pub fn parse_csv(name: impl Into<String>, text: &str) -> Result<Self, FinancingError> {
        let mut lines = (1_u64..)
            .zip(text.trim_start_matches('\u{feff}').lines())
            .map(|(number, line)| (number, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let Some((number, header)) = lines.next() else { return Err(FinancingError::RowCount(0)) };
        let columns = Columns::parse(number, header)?;
        // One more than allowed, so that too many are seen to be.
        let rows = lines.take(ROWS_MAX + 1).map(|(number, line)| {
            let line = Line { place: RowPlace::Line(number), fields: columns.split(number, line)? };
            Ok((line.place, line.row()?))
        });
        Self::from_places(name.into(), rows.collect::<Result<Vec<_>, FinancingError>>()?.into_iter())
    }
}

/// The names of the columns, in the order of the text.
struct Columns(Vec<&'static str>);

impl Columns {
    fn parse(line: u64, header: &str) -> Result<Self, FinancingError> {
        let wrong = |problem: String| FinancingError::Header { line, problem };
        let mut columns = Vec::new();
        for name in header.split(',').map(str::trim) {
            let known = REQUIRED.into_iter().chain(OPTIONAL).find(|known| *known == name);
            let known = known.ok_or_else(|| {
                wrong(format!(
                    "unknown column `{name}`: expected instrument,from,long,short,unit[,day_count][,currency]"
                ))
            })?;
            if columns.contains(&known) {
                return Err(wrong(format!("column `{name}` is there twice")));
            }
            columns.push(known);
        }
        match REQUIRED.into_iter().find(|required| !columns.contains(required)) {
            Some(missing) => Err(wrong(format!("column `{missing}` is missing"))),
            None => Ok(Self(columns)),
        }
    }

    fn split<'line>(
        &self,
        number: u64,
        line: &'line str,
    ) -> Result<Vec<(&'static str, &'line str)>, FinancingError> {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        if fields.len() == self.0.len() {
            return Ok(self.0.iter().copied().zip(fields).collect());
        }
        let problem = format!("expected {} fields as in the header, got {}", self.0.len(), fields.len());
        Err(FinancingError::Header { line: number, problem })
    }
}

/// One row of the text.
struct Line<'text> {
    place: RowPlace,
    fields: Vec<(&'static str, &'text str)>,
}

impl Line<'_> {
    fn row(&self) -> Result<FinancingRow, FinancingError> {
        Ok(FinancingRow {
            instrument: self
                .read("instrument", "a pair such as EUR/USD", |text| Instrument::parse(text).ok())?,
            from: self.read("from", "a date such as 2024-03-08", parse_date)?,
            long: self.rate("long")?,
            short: self.rate("short")?,
        })
    }

    fn rate(&self, side: &'static str) -> Result<SwapRate, FinancingError> {
        let number: f64 = self.read(side, "a number", |text| text.parse().ok())?;
        let (unit, day_count, currency) = (self.text("unit"), self.text("day_count"), self.text("currency"));
        if unit != "annual_percent" && !day_count.is_empty() {
            return Err(self.wrong("day_count", format!("`{day_count}` is for annual_percent only")));
        }
        if unit != "per_lot" && !currency.is_empty() {
            return Err(self.wrong("currency", format!("`{currency}` is for per_lot only")));
        }
        match unit {
            "points" => Ok(SwapRate::Points(number)),
            "annual_percent" => {
                let days_in_year = match day_count {
                    "360" => DayCount::Actual360,
                    "365" => DayCount::Actual365,
                    other => {
                        return Err(self.wrong("day_count", format!("expected 360 or 365, got `{other}`")));
                    }
                };
                Ok(SwapRate::AnnualPercent { percent: number, days_in_year })
            }
            "per_lot" if currency.is_empty() => Ok(SwapRate::PerLot { amount: number, currency: None }),
            "per_lot" => {
                let currency =
                    self.read("currency", "an ISO 4217 code such as USD", |text| text.parse().ok())?;
                Ok(SwapRate::PerLot { amount: number, currency: Some(currency) })
            }
            other => {
                Err(self.wrong("unit", format!("expected points, annual_percent or per_lot, got `{other}`")))
            }
        }
    }

    fn text(&self, column: &str) -> &str {
        self.fields.iter().find(|(name, _)| *name == column).map_or("", |(_, text)| text)
    }

    fn read<T>(
        &self,
        field: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, FinancingError> {
        let text = self.text(field);
        parse(text).ok_or_else(|| self.wrong(field, format!("expected {expected}, got `{text}`")))
    }

    fn wrong(&self, field: &'static str, problem: String) -> FinancingError {
        FinancingError::Field { place: self.place, field, problem }
    }
}

/// `YYYY-MM-DD` and nothing longer: the date of a time would pass unnoticed otherwise.
fn parse_date(text: &str) -> Option<Date> {
    if text.len() == "YYYY-MM-DD".len() { text.parse().ok() } else { None }
}
