//! Quote ticks: each format by a small sample, each fault by its line, and the real files that hold them.

use super::*;
use fx_domain::Price;

const TICK: Granularity = Granularity::Tick;

/// Time, bid and ask of every stored quote.
fn stored(staged: &StagedSeries) -> Vec<(String, String, String)> {
    assert_eq!((staged.objects().len(), staged.manifest().side), (1, None));
    let bytes = staged.read(&staged.objects()[0]).unwrap();
    let quotes = crate::decode_bars(bytes, TICK, None).unwrap();
    (0..quotes.len())
        .map(|row| {
            let Bar { time, bid, ask, volume } = quotes.get(row);
            assert_eq!((bid, ask, volume), (Ohlc::flat(bid.close), ask.map(|ask| Ohlc::flat(ask.open)), 0));
            (time.to_string(), bid.close.to_string(), ask.unwrap().close.to_string())
        })
        .collect()
}

fn quote(time: &str, bid: &str, ask: &str) -> (String, String, String) {
    (time.to_owned(), bid.to_owned(), ask.to_owned())
}

#[test]
fn each_format_of_quotes_is_recognised() {
    let millis = ["2014-05-01T00:00:00.292Z", "2014-05-01T00:00:00.292Z"];
    let cases = [
        (Format::LeanTick, millis, "292,1.38676,1.38686\r\n292,1.38675,1.38686"),
        (
            Format::HistData,
            ["2014-05-01T05:00:00.292Z", "2014-05-01T05:00:00.292Z"],
            "20140501 000000292,1.38676,1.38686,0\n20140501 000000292,1.38675,1.38686,0\n",
        ),
        (
            Format::Csv,
            millis,
            "timestamp,bid,ask\n2014-05-01 00:00:00.292000+00:00,1.38676,1.38686\n2014-05-01T00:00:00.292Z,1.38675,1.38686\n",
        ),
        (
            Format::Csv,
            millis,
            "2014-05-01 00:00:00.292,1.38676,1.38686\n2014-05-01 00:00:00.292,1.38675,1.38686\n",
        ),
        (
            Format::TrueFx,
            millis,
            "EUR/USD,20140501 00:00:00.292,1.38676,1.38686\nEUR/USD,20140501 00:00:00.292,1.38675,1.38686\n",
        ),
        (
            Format::Dukascopy,
            millis,
            "Gmt time,Ask,Bid,AskVolume,BidVolume\n01.05.2014 00:00:00.292,1.38686,1.38676,1.5,2\n01.05.2014 00:00:00.292,1.38686,1.38675,1,1\n",
        ),
        (
            Format::Dukascopy,
            millis,
            "Local time,Ask,Bid,AskVolume,BidVolume\n01.05.2014 02:00:00.292 GMT+0200,1.38686,1.38676,1,1\n01.05.2014 02:00:00.292 GMT+0200,1.38686,1.38675,1,1\n",
        ),
        (
            Format::MetaTrader,
            millis,
            "<DATE>\t<TIME>\t<BID>\t<ASK>\t<LAST>\t<VOLUME>\t<FLAGS>\n2014.05.01\t00:00:00.292\t1.38676\t1.38686\t\t\t6\n2014.05.01\t00:00:00.292\t1.38675\t\t\t\t2\n",
        ),
    ];
    for (format, [first, last], text) in cases {
        let (staged, report) = stage_text("20140501_quote.csv", text, &options("EUR/USD", TICK)).unwrap();
        assert_eq!((report.format, report.rows_stored, report.side), (Some(format), 2, None), "{text}");
        let expected = [quote(first, "1.38676", "1.38686"), quote(last, "1.38675", "1.38686")];
        assert_eq!(stored(&staged), expected, "{text}");
        assert_eq!((report.duplicates, report.gaps.count, report.digits), (0, 0, 5));
        let bars = stage_text("20140501_quote.csv", text, &options("EUR/USD", Granularity::M1));
        assert!(matches!(bars, Err(Error::Ticks { format: told, .. }) if told == format), "{text}");
    }
}

