//! A file of what was told: CSV with a header, one value a line.

use super::REGIME_NAMES_MAX;
use crate::import::shown;
use fx_app::ports::{FEATURE_ROWS_MAX, FeatureColumn, FeatureValues};
use fx_app::records::Told;
use fx_domain::UnixNanos;
use std::collections::BTreeSet;
use std::fmt;

/// Bad lines that a refusal lists.
const LISTED_MAX: usize = 10;
/// The column that says when a value could be read for the first time.
const TIME: &str = "available_at";

/// A file cannot be stored. Nothing of it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureFileError {
    /// A column that is needed is missing, or there is no header.
    #[error(
        "line 1: expected a header with the columns {TIME} and {wanted}, separated by commas; found `{found}`"
    )]
    Header {
        /// The column of the values.
        wanted: &'static str,
        /// The line.
        found: String,
    },
    /// There is no value.
    #[error("there is no value behind the header")]
    Empty,
    /// Too many values, or too many different names of a regime.
    #[error("line {line}: more than {limit} {unit}")]
    Limit {
        /// Where the limit is passed.
        line: usize,
        /// The limit.
        limit: usize,
        /// Of what.
        unit: &'static str,
    },
    /// Lines are bad.
    #[error("{} of {lines} lines are bad and nothing was stored{}", .bad.len(), listed(bad))]
    Lines {
        /// All lines behind the header.
        lines: usize,
        /// Those that are bad.
        bad: Vec<BadLine>,
    },
}

/// A line that holds no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, 1 is the header.
    pub line: usize,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

fn listed(bad: &[BadLine]) -> String {
    let listed: String = bad.iter().take(LISTED_MAX).map(|line| format!("\n  {line}")).collect();
    let more = bad.len().saturating_sub(LISTED_MAX);
    if more > 0 { format!("{listed}\n  and {more} more") } else { listed }
}

/// Reads a file of what `told` is: the columns `available_at` and `value` of a feature, `confidence` of a pattern, `regime`
/// of a regime, in any order; others are not read. Times are RFC 3339 instants, each later than the one before: a date alone
/// does not say when in the day the value was there.
///
/// # Errors
/// [`FeatureFileError`] naming every bad line.
pub fn read_features(told: &Told, text: &str) -> Result<FeatureValues, FeatureFileError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().zip(1..);
    let wanted = column_of(told);
    let header = lines.next().map_or("", |(line, _)| line);
    let columns: Vec<&str> = header.split(',').map(str::trim).collect();
    let place = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let (Some(time), Some(value)) = (place(TIME), place(wanted)) else {
        return Err(FeatureFileError::Header { wanted, found: shown(header) });
    };
    let mut reader = Reader::new(told);
    let (mut count, mut bad) = (0, Vec::new());
    for (text, line) in lines.filter(|(text, _)| !text.trim().is_empty()) {
        count += 1;
        let fields: Vec<&str> = text.split(',').map(str::trim).collect();
        let read = if fields.len() == columns.len() {
            reader.take(fields[time], fields[value])
        } else {
            Err(format!("it has {} fields, the header has {}", fields.len(), columns.len()))
        };
        if let Err(reason) = read {
            bad.push(BadLine { line, reason });
        }
        reader.check_limits(line)?;
    }
    if !bad.is_empty() {
        return Err(FeatureFileError::Lines { lines: count, bad });
    }
    if count == 0 { Err(FeatureFileError::Empty) } else { Ok(reader.values) }
}

/// The column that holds the values.
const fn column_of(told: &Told) -> &'static str {
    match told {
        Told::Feature(_) => "value",
        Told::Pattern(..) => "confidence",
        Told::Regime(_) => "regime",
    }
}

/// What was read so far.
struct Reader<'a> {
    told: &'a Told,
    values: FeatureValues,
    names: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    fn new(told: &'a Told) -> Self {
        let values = match told {
            Told::Regime(_) => FeatureColumn::Names(Vec::new()),
            _ => FeatureColumn::Numbers(Vec::new()),
        };
        Self { told, values: FeatureValues { available_at: Vec::new(), values }, names: BTreeSet::new() }
    }

    fn take(&mut self, time: &str, value: &str) -> Result<(), String> {
        if UnixNanos::parse_date(time).is_some() {
            return Err(format!("{TIME} `{time}` is a date: name the instant at which the value was there"));
        }
        let at = UnixNanos::parse(time)
            .map_err(|_| format!("{TIME} `{}` is no instant such as 2024-03-08T21:00:00Z", shown(time)))?;
        if let Some(last) = self.values.available_at.last().filter(|last| **last >= at) {
            return Err(format!("{TIME} {at} is not after {last}, the one before"));
        }
        match &mut self.values.values {
            FeatureColumn::Numbers(numbers) => numbers.push(number(self.told, value)?),
            FeatureColumn::Names(names) => {
                Told::check_regime(value).map_err(|fault| format!("regime: {fault}"))?;
                self.names.insert(value.to_owned());
                names.push(value.to_owned());
            }
        }
        self.values.available_at.push(at);
        Ok(())
    }

    fn check_limits(&self, line: usize) -> Result<(), FeatureFileError> {
        if self.values.available_at.len() > FEATURE_ROWS_MAX {
            return Err(FeatureFileError::Limit { line, limit: FEATURE_ROWS_MAX, unit: "values" });
        }
        if self.names.len() > REGIME_NAMES_MAX {
            return Err(FeatureFileError::Limit { line, limit: REGIME_NAMES_MAX, unit: "names of a regime" });
        }
        Ok(())
    }
}

