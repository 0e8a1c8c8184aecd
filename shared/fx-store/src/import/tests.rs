//! Each format by a small sample, each fault by its line, hostile bytes, and the real files of the data folder.

mod quotes;

use super::*;
use crate::manifest::Anchor;
use fx_domain::{Bars, DatasetName, Digest, Ohlc, Price, PriceSource, QuoteColumns};
use proptest::prelude::*;
use std::io::Write as _;
use std::path::PathBuf;

fn options(pair: &str, granularity: Granularity) -> ImportOptions {
    let instrument = Instrument::parse(pair).unwrap();
    ImportOptions::new(fx_app::records::SeriesKey {
        dataset: DatasetName::default(),
        instrument,
        granularity,
    })
}

fn stage_text(
    name: &str,
    text: &str,
    options: &ImportOptions,
) -> Result<(StagedSeries, ImportReport), Error> {
    stage(vec![ImportFile::of_bytes(name, text.as_bytes().to_vec())], options, &mut |_| {})
}

fn sound(name: &str, text: &str, granularity: Granularity) -> ImportReport {
    stage_text(name, text, &options("EUR/USD", granularity)).unwrap().1
}

fn at(report: &ImportReport) -> (String, String) {
    (report.first.unwrap().to_string(), report.last.unwrap().to_string())
}

fn expect(report: &ImportReport, format: Format, side: Option<QuoteSide>, first: &str, last: &str) {
    assert_eq!((report.format, report.side, report.rows_stored), (Some(format), side, 2));
    assert_eq!(at(report), (first.to_owned(), last.to_owned()));
}

const BID: Option<QuoteSide> = Some(QuoteSide::Bid);

#[test]
fn lean_hours_hold_both_sides() {
    let text = "20070101 21:00,1.31927,1.31955,1.3187,1.31935,0,1.32027,1.32055,1.3197,1.32035,0\n\
                20070101 22:00,1.31935,1.3202,1.31925,1.32,0,1.32035,1.3212,1.32025,1.321,0\n";
    let report = sound("eurusd.csv", text, Granularity::H1);
    expect(&report, Format::Lean, None, "2007-01-01T21:00:00Z", "2007-01-01T22:00:00Z");
    assert_eq!((report.digits, report.tick_digits), (5, 5));
}

#[test]
fn lean_minutes_take_their_day_from_the_name_and_need_one() {
    let text = "0,1.3,1.3,1.3,1.3,0,1.4,1.4,1.4,1.4,0\n60000,1.3,1.3,1.3,1.3,0,1.4,1.4,1.4,1.4,0\n";
    let report = sound("20140501_quote.csv", text, Granularity::M1);
    expect(&report, Format::LeanMinute, None, "2014-05-01T00:00:00Z", "2014-05-01T00:01:00Z");
    let unnamed = stage_text("quote.csv", text, &options("EUR/USD", Granularity::M1));
    assert!(matches!(unnamed, Err(Error::Structure { format: Format::LeanMinute, .. })));
}

#[test]
fn a_header_names_columns_in_any_case_and_an_empty_one_is_the_time() {
    let text = ",Open,High,Low,Close,Volume\n2017-04-19 09:00:00,1.0716,1.0722,1.07083,1.07219,1413\n\
                2017-04-19 10:00:00,1.07214,1.07296,1.07214,1.0726,1241\n";
    let report = sound("x.csv", text, Granularity::H1);
    expect(&report, Format::Csv, BID, "2017-04-19T09:00:00Z", "2017-04-19T10:00:00Z");
    assert!(report.warnings.iter().any(|warning| warning.contains("--side")));
    let text = "DATETIME;ask_o;ask_h;ask_l;ask_c;BidOpen;BidHigh;BidLow;BidClose\n\
                1328054400;1.2;1.2;1.2;1.2;1.1;1.1;1.1;1.1\n1328054460;1.2;1.2;1.2;1.2;1.1;1.1;1.1;1.1\n";
    let report = sound("x.csv", text, Granularity::M1);
    expect(&report, Format::Csv, None, "2012-02-01T00:00:00Z", "2012-02-01T00:01:00Z");
}