#[test]
fn bars_are_not_quotes() {
    for (name, text) in [
        ("x.csv", TWO_HOURS),
        ("x.csv", "20070101 21:00,1,1,1,1,0,1,1,1,1,0\n"),
        ("20140501_quote.csv", "0,1,1,1,1,0,1,1,1,1,0\n"),
        ("x.json", r#"{"candles":[]}"#),
    ] {
        let refused = stage_text(name, text, &options("EUR/USD", TICK));
        assert!(matches!(refused, Err(Error::Bars { .. })), "{text}");
    }
}

#[test]
fn lean_quotes_need_a_day_in_the_name_and_truefx_quotes_the_right_pair() {
    let unnamed = stage_text("quote.csv", "292,1.3,1.4\n", &options("EUR/USD", TICK));
    assert!(matches!(unnamed, Err(Error::Structure { format: Format::LeanTick, .. })));
    let text = "EUR/USD,20140501 00:00:00.292,1.3,1.4\nGBP/USD,20140501 00:00:00.293,1.3,1.4\n";
    let other = stage_text("x.csv", text, &options("GBP/USD", TICK));
    assert!(matches!(other, Err(Error::Structure { format: Format::TrueFx, .. })));
    let Err(Error::Unsound(report)) = stage_text("x.csv", text, &options("EUR/USD", TICK)) else { panic!() };
    assert_eq!(report.bad_rows_listed[0].reason, "pair: the row is of `GBP/USD`, not of `EUR/USD`");
}

#[test]
fn every_fault_of_a_quote_is_reported_with_its_line() {
    let cases = [
        ("2017-04-19 09:00:02,1.2,1.1", "the bid is above the ask"),
        ("2017-04-19 09:00:02,0,1.1", "a price is not above zero"),
        ("2017-04-19 09:00:02,x,1.1", "bid: `x` is not a number"),
        ("2017-04-19 09:00:02,1.1,", "ask: `` is not a number"),
        ("2017-04-19 09:00:02,1.1", "ask: the row has 2 fields, column 3 is missing"),
        ("2017-04-19 09:00:00,1.1,1.2", "the time 2017-04-19T09:00:00Z is before 2017-04-19T09:00:01Z"),
        ("2017-04-19 09:00,1.1,9999999999", "ask: `9999999999` does not fit a price"),
    ];
    for (bad, reason) in cases {
        let text = format!(
            "time,bid,ask\n2017-04-19 09:00:01,1.1,1.2\n\n{bad}\n2017-04-19 09:00:01,1.1,1.3\n2017-04-19 09:00:03,1.1,1.2\n"
        );
        let mut options = options("EUR/USD", TICK);
        let Err(Error::Unsound(report)) = stage_text("x.csv", &text, &options) else { panic!("{bad}") };
        assert_eq!((report.rows_read, report.bad_rows, report.rows_stored), (4, 1, 3), "{bad}");
        let listed = &report.bad_rows_listed[0];
        assert_eq!((listed.line, listed.file.as_str()), (4, "x.csv"), "{bad}");
        assert!(listed.reason.contains(reason), "{bad}: {}", listed.reason);
        options.skip_bad_rows = true;
        let (staged, report) = stage_text("x.csv", &text, &options).unwrap();
        assert_eq!((staged.manifest().rows, report.bad_rows, report.duplicates), (3, 1, 0));
    }
}

#[test]
fn an_empty_price_of_metatrader_is_that_of_the_row_before_and_no_other_formats() {
    let head = "<DATE>\t<TIME>\t<BID>\t<ASK>\n";
    let text = format!(
        "{head}2014.05.01\t00:00:00.001\t1.1\t1.2\n2014.05.01\t00:00:00.002\t1.11\t\n2014.05.01\t00:00:00.003\t\t1.3\n"
    );
    let (staged, report) = stage_text("x.csv", &text, &options("EUR/USD", TICK)).unwrap();
    let expected = [("1", "1.1", "1.2"), ("2", "1.11", "1.2"), ("3", "1.11", "1.3")]
        .map(|(millis, bid, ask)| quote(&format!("2014-05-01T00:00:00.00{millis}Z"), bid, ask));
    assert_eq!(stored(&staged), expected);
    assert!(report.warnings.iter().any(|warning| warning.contains("--timezone")));
    for (row, reason) in
        [("\t1.2", "bid: empty, and no row before has one"), ("\t", "the row has neither a bid nor an ask")]
    {
        let text = format!("{head}2014.05.01\t00:00:00.001\t{row}\n");
        let Err(Error::Unsound(report)) = stage_text("x.csv", &text, &options("EUR/USD", TICK)) else {
            panic!()
        };
        assert_eq!(report.bad_rows_listed[0].reason, reason);
    }
}

#[test]
fn quotes_of_one_instant_in_the_repeated_hour_stay_in_their_pass() {
    let text = "time,bid,ask\n2024-11-03 01:30,1,2\n2024-11-03 01:30,1,3\n2024-11-03 01:20,1,4\n2024-11-03 01:20,1,5\n";
    let mut options = options("EUR/USD", TICK);
    options.zone = Some(FileZone::parse("America/New_York").unwrap());
    let (staged, _) = stage_text("x.csv", text, &options).unwrap();
    let times: Vec<_> = stored(&staged).into_iter().map(|row| row.0).collect();
    let [first, second] = ["2024-11-03T05:30:00Z", "2024-11-03T06:20:00Z"];
    assert_eq!(times, [first, first, second, second]);
}

#[test]
fn gaps_between_quotes_are_hours_and_weekends() {
    let text = "time,bid,ask\n2024-01-04 09:00,1,2\n2024-01-04 10:00,1,2\n2024-01-04 11:00:00.001,1,2\n\
                2024-01-05 21:59,1,2\n2024-01-07 22:05,1,2\n";
    let report = sound("x.csv", text, TICK);
    assert_eq!((report.gaps.count, report.gaps.weekends), (3, 1));
}

#[test]
fn parquet_of_quotes_is_read_back_and_is_no_file_of_bars() {
    let mut quotes = Bars::empty(None);
    for millis in [0, 1, 1, 5] {
        let price = |text| Price::parse(text).unwrap();
        quotes.push(Bar::tick(UnixNanos::new(millis * 1_000_000), price("1.10001"), price("1.1001")));
    }
    let bytes = crate::encode_bars(&quotes, TICK, 5).unwrap();
    let import = |bytes: &[u8], granularity| {
        let file = ImportFile::of_bytes("x.parquet", bytes.to_vec());
        stage(vec![file], &options("EUR/USD", granularity), &mut |_| {})
    };
    let (staged, report) = import(&bytes, TICK).unwrap();
    assert_eq!((report.format, report.rows_stored), (Some(Format::Parquet), 4));
    assert_eq!(staged.read(&staged.objects()[0]).unwrap(), bytes);
    assert!(matches!(import(&bytes, Granularity::M1), Err(Error::Ticks { .. })));
    let bars = crate::encode_bars(&quotes.slice(0..2), Granularity::M1, 5).unwrap();
    assert!(matches!(import(&bars, TICK), Err(Error::Bars { .. })));
}

#[test]
fn a_folder_is_its_files_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.csv", "a.csv", ".hidden"] {
        std::fs::write(folder.path().join(name), TWO_HOURS).unwrap();
    }
    std::fs::create_dir(folder.path().join("deeper")).unwrap();
    let names = |path: PathBuf| -> Vec<String> {
        ImportFile::all_at(path).unwrap().into_iter().map(|file| file.name).collect()
    };
    assert_eq!(names(folder.path().to_owned()), ["a.csv", "b.csv"]);
    assert_eq!(names(folder.path().join("a.csv")), ["a.csv"]);
}

