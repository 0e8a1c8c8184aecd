//! The figure by which the best of several runs is chosen.

use crate::Report;
use crate::numbers::defined;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// A figure of a [`Report`] to optimise. All but the drawdown are better when larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Final equity less initial capital, in the account currency.
    NetProfit,
    /// The same in percent of the initial capital.
    ReturnPct,
    /// Annualised Sharpe ratio of the daily equity.
    SharpeRatio,
    /// Annualised Sortino ratio of the daily equity.
    SortinoRatio,
    /// Annual return over the deepest drawdown.
    CalmarRatio,
    /// Gross profit over gross loss.
    ProfitFactor,
    /// Winning over all closed trades, a fraction.
    WinRate,
    /// Mean gain of a closed trade, in the account currency.
    Expectancy,
    /// Deepest fall of equity, percent: smaller is better.
    MaxDrawdown,
}

impl Target {
    /// Every target, in the order of the list above.
    pub const ALL: [Self; 9] = [
        Self::NetProfit,
        Self::ReturnPct,
        Self::SharpeRatio,
        Self::SortinoRatio,
        Self::CalmarRatio,
        Self::ProfitFactor,
        Self::WinRate,
        Self::Expectancy,
        Self::MaxDrawdown,
    ];

    /// The name on the wire, which is the figure's in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NetProfit => "net_profit",
            Self::ReturnPct => "return_pct",
            Self::SharpeRatio => "sharpe_ratio",
            Self::SortinoRatio => "sortino_ratio",
            Self::CalmarRatio => "calmar_ratio",
            Self::ProfitFactor => "profit_factor",
            Self::WinRate => "win_rate",
            Self::Expectancy => "expectancy",
            Self::MaxDrawdown => "max_drawdown",
        }
    }

    /// Whether a smaller figure is the better one.
    #[must_use]
    pub const fn smaller_is_better(self) -> bool {
        matches!(self, Self::MaxDrawdown)
    }

    /// The figure, never NaN or infinite. `None` where the report has none, and for the drawdown of a run that never
    /// traded: nothing was risked, and nothing would beat it.
    #[must_use]
    pub fn value(self, report: &Report) -> Option<f64> {
        let metrics = &report.metrics;
        let value = match self {
            Self::NetProfit => Some(metrics.net_profit),
            Self::ReturnPct => Some(metrics.return_pct),
            Self::SharpeRatio => report.sharpe_ratio,
            Self::SortinoRatio => report.sortino_ratio,
            Self::CalmarRatio => report.calmar_ratio,
            Self::ProfitFactor => metrics.profit_factor,
            Self::WinRate => metrics.win_rate,
            Self::Expectancy => metrics.expectancy,
            Self::MaxDrawdown => {
                (metrics.total_trades > 0 || metrics.max_drawdown > 0.0).then_some(metrics.max_drawdown)
            }
        };
        value.and_then(defined)
    }

    /// `Greater` where `left` is the better value. An undefined one, NaN and infinities included, is worse than any
    /// other and equal to its like; so are the two zeros. A total preorder.
    #[must_use]
    pub fn compare(self, left: Option<f64>, right: Option<f64>) -> Ordering {
        match (left.and_then(defined), right.and_then(defined)) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => {
                let order = left.partial_cmp(&right).unwrap_or(Ordering::Equal);
                if self.smaller_is_better() { order.reverse() } else { order }
            }
        }
    }

    /// The indices of `values`, the best first: equal values in their order, undefined ones at the end.
    #[must_use]
    pub fn ranking(self, values: &[Option<f64>]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|left, right| self.compare(values[*right], values[*left]));
        order
    }

    /// The index of the best value, of equal ones the first; `None` where no value is defined.
    #[must_use]
    pub fn best(self, values: &[Option<f64>]) -> Option<usize> {
        let first = self.ranking(values).first().copied()?;
        values[first].and_then(defined).map(|_| first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures;
    use proptest::prelude::*;

    #[test]
    fn names_are_those_of_the_wire_and_of_the_report() {
        let mut report = Report {
            sharpe_ratio: Some(1.0),
            sortino_ratio: Some(2.0),
            calmar_ratio: Some(3.0),
            ..Report::default()
        };
        report.metrics = crate::Metrics {
            total_trades: 10,
            net_profit: 4.0,
            return_pct: 5.0,
            profit_factor: Some(6.0),
            win_rate: Some(0.7),
            expectancy: Some(8.0),
            max_drawdown: 9.0,
            ..crate::Metrics::default()
        };
        let figures = figures(&report);
        for target in Target::ALL {
            assert_eq!(serde_json::to_value(target).unwrap(), target.name());
            let figure = figures.iter().find(|(name, _)| *name == target.name());
            assert_eq!(figure, Some(&(target.name(), target.value(&report))));
        }
        assert!(serde_json::from_str::<Target>("\"NetProfit\"").is_err());
    }

    #[test]
    fn undefined_ranks_last_and_equal_values_keep_their_order() {
        let values = [None, Some(1.0), Some(f64::NAN), Some(3.0), Some(-1.0), Some(3.0), Some(f64::INFINITY)];
        assert_eq!(Target::SharpeRatio.ranking(&values), [3, 5, 1, 4, 0, 2, 6]);
        assert_eq!(Target::MaxDrawdown.ranking(&values), [4, 1, 3, 5, 0, 2, 6]);
        assert_eq!(Target::SharpeRatio.best(&values), Some(3));
        assert_eq!(Target::MaxDrawdown.best(&[Some(-0.0), Some(0.0)]), Some(0));
        assert_eq!(Target::MaxDrawdown.best(&[Some(0.0), Some(-0.0)]), Some(0));
        assert_eq!(Target::WinRate.best(&[None, Some(f64::NAN)]), None);
        assert_eq!(Target::WinRate.best(&[]), None);
    }

    #[test]
    fn a_run_that_never_traded_has_no_best_drawdown() {
        let mut report = Report::default();
        assert_eq!(Target::MaxDrawdown.value(&report), None);
        report.metrics.total_trades = 1;
        assert_eq!(Target::MaxDrawdown.value(&report), Some(0.0));
        report.metrics.total_trades = 0;
        // A position that is still open.
        report.metrics.max_drawdown = 2.5;
        assert_eq!(Target::MaxDrawdown.value(&report), Some(2.5));
    }

    proptest! {
        #[test]
        fn the_best_is_beaten_by_none_and_by_no_earlier_equal(
            values in prop::collection::vec(prop::option::of(-3i32..4), 0..12),
        ) {
            let values: Vec<_> = values.into_iter().map(|value| value.map(f64::from)).collect();
            for target in Target::ALL {
                let Some(best) = target.best(&values) else {
                    prop_assert!(values.iter().all(Option::is_none));
                    continue;
                };
                for (index, value) in values.iter().enumerate() {
                    let order = target.compare(*value, values[best]);
                    prop_assert_eq!(order, target.compare(values[best], *value).reverse());
                    prop_assert!(order == Ordering::Less || order == Ordering::Equal && index >= best);
                }
            }
        }
    }
}
