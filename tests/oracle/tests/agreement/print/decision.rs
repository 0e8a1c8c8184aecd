//! Decisions.

use super::Printer;
use crate::grammar::{Decision, Level};

const LABELS: [&str; 2] = ["one", "two"];

impl Printer<'_> {
    pub(super) fn decision_list(&self, decisions: &[Decision]) -> String {
        match decisions {
            [] => "{}".to_owned(),
            [one] if one.is_dict => self.decision(one),
            [one] if one.label % 5 == 0 => {
                let (test, _) = self.condition(&one.choice, false);
                format!("{} if {test} else None", self.decision(one))
            }
            all => {
                let all: Vec<_> = all.iter().map(|decision| self.decision(decision)).collect();
                format!("[{}]", all.join(", "))
            }
        }
    }

    pub(super) fn decision(&self, decision: &Decision) -> String {
        let (size, _) = self.number(&decision.size, false);
        let units = match decision.amount % 4 {
            0 => "1000".to_owned(),
            1 => format!("max(1, min(5000, abs({size})))"),
            2 => "250.75".to_owned(),
            _ => format!("min(3000, 500 + abs({size}))"),
        };
        let (test, _) = self.condition(&decision.choice, false);
        let signed = format!("({units} if {test} else -750)");
        let percent = format!("max(0.01, min(3, abs({size})))");
        let label = LABELS[usize::from(decision.label) % 2];
        let (name, mut arguments) = match decision.action % 12 {
            0..=2 => ("buy", self.entry(decision, &units, &percent)),
            3..=5 => ("sell", self.entry(decision, &units, &percent)),
            6 => {
                let mut arguments = vec![("units", signed)];
                arguments.extend(self.ticket(decision));
                if decision.amount.is_multiple_of(3) {
                    arguments.push(("reduce_only", "True".to_owned()));
                }
                ("order", arguments)
            }
            7 => ("target", vec![("units", signed)]),
            8 => ("close", Vec::new()),
            9 => (
                "close_partial",
                vec![match decision.amount % 3 {
                    0 => ("percent", format!("max(1, min(100, abs({size})))")),
                    1 => ("units", units),
                    _ => ("lots", "0.01".to_owned()),
                }],
            ),
            10 => ("cancel", Vec::new()),
            _ => ("modify", self.changes(decision)),
        };
        if matches!(name, "cancel" | "modify") && !decision.label.is_multiple_of(3) {
            arguments.push(("label", format!("\"{label}\"")));
        }
        if decision.is_dict {
            let arguments: String =
                arguments.iter().map(|(name, value)| format!(", \"{name}\": {value}")).collect();
            return format!("{{\"action\": \"{name}\"{arguments}}}");
        }
        let arguments: Vec<_> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{name}({})", arguments.join(", "))
    }

    fn entry(&self, decision: &Decision, units: &str, percent: &str) -> Vec<(&'static str, String)> {
        let mut arguments = vec![match decision.amount % 6 {
            0..=2 => ("units", units.to_owned()),
            3 => ("lots", "0.02".to_owned()),
            4 => ("risk_percent", percent.to_owned()),
            _ => ("equity_percent", percent.to_owned()),
        }];
        arguments.extend(self.ticket(decision));
        if arguments[0].0 == "risk_percent" && !arguments.iter().any(|(name, _)| *name == "stop_loss") {
            arguments.push(("stop_loss", "pips(12)".to_owned()));
        }
        arguments
    }

    fn ticket(&self, decision: &Decision) -> Vec<(&'static str, String)> {
        let levels = &decision.levels;
        let mut arguments = match decision.entry % 10 {
            0 => vec![("limit", self.level(&levels[0]))],
            1 => vec![("stop", self.level(&levels[0]))],
            2 => vec![("stop", self.level(&levels[0])), ("limit", self.level(&levels[1]))],
            3 => vec![("touch", self.level(&levels[0]))],
            4 => vec![("trail", self.distance(&levels[0]))],
            5 => vec![("limit", "None".to_owned())],
            _ => Vec::new(),
        };
        arguments.extend(self.exits(decision));
        match decision.expiry % 10 {
            0 => arguments.push(("tif", "\"gtc\"".to_owned())),
            1 => arguments.push(("tif", "\"day\"".to_owned())),
            2 => arguments.push(("tif", "\"ioc\"".to_owned())),
            3 => arguments.push(("tif", "\"fok\"".to_owned())),
            4 => {
                let (bars, _) = self.number(&levels[4].number, false);
                arguments.push(("expires", format!("max(1, min(20, {bars} + 0 * data.close))")));
            }
            5 => arguments.push(("expires", "\"1970-01-01T04:00:00Z\"".to_owned())),
            6 => arguments.extend([("tif", "\"gtc\"".to_owned()), ("expires", "3".to_owned())]),
            _ => {}
        }
        if !decision.label.is_multiple_of(3) {
            arguments.push(("label", format!("\"{}\"", LABELS[usize::from(decision.label) % 2])));
        }
        arguments
    }

    fn exits(&self, decision: &Decision) -> Vec<(&'static str, String)> {
        let levels = &decision.levels;
        let mut arguments = Vec::new();
        if decision.exits & 1 == 1 {
            arguments.push(("stop_loss", self.level(&levels[2])));
        }
        if decision.exits & 2 == 2 {
            arguments.push(("take_profit", self.level(&levels[3])));
        }
        if decision.exits & 12 == 12 {
            arguments.push(("trailing", self.distance(&levels[4])));
        }
        arguments
    }

    fn changes(&self, decision: &Decision) -> Vec<(&'static str, String)> {
        let mut arguments = self.exits(decision);
        if arguments.is_empty() || decision.entry.is_multiple_of(2) {
            arguments.push(("price", self.level(&decision.levels[0])));
        }
        arguments
    }

    fn level(&self, level: &Level) -> String {
        let (x, _) = self.number(&level.number, false);
        let points = 1 + i32::from(level.near % 60);
        match level.kind % 8 {
            0 => format!("pips({points})"),
            1 => self.distance(level),
            2 => format!("data.close - {:.4}", f64::from(points) / 10_000.0),
            3 => format!("data.close + {:.4}", f64::from(points) / 10_000.0),
            4 => format!("max(0.5, min(2, {x}))"),
            5 => format!("pips(max(1, min(50, abs({x}))))"),
            6 => format!("(pips({points}) if {x} > 1 else pips(4))"),
            _ => format!("lowest(data.low, {points})"),
        }
    }

    fn distance(&self, level: &Level) -> String {
        let (x, _) = self.number(&level.number, false);
        match level.kind % 3 {
            0 => format!("pips({})", 1 + level.near % 40),
            1 => "distance(2 * atr(5))".to_owned(),
            _ => format!("distance(max(0.0001, min(0.01, abs({x}))))"),
        }
    }
}