#[test]
fn the_real_files_of_quotes_are_read_and_refused_as_bars() {
    let cases = [
        (
            "nautilus/truefx/usdjpy-ticks.csv",
            "USD/JPY",
            (Format::Csv, 1_000, "UTC"),
            ("2013-01-01T22:00:00.295Z", "2013-01-01T22:35:13.494Z"),
        ),
        (
            "nautilus/histdata/eurusd-quote-ticks-2020-01-01.csv.gz",
            "EUR/USD",
            (Format::HistData, 9_500, "UTC-5"),
            ("2020-01-01T22:00:00.065Z", "2020-01-02T04:00:52.125Z"),
        ),
    ];
    for (file, pair, (format, rows, zone), (first, last)) in cases {
        let Some(outcome) = real(&[file], &options(pair, TICK)) else { return };
        let (_, report) = outcome.unwrap();
        assert_eq!((report.format, report.rows_stored, report.zone.as_str()), (Some(format), rows, zone));
        assert_eq!(at(&report), (first.to_owned(), last.to_owned()), "{file}");
        let refused = real(&[file], &options(pair, Granularity::M1)).unwrap();
        assert!(matches!(refused, Err(Error::Ticks { .. })), "{file}");
    }
    let mut utc = options("EUR/USD", TICK);
    utc.zone = Some(FileZone::utc());
    let report = real(&[cases[1].0], &utc).unwrap().unwrap().1;
    assert_eq!(at(&report).0, "2020-01-01T17:00:00.065Z");
}

#[test]
fn the_dirty_quotes_name_their_crossed_lines_and_can_be_skipped() {
    let Some(folder) = data() else { return };
    let folder = folder.join("lean/forex/fxcm/tick/eurusd");
    let mut options = options("EUR/USD", TICK);
    options.zone = Some(FileZone::parse("UTC-5").unwrap());
    let import = |options: &ImportOptions| stage(ImportFile::all_at(&folder).unwrap(), options, &mut |_| {});
    let Err(Error::Unsound(report)) = import(&options) else { panic!() };
    assert_eq!((report.rows_read, report.bad_rows), (1_144_807, 116_871));
    let listed = &report.bad_rows_listed[0];
    assert_eq!((listed.file.as_str(), listed.line), ("20140501_quote.zip", 37));
    assert_eq!(listed.reason, "the bid is above the ask");
    options.skip_bad_rows = true;
    let (staged, report) = import(&options).unwrap();
    assert_eq!((report.rows_stored, report.out_of_order), (1_144_807 - 116_871, 0));
    assert_eq!(staged.manifest().rows, report.rows_stored);
    assert_eq!(at(&report).0, "2014-05-01T05:00:01.787Z");
}