#[test]
fn a_side_in_the_columns_or_the_name_is_kept() {
    let text =
        "time,mid_open,mid_high,mid_low,mid_close\n2012-02-01T00:00Z,1,1,1,1\n2012-02-01T00:01Z,1,1,1,1\n";
    assert_eq!(sound("x.csv", text, Granularity::M1).side, Some(QuoteSide::Mid));
    let plain = text.replace("mid_", "");
    assert_eq!(sound("EURUSD_ASK.csv", &plain, Granularity::M1).side, Some(QuoteSide::Ask));
    let mut contradicting = options("EUR/USD", Granularity::M1);
    contradicting.side = BID;
    assert!(matches!(stage_text("EURUSD_ASK.csv", &plain, &contradicting), Err(Error::Option { .. })));
}

#[test]
fn histdata_is_five_hours_behind_utc_the_whole_year() {
    let text = "20120701 000000;1.30;1.31;1.29;1.30;0\n20120701 000100;1.30;1.31;1.29;1.30;0\n";
    let report = sound("DAT_ASCII_EURUSD_M1_2012.csv", text, Granularity::M1);
    expect(&report, Format::HistData, BID, "2012-07-01T05:00:00Z", "2012-07-01T05:01:00Z");
    assert_eq!(report.zone, "UTC-5");
}

#[test]
fn dukascopy_puts_the_day_first() {
    let text = "Gmt time,Open,High,Low,Close,Volume\n01.02.2012 00:00:00.000,1.3,1.31,1.29,1.3,12.5\n\
                01.02.2012 01:00:00.000,1.3,1.31,1.29,1.3,10\n";
    let report = sound("EURUSD_Candlestick_1_Hour_BID.csv", text, Granularity::H1);
    expect(&report, Format::Dukascopy, BID, "2012-02-01T00:00:00Z", "2012-02-01T01:00:00Z");
    assert!(report.warnings.iter().any(|warning| warning.contains("1 volumes")));
}

#[test]
fn metatrader_is_read_with_and_without_a_header_and_warns_of_its_zone() {
    let five = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n\
                2012.02.01\t00:00:00\t1.3\t1.31\t1.29\t1.3\t55\t0\t12\n2012.02.01\t01:00:00\t1.3\t1.31\t1.29\t1.3\t55\t0\t12\n";
    let four = "2012.02.01,00:00,1.3,1.31,1.29,1.3,55\n2012.02.01,01:00,1.3,1.31,1.29,1.3,55\n";
    for text in [five, four] {
        let report = sound("EURUSD60.csv", text, Granularity::H1);
        expect(&report, Format::MetaTrader, BID, "2012-02-01T00:00:00Z", "2012-02-01T01:00:00Z");
        assert!(report.warnings.iter().any(|warning| warning.contains("--timezone")));
    }
    let mut athens = options("EUR/USD", Granularity::H1);
    athens.zone = Some(FileZone::parse("Europe/Athens").unwrap());
    let report = stage_text("EURUSD60.csv", four, &athens).unwrap().1;
    assert_eq!(report.first.unwrap().to_string(), "2012-01-31T22:00:00Z");
}

