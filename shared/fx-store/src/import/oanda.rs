//! OANDA v20 candles: one JSON document, read candle by candle.

use crate::Error;
use crate::import::delimited::{PRICE_NAMES, parse_price, shown};
use crate::import::source::RunLimit;
use crate::import::stamp::{self, Times};
use crate::import::{Flow, Format, Notes, Row, Sink};
use fx_domain::{Bar, Ohlc, Price, QuoteSide};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};

#[derive(Deserialize)]
struct Candle {
    time: String,
    #[serde(default = "finished")]
    complete: bool,
    #[serde(default)]
    volume: i64,
    bid: Option<Prices>,
    ask: Option<Prices>,
    mid: Option<Prices>,
}

const fn finished() -> bool {
    true
}

#[derive(Deserialize)]
struct Prices {
    o: String,
    h: String,
    l: String,
    c: String,
}

/// Reads the candles of a document: an object with `candles`, or a bare array of them. `side` is the wanted side, none
/// for bid and ask. Unfinished candles are left out and counted.
pub(crate) fn read(
    file: &str,
    side: Option<QuoteSide>,
    stream: &mut dyn Read,
    times: &mut Times,
    notes: &mut Notes,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    let limited = BufReader::new(RunLimit::new(stream, b'}'));
    let mut json = serde_json::Deserializer::from_reader(limited);
    let mut reader = Reader { side, times, notes, sink, line: 0, outcome: Outcome::Running };
    let parsed = Document(&mut reader).deserialize(&mut json).and_then(|()| json.end());
    match (reader.outcome, parsed) {
        (Outcome::Failed(error), _) => Err(error),
        (Outcome::Stopped, _) | (Outcome::Running, Ok(())) => Ok(()),
        (Outcome::Running, Err(error)) if error.is_io() => Err(Error::io(file, error.into())),
        (Outcome::Running, Err(error)) => {
            Err(Error::Structure { file: file.to_owned(), format: Format::Oanda, reason: error.to_string() })
        }
    }
}

enum Outcome {
    Running,
    Stopped,
    Failed(Error),
}

struct Reader<'a, 's> {
    side: Option<QuoteSide>,
    times: &'a mut Times,
    notes: &'a mut Notes,
    sink: &'a mut Sink<'s>,
    line: u64,
    outcome: Outcome,
}

impl Reader<'_, '_> {
    /// Gives a candle to the sink; false to stop.
    fn take(&mut self, candle: &Candle) -> bool {
        self.line += 1;
        if !candle.complete {
            self.notes.incomplete += 1;
            return true;
        }
        let row = Row { line: self.line, parsed: self.bar(candle) };
        match (self.sink)(row) {
            Ok(Flow::Continue) => return true,
            Ok(Flow::Stop) => self.outcome = Outcome::Stopped,
            Err(error) => self.outcome = Outcome::Failed(error),
        }
        false
    }

    fn bar(&mut self, candle: &Candle) -> Result<Bar, String> {
        let stamp = stamp::parse(&candle.time);
        let stamp = stamp.ok_or_else(|| format!("time: `{}` is not a time", shown(&candle.time)))?;
        let time = self.times.instant(stamp)?;
        let (first, second) = match (self.side, &candle.bid, &candle.ask, &candle.mid) {
            (None, Some(bid), Some(ask), _) => (bid, Some(ask)),
            (Some(QuoteSide::Bid), Some(side), _, _)
            | (Some(QuoteSide::Ask), _, Some(side), _)
            | (Some(QuoteSide::Mid), _, _, Some(side)) => (side, None),
            _ => return Err("the candle lacks the prices of a wanted side".to_owned()),
        };
        let bid = ohlc(first, self.notes)?;
        let ask = second.map(|prices| ohlc(prices, self.notes)).transpose()?;
        Ok(Bar { time, bid, ask, volume: candle.volume })
    }
}

fn ohlc(prices: &Prices, notes: &mut Notes) -> Result<Ohlc, String> {
    let texts = [&prices.o, &prices.h, &prices.l, &prices.c];
    let mut parsed = [Price::ZERO; 4];
    for ((price, text), name) in parsed.iter_mut().zip(texts).zip(PRICE_NAMES) {
        *price = parse_price(text, notes).map_err(|reason| format!("{name}: `{}` {reason}", shown(text)))?;
    }
    let [open, high, low, close] = parsed;
    Ok(Ohlc { open, high, low, close })
}

/// The whole document.
struct Document<'r, 'a, 's>(&'r mut Reader<'a, 's>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `candles`, or an array of candles")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            if key == "candles" {
                found = true;
                map.next_value_seed(Document(&mut *self.0))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        if found { Ok(()) } else { Err(A::Error::missing_field("candles")) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while let Some(candle) = sequence.next_element::<Candle>()? {
            if !self.0.take(&candle) {
                // The reason is kept in the reader; this ends the parse.
                return Err(A::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
