//! Text and numbers of the page.

use fx_domain::UnixNanos;

/// What stands where a figure is undefined.
pub(super) const UNDEFINED: &str = "–";

/// `text` as HTML text or attribute value: nothing in it can end either.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control and direction characters could make the page read differently from what it says.
            c if c.is_control() => escaped.push(' '),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A number with thousands separators and a true minus sign; a rounded zero has no sign.
pub(super) fn number(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNDEFINED.to_owned();
    }
    let digits = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = digits.split_once('.').map_or((digits.as_str(), None), |(w, f)| (w, Some(f)));
    let mut text = String::new();
    if value < 0.0 && digits.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0') {
        text.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// The same with a plus sign before gains.
pub(super) fn signed(value: f64, decimals: usize) -> String {
    let text = number(value, decimals);
    let positive = value > 0.0 && text.bytes().any(|byte| byte.is_ascii_digit() && byte != b'0');
    if positive { format!("+{text}") } else { text }
}

pub(super) fn optional(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| UNDEFINED.to_owned(), |value| number(value, decimals))
}

pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| UNDEFINED.to_owned(), |value| format!("{} %", number(value, 2)))
}

/// Hours as people say them: minutes below two hours, days from two days on.
pub(super) fn duration_of_hours(hours: Option<f64>) -> String {
    match hours {
        None => UNDEFINED.to_owned(),
        Some(hours) if hours < 2.0 => format!("{} min", number(hours * 60.0, 0)),
        Some(hours) if hours < 48.0 => format!("{} h", number(hours, 1)),
        Some(hours) => format!("{} days", number(hours / 24.0, 1)),
    }
}

/// The class that colours a gain or a loss; none for zero.
pub(super) fn tone(value: f64) -> &'static str {
    if value > 0.0 {
        "gain"
    } else if value < 0.0 {
        "loss"
    } else {
        ""
    }
}

/// `2024-03-08 21:00`, UTC.
pub(super) fn minute(time: UnixNanos) -> String {
    let utc = time.utc();
    format!("{:04}-{:02}-{:02} {:02}:{:02}", utc.year(), utc.month(), utc.day(), utc.hour(), utc.minute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(number(1_234_567.891, 2), "1,234,567.89");
        assert_eq!(number(-1_000.0, 0), "−1,000");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(f64::NAN, 2), UNDEFINED);
        assert_eq!(
            (signed(0.5, 1), signed(-0.5, 1), signed(0.001, 1)),
            ("+0.5".into(), "−0.5".into(), "0.0".into())
        );
        assert_eq!(duration_of_hours(Some(0.5)), "30 min");
        assert_eq!(duration_of_hours(Some(72.0)), "3.0 days");
    }

    #[test]
    fn nothing_that_ends_a_tag_or_an_attribute_survives() {
        assert_eq!(escape("<b a='1' b=\"2\">&\n\u{202e}"), "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp; ");
    }
}