#[test]
fn a_column_of_spreads_makes_asks_when_it_is_told_what_one_is_worth() {
    let head = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n";
    let rows = "2012.02.01\t00:00:00\t1.3\t1.31\t1.29\t1.3\t55\t0\t12\n2012.02.01\t01:00:00\t1.3\t1.31\t1.29\t1.3\t55\t0\t7\n";
    let mut asked = options("EUR/USD", Granularity::H1);
    asked.spread_unit = Some(Price::parse("0.00001").unwrap());
    for (text, side) in [(format!("{head}{rows}"), None), (rows.to_owned(), BID)] {
        asked.side = side;
        let (staged, report) = stage_text("EURUSD60.csv", &text, &asked).unwrap();
        assert_eq!((report.side, report.rows_stored, staged.manifest().side), (None, 2, None));
        assert_eq!(staged.manifest().ask_source, PriceSource::Modelled);
        let object = staged.read(&staged.objects()[0]).unwrap();
        let bars = crate::decode_bars(object, Granularity::H1, None).unwrap();
        let ask = |row: usize| bars.get(row).ask.unwrap();
        let price = |text| Price::parse(text).unwrap();
        assert_eq!(
            (ask(0).open, ask(0).high, ask(0).low),
            (price("1.30012"), price("1.31012"), price("1.29012"))
        );
        assert_eq!((ask(1).close, bars.get(1).bid.close), (price("1.30007"), price("1.3")));
    }
    let unused = stage_text("EURUSD60.csv", rows, &options("EUR/USD", Granularity::H1)).unwrap().1;
    assert!(unused.warnings.iter().any(|warning| warning.contains("--spread-unit")), "{:?}", unused.warnings);
    asked.side = None;
    for (name, text, why) in [
        ("EURUSD60.csv", "2012.02.01,00:00,1.3,1.31,1.29,1.3,55\n", "no column `spread`"),
        (
            "x_ask.csv",
            "time,open,high,low,close,spread\n2012-02-01,1.3,1.3,1.3,1.3,1\n",
            "does not hold bids",
        ),
        (
            "x.csv",
            "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close,spread\n2012-02-01,1,1,1,1,1,1,1,1,1\n",
            "no column `spread`",
        ),
    ] {
        let Err(Error::Option { option: "spread-unit", reason }) = stage_text(name, text, &asked) else {
            panic!("{name}")
        };
        assert!(reason.contains(why), "{reason}");
    }
    for bad in ["-3", "x", "", "1e400", "99999999999999999"] {
        let text = format!("{head}{}", rows.replace("\t12\n", &format!("\t{bad}\n")));
        let Err(Error::Unsound(report)) = stage_text("EURUSD60.csv", &text, &asked) else { panic!("{bad}") };
        assert_eq!(report.bad_rows_listed[0].line, 2, "{bad}");
        assert!(
            report.bad_rows_listed[0].reason.starts_with("spread: "),
            "{}",
            report.bad_rows_listed[0].reason
        );
    }
}

#[test]
fn the_metatrader_columns_of_histdata_are_ambiguous_until_named() {
    let text = "2012.02.01,00:00,1.3,1.31,1.29,1.3,0\n2012.02.01,00:01,1.3,1.31,1.29,1.3,0\n";
    let mut options = options("EUR/USD", Granularity::M1);
    let name = "DAT_MT_EURUSD_M1_2012.csv";
    let Err(Error::AmbiguousFormat { candidates, .. }) = stage_text(name, text, &options) else { panic!() };
    assert_eq!(candidates, [Format::HistData, Format::MetaTrader]);
    options.format = Some(Format::HistData);
    assert_eq!(
        stage_text(name, text, &options).unwrap().1.first.unwrap().to_string(),
        "2012-02-01T05:00:00Z"
    );
}

