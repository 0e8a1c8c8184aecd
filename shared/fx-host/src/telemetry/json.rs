//! The layer that writes a line per event.

use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Bytes of one text in a line, at most; what is longer ends in `…`. Collectors split or drop lines over 256 KiB.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// Errors of a cause chain that are written, at most.
const CAUSES_MAX: usize = 16;
/// Names that the line itself uses. A field of a span or event with such a name is written with `fields.` before it.
const OWN_NAMES: [&str; 9] =
    ["timestamp", "level", "logger", "module", "function", "line", "process_id", "thread_id", "exception"];

/// Writes each event as one line of JSON: `timestamp, level, logger, message, module, function, line, process_id,
/// thread_id, exception?, request_id?`, then the fields of its spans, outermost first, then its own. `function` is the
/// innermost span's name, which is the use-case; levels have the names that `LOG_LEVEL` takes.
#[derive(Debug)]
pub struct JsonLines<W> {
    writer: W,
}

impl<W> JsonLines<W> {
    /// A layer that writes to `writer`.
    pub const fn new(writer: W) -> Self {
        Self { writer }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        let mut function = None;
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            function = Some(span.name());
            if let Some(outer) = span.extensions().get::<Fields>() {
                fields.extend(outer);
            }
        }
        event.record(&mut fields);
        let mut bytes = line(event, function, fields);
        bytes.push(b'\n');
        // A log that cannot be written must not stop the work it tells of.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(&bytes);
    }
}

fn line(event: &Event<'_>, function: Option<&str>, mut fields: Fields) -> Vec<u8> {
    let metadata = event.metadata();
    let text = |text: &str| Value::from(text);
    let mut line: Vec<(Cow<'static, str>, Value)> = vec![
        ("timestamp".into(), text(&format!("{:.6}", Timestamp::now()))),
        ("level".into(), text(level_name(*metadata.level()))),
        ("logger".into(), text(metadata.target())),
        ("message".into(), fields.take("message").unwrap_or_else(|| text(metadata.name()))),
        ("module".into(), text(metadata.module_path().unwrap_or(metadata.target()))),
    ];
    line.extend(function.map(|name| ("function".into(), text(name))));
    line.extend(metadata.line().map(|number| ("line".into(), Value::from(number))));
    line.push(("process_id".into(), Value::from(std::process::id())));
    line.push(("thread_id".into(), Value::from(thread_id())));
    line.extend(fields.exception.take().map(|exception| ("exception".into(), Value::from(exception))));
    line.extend(fields.take("request_id").map(|id| ("request_id".into(), id)));
    for (name, value) in fields.values {
        line.push(if OWN_NAMES.contains(&name) {
            (format!("fields.{name}").into(), value)
        } else {
            (name.into(), value)
        });
    }
    let mut bytes = Vec::with_capacity(512);
    let mut serializer = serde_json::Serializer::new(&mut bytes);
    // Keys are strings and values are JSON already: nothing here can fail.
    let _ = serde::Serializer::collect_map(&mut serializer, line);
    bytes
}

const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARNING",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// A small number per thread, in order of its first line.
fn thread_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local!(static ID: u64 = NEXT.fetch_add(1, Ordering::Relaxed));
    ID.with(|id| *id)
}

/// The fields of a span or an event, each once, in order of its first appearance.
#[derive(Debug, Default)]
struct Fields {
    values: Vec<(&'static str, Value)>,
    exception: Option<String>,
}

impl Fields {
    fn set(&mut self, name: &'static str, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.values.push((name, value)),
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.remove(index).1)
    }

    fn extend(&mut self, other: &Self) {
        for (name, value) in &other.values {
            self.set(name, value.clone());
        }
        if other.exception.is_some() {
            self.exception.clone_from(&other.exception);
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no NaN and no infinities: their names are better than null.
        let number = serde_json::Number::from_f64(value).map(Value::Number);
        self.set(field.name(), number.unwrap_or_else(|| Value::from(value.to_string())));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::from(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::from(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::from(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "exception" {
            self.exception = Some(cut(value.to_owned()));
        } else {
            self.set(field.name(), Value::from(cut(value.to_owned())));
        }
    }

    /// An error is the line's exception, with all its causes, whatever the field's name.
    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        let causes = std::iter::successors(Some(value), |&error| error.source()).take(CAUSES_MAX);
        let chain: Vec<_> = causes.map(ToString::to_string).collect();
        self.exception = Some(cut(chain.join(": ")));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

fn cut(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::SubscriberExt;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What `work` logs, as text.
    fn logged(work: impl FnOnce()) -> String {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(move || writer.clone()));
        tracing::subscriber::with_default(subscriber, work);
        let bytes = memory.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    /// The line with what changes from run to run replaced.
    fn stable(line: &str) -> String {
        let Value::Object(object) = serde_json::from_str(line).unwrap() else { panic!("{line}") };
        let mut text = line.trim_end().to_owned();
        for name in ["timestamp", "line", "process_id", "thread_id"] {
            text = text.replacen(&format!("\"{name}\":{}", object[name]), &format!("\"{name}\":_"), 1);
        }
        text
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::fmt::Error);

    #[test]
    fn a_line_has_the_platforms_fields_in_order_and_then_the_context() {
        let text = logged(|| {
            let request =
                tracing::info_span!("request", request_id = "r-1", strategy.id = tracing::field::Empty);
            let _request = request.enter();
            request.record("strategy.id", "ma-cross");
            let _run =
                tracing::info_span!("run_backtest", instrument = %"EUR/USD", bars = 8_760_u64).entered();
            let error = Outer(std::fmt::Error);
            let error: &(dyn Error + 'static) = &error;
            tracing::error!(error, duration_ms = 1.5, bars = 8_761_u64, "run \"failed\"\nbadly");
        });
        assert_eq!(
            stable(&text),
            concat!(
                r#"{"timestamp":_,"level":"ERROR","logger":"fx_host::telemetry::json::tests","#,
                r#""message":"run \"failed\"\nbadly","module":"fx_host::telemetry::json::tests","#,
                r#""function":"run_backtest","line":_,"process_id":_,"thread_id":_,"#,
                r#""exception":"outer: an error occurred when formatting an argument","request_id":"r-1","#,
                r#""strategy.id":"ma-cross","instrument":"EUR/USD","bars":8761,"duration_ms":1.5}"#,
            )
        );
    }

    #[test]
    fn an_event_is_one_line_whatever_its_text_and_cannot_pose_as_the_lines_own_fields() {
        let text = logged(|| {
            tracing::warn!(level = "forged", ratio = f64::NAN, "a\nb");
            tracing::debug!("{}", "é".repeat(TEXT_BYTES_MAX));
        });
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!((&lines[0]["level"], &lines[0]["fields.level"]), (&"WARNING".into(), &"forged".into()));
        assert_eq!((&lines[0]["message"], &lines[0]["ratio"]), (&"a\nb".into(), &"NaN".into()));
        assert!(lines[0].get("function").is_none());
        let long = lines[1]["message"].as_str().unwrap();
        assert!(long.ends_with("é…") && long.len() == TEXT_BYTES_MAX + '…'.len_utf8());
        let time: Timestamp = lines[0]["timestamp"].as_str().unwrap().parse().unwrap();
        assert!(time <= Timestamp::now());
    }
}
