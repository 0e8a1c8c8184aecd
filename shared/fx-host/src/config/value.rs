//! Texts become values. Every function answers with the reason in words when a text is refused.

use super::Secret;
use axum::http::{HeaderValue, Uri};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;
use tracing::level_filters::LevelFilter;

/// The longest time that a setting may name: one day.
const SECONDS_MAX: f64 = 86_400.0;
/// Origins in `CORS_ORIGINS`, at most.
const ORIGINS_MAX: usize = 100;

type Parsed<T> = Result<T, String>;

pub(super) fn flag(text: &str) -> Parsed<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither true nor false")),
    }
}

/// A whole number of `T` within `min ..= max`.
pub(super) fn integer<T: FromStr + PartialOrd + std::fmt::Display>(
    min: T,
    max: T,
) -> impl Fn(&str) -> Parsed<T> {
    move |text| match text.parse::<T>() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(format!("`{text}` is not a whole number from {min} to {max}")),
    }
}

/// A finite number within `min ..= max`.
pub(super) fn number(min: f64, max: f64) -> impl Fn(&str) -> Parsed<f64> {
    move |text| match text.parse::<f64>() {
        Ok(number) if number >= min && number <= max => Ok(number),
        _ => Err(format!("`{text}` is not a number from {min} to {max}")),
    }
}

/// A time above zero.
pub(super) fn seconds(text: &str) -> Parsed<Duration> {
    match delay(text)? {
        Duration::ZERO => Err(format!("`{text}` is not above zero")),
        time => Ok(time),
    }
}

/// A time of zero or more.
pub(super) fn delay(text: &str) -> Parsed<Duration> {
    let refused = || format!("`{text}` is not a number of seconds from 0 to {SECONDS_MAX}");
    let seconds: f64 = text.parse().map_err(|_| refused())?;
    if !(0.0..=SECONDS_MAX).contains(&seconds) {
        return Err(refused());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| refused())
}

pub(super) fn level(text: &str) -> Parsed<LevelFilter> {
    match text.to_ascii_uppercase().as_str() {
        "TRACE" => Ok(LevelFilter::TRACE),
        "DEBUG" => Ok(LevelFilter::DEBUG),
        "INFO" => Ok(LevelFilter::INFO),
        "WARNING" | "WARN" => Ok(LevelFilter::WARN),
        "ERROR" | "CRITICAL" => Ok(LevelFilter::ERROR),
        _ => Err(format!("`{text}` is none of TRACE, DEBUG, INFO, WARNING, ERROR, CRITICAL")),
    }
}

pub(super) fn host(text: &str) -> Parsed<IpAddr> {
    if text == "localhost" {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse().map_err(|_| format!("`{text}` is not an IP address or `localhost`"))
}

/// A key: what fits into a header as it is. Never repeated in the reason.
pub(super) fn secret(text: &str) -> Parsed<Secret> {
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Secret::new(text))
    } else {
        Err("has characters besides visible ASCII, which a header cannot carry".to_owned())
    }
}

/// A base URL without credentials, query or fragment; its trailing slashes are cut. Never repeated in the reason, for
/// what is refused may hold credentials.
pub(super) fn url(text: &str) -> Parsed<String> {
    let uri: Uri = text.parse().map_err(|_| "is not a URL".to_owned())?;
    if !matches!(uri.scheme_str(), Some("http" | "https")) {
        return Err("is not an http:// or https:// URL".to_owned());
    }
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    if authority.contains('@') {
        return Err("names a user or password: keys have a variable of their own".to_owned());
    }
    if uri.query().is_some() || text.contains('#') {
        return Err("has a query or a fragment: expected a base such as http://risk:8000".to_owned());
    }
    if uri.host().is_none_or(str::is_empty)
        || (authority.contains(':') && uri.port_u16().is_none() && !authority.ends_with(']'))
    {
        return Err("has no host, or a port that is none".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

/// Who may call from a browser.
pub(super) fn origins(text: &str) -> Parsed<Vec<HeaderValue>> {
    let origins: Vec<_> = text.split(',').map(str::trim).collect();
    if origins.len() > ORIGINS_MAX {
        return Err(format!("names more than {ORIGINS_MAX} origins"));
    }
    if origins.contains(&"*") && origins.len() > 1 {
        return Err("`*` stands for every origin and takes no others beside it".to_owned());
    }
    origins.into_iter().map(origin).collect()
}

fn origin(text: &str) -> Parsed<HeaderValue> {
    let refused = || format!("`{text}` is not an origin such as https://app.example.com");
    if text != "*" {
        let base = url(text).map_err(|reason| format!("`{text}` {reason}"))?;
        let has_path = base.split_once("://").is_some_and(|(_, rest)| rest.contains('/'));
        if has_path || base != text {
            return Err(refused());
        }
    }
    HeaderValue::from_str(text).map_err(|_| refused())
}

/// A bucket's name by the rules of S3.
pub(super) fn bucket(text: &str) -> Parsed<String> {
    let sound = (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric());
    if sound { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the name of an S3 bucket")) }
}

/// A table's name by the rules of DynamoDB.
pub(super) fn table(text: &str) -> Parsed<String> {
    let sound = (3..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if sound { Ok(text.to_owned()) } else { Err(format!("`{text}` is not the name of a DynamoDB table")) }
}