fn candle(time: &str, complete: bool, sides: &str) -> String {
    let prices = r#"{"o":"1.30","h":"1.31","l":"1.29","c":"1.30"}"#;
    let sides: Vec<String> = sides.split(' ').map(|side| format!("\"{side}\":{prices}")).collect();
    format!(r#"{{"time":"{time}","complete":{complete},"volume":3,{}}}"#, sides.join(","))
}

#[test]
fn oanda_candles_are_read_and_unfinished_ones_left_out() {
    for (sides, side) in [("bid ask", None), ("mid", Some(QuoteSide::Mid)), ("ask", Some(QuoteSide::Ask))] {
        let text = format!(
            r#"{{"instrument":"EUR_USD","candles":[{},{},{}],"granularity":"H1"}}"#,
            candle("2016-10-17T15:00:00.000000000Z", true, sides),
            candle("2016-10-17T16:00:00.000000000Z", true, sides),
            candle("2016-10-17T17:00:00.000000000Z", false, sides),
        );
        let report = sound("candles.json", &text, Granularity::H1);
        expect(&report, Format::Oanda, side, "2016-10-17T15:00:00Z", "2016-10-17T16:00:00Z");
        assert!(report.warnings.iter().any(|warning| warning.contains("1 unfinished")));
    }
    let broken = stage_text("c.json", r#"{"candles":[{"time":1}]}"#, &options("EUR/USD", Granularity::H1));
    assert!(matches!(broken, Err(Error::Structure { format: Format::Oanda, .. })));
}

#[test]
fn every_fault_is_reported_with_its_line_and_column() {
    let good = "2017-04-19 09:00:00,1,1,1,1";
    let cases = [
        ("2017-04-19 10:00:00,1,x,1,1", "high: `x` is not a number"),
        ("2017-04-19 10:00:00,1,NaN,1,1", "high: `NaN` is not finite"),
        ("2017-04-19 10:00:00,1,1,1", "close: the row has 4 fields, column 5 is missing"),
        ("2017-04-19 10:00:00,2,1,1,1", "the high is below another price of the bar"),
        ("2017-04-19 10:00:00,1,1,0,1", "a price is not above zero"),
        ("2017-04-19 10:00:00,99999999999,1,1,1", "open: `99999999999` does not fit a price"),
        ("19/04/2017 10:00,1,1,1,1", "time: `19/04/2017 10:00` is not a time of this format"),
        ("2017-04-19 10:30:00,1,1,1,1", "the time 2017-04-19T10:30:00Z is no start of a 1h bar"),
        (good, "the time 2017-04-19T09:00:00Z is that of the row before"),
        ("2017-04-19 08:00:00,1,1,1,1", "the time 2017-04-19T08:00:00Z is before 2017-04-19T09:00:00Z"),
    ];
    for (bad, reason) in cases {
        let tail: String = (11..20).map(|hour| format!("2017-04-19 {hour}:00:00,1,1,1,1\n")).collect();
        let text = format!("time,open,high,low,close\n{good}\n\n{bad}\n{tail}");
        let mut options = options("EUR/USD", Granularity::H1);
        let Err(Error::Unsound(report)) = stage_text("x.csv", &text, &options) else { panic!("{bad}") };
        assert_eq!((report.rows_read, report.bad_rows, report.rows_stored), (11, 1, 10), "{bad}");
        let listed = &report.bad_rows_listed[0];
        assert_eq!((listed.line, listed.file.as_str()), (4, "x.csv"), "{bad}");
        assert!(listed.reason.contains(reason), "{bad}: {}", listed.reason);
        options.skip_bad_rows = true;
        let (staged, report) = stage_text("x.csv", &text, &options).unwrap();
        assert_eq!((staged.manifest().rows, report.bad_rows), (10, 1));
    }
}

#[test]
fn a_bid_above_its_ask_is_a_bad_row() {
    let text = "20070101 21:00,1.3,1.3,1.3,1.3,0,1.2,1.2,1.2,1.2,0\n";
    let Err(Error::Unsound(report)) = stage_text("x.csv", text, &options("EUR/USD", Granularity::H1)) else {
        panic!()
    };
    assert_eq!(report.bad_rows_listed[0].reason, "the bid is above the ask");
}

#[test]
fn another_timeframe_than_the_file_has_is_refused_even_when_bad_rows_are_skipped() {
    let minutes: String = (0..60).map(|minute| format!("2017-04-19 09:{minute:02},1,1,1,1\n")).collect();
    let text = format!("time,open,high,low,close\n{minutes}");
    for granularity in [Granularity::H1, Granularity::M5, Granularity::D1] {
        let mut options = options("EUR/USD", granularity);
        options.skip_bad_rows = true;
        let refused = stage_text("x.csv", &text, &options);
        assert!(matches!(refused, Err(Error::Spacing { ref found, .. }) if found == "1m"), "{granularity}");
    }
}

#[test]
fn bars_labelled_by_their_end_are_shifted() {
    let text = "time,open,high,low,close\n2017-04-19 09:01,1,1,1,1\n2017-04-19 09:02,1,1,1,1\n";
    let mut options = options("EUR/USD", Granularity::M1);
    options.label = Label::End;
    assert_eq!(
        stage_text("x.csv", text, &options).unwrap().1.first.unwrap().to_string(),
        "2017-04-19T09:00:00Z"
    );
}

#[test]
fn the_repeated_hour_is_read_twice_and_the_missing_one_refused() {
    let text = "time,open,high,low,close\n2024-11-03 00:00,1,1,1,1\n2024-11-03 01:00,1,1,1,1\n\
                2024-11-03 01:00,1,1,1,1\n2024-11-03 02:00,1,1,1,1\n";
    let mut options = options("EUR/USD", Granularity::H1);
    options.zone = Some(FileZone::parse("America/New_York").unwrap());
    let report = stage_text("x.csv", text, &options).unwrap().1;
    assert_eq!(at(&report), ("2024-11-03T04:00:00Z".to_owned(), "2024-11-03T07:00:00Z".to_owned()));
    let text = "time,open,high,low,close\n2024-03-10 02:30,1,1,1,1\n";
    let Err(Error::Unsound(report)) = stage_text("x.csv", text, &options) else { panic!() };
    assert!(report.bad_rows_listed[0].reason.contains("does not exist"));
}

#[test]
fn anchors_of_long_bars_are_told_apart() {
    for (hour, anchor) in
        [("00:00", Anchor::UtcMidnight), ("22:00", Anchor::NewYork17), ("05:00", Anchor::Other)]
    {
        let days: String = (8..13).map(|day| format!("2024-01-{day:02} {hour},1,1,1,1\n")).collect();
        let text = format!("time,open,high,low,close\n{days}");
        let (staged, _) = stage_text("x.csv", &text, &options("EUR/USD", Granularity::D1)).unwrap();
        assert_eq!(staged.manifest().anchor, anchor);
    }
}

#[test]
fn zones_are_offsets_or_names() {
    for good in ["UTC", "UTC-5", "UTC+05:30", "GMT+2", "Europe/Athens"] {
        assert!(FileZone::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "UTC+99", "UTC5", "Mars/Base", "UTC+1:99"] {
        assert!(FileZone::parse(bad).is_err(), "{bad}");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const TWO_HOURS: &str = "time,open,high,low,close\n2017-04-19 09:00,1,1,1,1\n2017-04-19 10:00,1,1,1,1\n";

#[test]
fn compressed_and_split_files_are_one_series_with_one_version() {
    let options = options("EUR/USD", Granularity::H1);
    let later = TWO_HOURS.replace("04-19", "04-20");
    let members = [("b.csv", later.as_bytes()), ("a.csv", TWO_HOURS.as_bytes())];
    for bytes in [gzip(TWO_HOURS.as_bytes()), zip_of(&members)] {
        let file = || vec![ImportFile::of_bytes("x", bytes.clone())];
        let (first, report) = stage(file(), &options, &mut |_| {}).unwrap();
        let (second, _) = stage(file(), &options, &mut |_| {}).unwrap();
        assert_eq!(first.version(), second.version());
        assert_eq!(*first.version(), Digest::of(&first.manifest().to_bytes().unwrap()));
        assert_eq!(report.bad_rows, 0);
    }
    // Two files in the wrong order are put in order of their first rows.
    let files =
        vec![ImportFile::of_bytes("1.csv", later.into_bytes()), ImportFile::of_bytes("2.csv", TWO_HOURS)];
    let (staged, report) = stage(files, &options, &mut |_| {}).unwrap();
    assert_eq!((report.rows_stored, report.gaps.count), (4, 1));
    assert_eq!(staged.manifest().sources, ["2.csv", "1.csv"]);
}

#[test]
fn a_bomb_and_an_endless_line_end_at_their_limits() {
    let options = options("EUR/USD", Granularity::H1);
    let mut bomb = b"time,open,high,low,close\n".to_vec();
    let blank_line = [[b' '; 4_095].as_slice(), b"\n"].concat();
    bomb.extend(blank_line.repeat(usize::try_from(INFLATED_BYTES_FREE).unwrap() / 2_048));
    for bytes in [gzip(&bomb), zip_of(&[("x.csv", &bomb)])] {
        let refused = stage(vec![ImportFile::of_bytes("x", bytes)], &options, &mut |_| {});
        assert!(
            matches!(refused, Err(Error::Io { ref source, .. }) if source.to_string().contains("inflates"))
        );
    }
    for line in [b"time,open,high,low,close\n".to_vec(), b"{\"x\":\"".to_vec()] {
        let mut bytes = line;
        bytes.resize(LINE_BYTES_MAX * 3, b'1');
        let refused = stage(vec![ImportFile::of_bytes("x", bytes)], &options, &mut |_| {});
        assert!(
            matches!(refused, Err(Error::Io { ref source, .. }) if source.to_string().contains("longer"))
        );
    }
}

#[test]
fn two_files_of_one_side_each_are_joined_and_lonely_rows_reported() {
    let bid = "time,open,high,low,close\n2017-04-19 09:00,1,1,1,1\n2017-04-19 10:00,1,1,1,1\n2017-04-19 11:00,1,1,1,1\n";
    let ask = "time,open,high,low,close\n2017-04-19 09:00,2,2,2,2\n2017-04-19 11:00,2,2,2,2\n2017-04-19 12:00,2,2,2,2\n";
    let more: String = (13..18).map(|hour| format!("2017-04-19 {hour}:00,1,1,1,1\n")).collect();
    let files = || {
        vec![
            ImportFile::of_bytes("eurusd-ask.csv", format!("{ask}{}", more.replace(",1", ",2"))),
            ImportFile::of_bytes("eurusd-bid.csv", format!("{bid}{more}")),
        ]
    };
    let mut options = options("EUR/USD", Granularity::H1);
    let Err(Error::Unsound(report)) = stage(files(), &options, &mut |_| {}) else { panic!() };
    let listed: Vec<_> = report.bad_rows_listed.iter().map(|row| (row.file.as_str(), row.line)).collect();
    assert_eq!(listed, [("eurusd-bid.csv", 3), ("eurusd-ask.csv", 4)]);
    options.skip_bad_rows = true;
    let (staged, report) = stage(files(), &options, &mut |_| {}).unwrap();
    assert_eq!((report.side, report.rows_stored, report.bad_rows), (None, 7, 2));
    assert_eq!(staged.manifest().side, None);
}

#[test]
fn our_own_parquet_and_a_flipped_bit_of_it() {
    let mut bars = Bars::empty(BID);
    for hour in 0..50 {
        let bid = fx_domain::Ohlc::flat(fx_domain::Price::parse("1.23456").unwrap());
        let time = UnixNanos::new(hour * fx_domain::NANOS_PER_HOUR);
        bars.push(Bar { time, bid, ask: None, volume: hour });
    }
    let bytes = crate::encode_bars(&bars, Granularity::H1, 5).unwrap();
    let mut options = options("EUR/USD", Granularity::H1);
    options.side = BID;
    let import =
        |bytes: Vec<u8>| stage(vec![ImportFile::of_bytes("x.parquet", bytes)], &options, &mut |_| {});
    let (staged, report) = import(bytes.clone()).unwrap();
    assert_eq!(
        (report.format, report.rows_stored, staged.manifest().decimals),
        (Some(Format::Parquet), 50, 5)
    );
    assert!(matches!(bars.quotes, QuoteColumns::One { .. }));
    // Every byte in turn: an error or some bars, never a panic.
    let mut refused = 0;
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 1 << (index % 8);
        refused += usize::from(import(flipped).is_err());
    }
    assert!(refused > bytes.len() / 4, "{refused} of {}", bytes.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn hostile_bytes_end_in_an_error_or_a_report(bytes: Vec<u8>, head in 0..11_usize, tick: bool) {
        let heads: [&[u8]; 11] = [
            b"", b"PAR1", b"PK\x03\x04", &[0x1f, 0x8b, 8], b"{\"candles\":[", b"time,open,high,low,close\n",
            b"20070101 21:00,1,1,1,1,0,1,1,1,1,0\n", b"2012.02.01,00:00,1,1,1,1,1\n",
            b"292,1,2\n", b"EUR/USD,20120201 00:00:00.1,1,1\n", b"<DATE>\t<TIME>\t<BID>\t<ASK>\n",
        ];
        let whole = [heads[head], &bytes].concat();
        let options = options("EUR/USD", if tick { Granularity::Tick } else { Granularity::H1 });
        let outcome = stage(vec![ImportFile::of_bytes("20140501.csv", whole)], &options, &mut |_| {});
        if let Ok((staged, report)) = outcome {
            prop_assert_eq!(staged.manifest().rows, report.rows_stored);
        }
    }

    #[test]
    fn any_text_is_a_time_or_not(text in ".{0,30}") {
        // The value does not matter: reading must not panic, and what is read must be a time that can be shown.
        if let Some(stamp::Stamp::Instant(instant)) = stamp::parse(&text) {
            prop_assert!(!instant.to_string().is_empty());
        }
    }
}

/// The folder of real files; none on a machine without it, unless CI says that it must be there.
fn data() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "the folder of real files is missing: {}", folder.display());
    println!("left out: no real files at {}", folder.display());
    None
}

fn real(files: &[&str], options: &ImportOptions) -> Option<Result<(StagedSeries, ImportReport), Error>> {
    let folder = data()?;
    Some(stage(files.iter().map(|file| ImportFile::at(folder.join(file))).collect(), options, &mut |_| {}))
}

#[test]
fn the_hourly_files_have_the_rows_ranges_and_gaps_that_their_readme_states() {
    let cases = [
        ("backtestingpy/EURUSD_H1_2017-2018.csv", 5_000, 42, "2017-04-19T09:00:00Z", "2018-02-07T15:00:00Z"),
        ("lean/forex/oanda/hour/eurusd.zip", 74_439, 641, "2007-01-01T21:00:00Z", "2018-12-31T21:00:00Z"),
    ];
    for (file, rows, gaps, first, last) in cases {
        let Some(staged) = real(&[file], &options("EUR/USD", Granularity::H1)) else { return };
        let (staged, report) = staged.unwrap();
        assert_eq!((report.rows_stored, report.gaps.count, report.bad_rows), (rows, gaps, 0), "{file}");
        assert_eq!(at(&report), (first.to_owned(), last.to_owned()));
        assert_eq!(staged.manifest().rows, rows);
    }
}

#[test]
fn the_minute_files_are_one_import_or_a_pair() {
    let Some(folder) = data() else { return };
    let mut days: Vec<ImportFile> = std::fs::read_dir(folder.join("lean/forex/oanda/minute/eurusd"))
        .unwrap()
        .map(|entry| ImportFile::at(entry.unwrap().path()))
        .collect();
    days.reverse();
    let (_, report) = stage(days, &options("EUR/USD", Granularity::M1), &mut |_| {}).unwrap();
    assert_eq!((report.rows_stored, report.format, report.side), (18_184, Some(Format::LeanMinute), None));
    // The readme counts line ends, 18,169: the last line of each of the 15 files has none.
    for (pair, year, rows, crossed) in [("gbpusd", 2012, 30_117, 1_203), ("usdjpy", 2013, 28_761, 2_144)] {
        let file =
            |side: &str| ImportFile::at(folder.join(format!("nautilus/fxcm/{pair}-m1-{side}-{year}.csv.gz")));
        let mut options = options(pair, Granularity::M1);
        let outcome = stage(vec![file("bid"), file("ask")], &options, &mut |_| {});
        assert!(matches!(outcome, Err(Error::Unsound(_))), "some of its bids stand above their asks");
        options.skip_bad_rows = true;
        let (_, report) = stage(vec![file("bid"), file("ask")], &options, &mut |_| {}).unwrap();
        assert_eq!((report.rows_read, report.bad_rows, report.side), (rows, crossed, None), "{pair}");
    }
}

#[test]
fn a_file_of_interest_rates_is_refused() {
    let options = options("EUR/USD", Granularity::M1);
    let Some(outcome) = real(&["nautilus/other/oecd-short-term-interest.csv.gz"], &options) else { return };
    assert!(matches!(outcome, Err(Error::UnknownFormat { .. })));
}

#[test]
fn the_dirty_daily_files_are_told_row_by_row() {
    let Some(outcome) = real(&["lean/forex/fxcm/daily/eurusd.zip"], &options("EUR/USD", Granularity::D1))
    else {
        return;
    };
    // Its very first bars have an ask low below the bid's low: nothing may be stored without a word.
    // 3,486 line ends, and the last line has none.
    let Err(Error::Unsound(report)) = outcome else { panic!() };
    assert_eq!((report.rows_read, report.bad_rows_listed[0].line), (3_487, 1));
    assert_eq!(report.bad_rows_listed[0].reason, "the bid is above the ask");
}