fn number(told: &Told, text: &str) -> Result<f64, String> {
    let column = column_of(told);
    let value: f64 = text
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .ok_or_else(|| format!("{column} `{}` is no finite number", shown(text)))?;
    if matches!(told, Told::Pattern(..)) && !(0.0..=1.0).contains(&value) {
        return Err(format!("{column} {value} is not from 0 to 1"));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fx_domain::Granularity;

    fn feature() -> Told {
        Told::Feature("mood".to_owned())
    }

    fn refused(told: &Told, text: &str) -> String {
        read_features(told, text).unwrap_err().to_string()
    }

    #[test]
    fn columns_are_found_by_name_and_others_are_not_read() {
        let text = "\u{feff}source,Value, available_at\r\nx,0.5,2024-03-08T21:00:00+01:00\r\n\r\ny,-1e-3,2024-03-08T20:00:00.5Z\r\n";
        let read = read_features(&feature(), text).unwrap();
        let at = |text| UnixNanos::parse(text).unwrap();
        assert_eq!(read.available_at, [at("2024-03-08T20:00:00Z"), at("2024-03-08T20:00:00.5Z")]);
        assert_eq!(read.values, FeatureColumn::Numbers(vec![0.5, -1e-3]));
        let text = "available_at,regime,trend_direction,volatility,strength\n2024-03-08T21:00:00Z,strong trend,up,low,0.7\n";
        let read = read_features(&Told::Regime(Granularity::H1), text).unwrap();
        assert_eq!(read.values, FeatureColumn::Names(vec!["strong trend".to_owned()]));
    }

    #[test]
    fn every_bad_line_is_named_by_its_number_and_nothing_is_read() {
        let rows = [
            "2024-03-08T21:00:00Z,1",
            "2024-03-08,1",
            "2024-03-08T20:00:00Z,1",
            "2024-03-08T21:00:00Z,1",
            "2024-03-08T22:00:00,1",
            "2024-03-08T23:00:00Z,NaN",
            "2024-03-08T23:00:00Z,",
            "2024-03-08T23:00:00Z,1,2",
            "yesterday,1",
            "2024-03-08T23:00:00Z,2",
        ];
        let text = format!("available_at,value\n{}", rows.join("\n"));
        assert_eq!(
            refused(&feature(), &text),
            "8 of 10 lines are bad and nothing was stored\n  \
             line 3: available_at `2024-03-08` is a date: name the instant at which the value was there\n  \
             line 4: available_at 2024-03-08T20:00:00Z is not after 2024-03-08T21:00:00Z, the one before\n  \
             line 5: available_at 2024-03-08T21:00:00Z is not after 2024-03-08T21:00:00Z, the one before\n  \
             line 6: available_at `2024-03-08T22:00:00` is no instant such as 2024-03-08T21:00:00Z\n  \
             line 7: value `NaN` is no finite number\n  \
             line 8: value `` is no finite number\n  \
             line 9: it has 3 fields, the header has 2\n  \
             line 10: available_at `yesterday` is no instant such as 2024-03-08T21:00:00Z"
        );
    }

    #[test]
    fn a_confidence_is_a_share_and_a_regime_has_a_name() {
        let pattern = Told::Pattern("double_top".to_owned(), Granularity::H1);
        let one =
            |column: &str, value: &str| format!("available_at,{column}\n2024-03-08T21:00:00Z,{value}\n");
        assert!(read_features(&pattern, &one("confidence", "1")).is_ok());
        assert!(
            refused(&pattern, &one("confidence", "1.1"))
                .contains("line 2: confidence 1.1 is not from 0 to 1")
        );
        assert!(refused(&pattern, &one("value", "1")).contains("columns available_at and confidence"));
        let regime = Told::Regime(Granularity::H1);
        assert!(refused(&regime, &one("regime", "")).contains("line 2: regime: a name has 1 to 64 bytes"));
        let many: String =
            (0..=REGIME_NAMES_MAX).map(|i| format!("2024-03-08T21:{i:02}:00Z,r{i}\n")).collect();
        let many = many.replace("21:60", "22:00").replace("21:61", "22:01").replace("21:62", "22:02");
        let many = many.replace("21:63", "22:03").replace("21:64", "22:04");
        assert_eq!(
            refused(&regime, &format!("available_at,regime\n{many}")),
            "line 66: more than 64 names of a regime"
        );
    }

    #[test]
    fn a_file_without_header_or_values_is_refused() {
        assert!(refused(&feature(), "").starts_with("line 1: expected a header"));
        assert!(refused(&feature(), "2024-03-08T21:00:00Z,1\n").contains("found `2024-03-08T21:00:00Z,1`"));
        assert_eq!(refused(&feature(), "available_at,value\n\n"), "there is no value behind the header");
    }
}
