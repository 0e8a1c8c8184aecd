//! The risk service over HTTP: `POST {url}/api/v1/risk/check`.

use crate::client::PeerClient;
use async_trait::async_trait;
use fx_app::ports::{PeerError, RiskAnswer, RiskManagement, RiskRequest};
use serde::{Deserialize, Serialize};

/// Characters of a reason that are kept: it goes into records and answers.
const REASON_LENGTH_MAX: usize = 500;

/// The risk service over HTTP. A check changes nothing there, so it is repeated after what may pass.
pub struct HttpRisk {
    client: PeerClient,
}

#[derive(Serialize)]
struct CheckBody<'a> {
    symbol: String,
    direction: &'static str,
    size: i64,
    entry_price: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_loss: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    take_profit: Option<f64>,
    account_balance: f64,
    strategy_id: &'a str,
}

#[derive(Deserialize)]
struct CheckAnswer {
    is_valid: bool,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    risk_percentage: Option<Decimal>,
    #[serde(default)]
    max_loss: Option<Decimal>,
}

/// A number that some services write as a text.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "NumberOrText")]
struct Decimal(f64);

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(f64),
    Text(String),
}

impl TryFrom<NumberOrText> for Decimal {
    type Error = &'static str;

    fn try_from(value: NumberOrText) -> Result<Self, Self::Error> {
        let number = match value {
            NumberOrText::Number(number) => Some(number),
            NumberOrText::Text(text) => text.trim().parse().ok(),
        };
        number.filter(|number: &f64| number.is_finite()).map(Self).ok_or("not a finite number")
    }
}

impl HttpRisk {
    pub(crate) const fn new(client: PeerClient) -> Self {
        Self { client }
    }
}

#[async_trait]
impl RiskManagement for HttpRisk {
    async fn check(&self, request: &RiskRequest) -> Result<RiskAnswer, PeerError> {
        let body = CheckBody {
            symbol: request.instrument.to_string(),
            direction: request.side.as_str(),
            size: request.units.get(),
            entry_price: request.entry_price.to_f64(),
            stop_loss: request.protect.stop_loss.map(fx_domain::Price::to_f64),
            take_profit: request.protect.take_profit.map(fx_domain::Price::to_f64),
            account_balance: request.account_balance.to_f64(),
            strategy_id: request.strategy_id.as_str(),
        };
        let answer: CheckAnswer = self.client.ask("/api/v1/risk/check", &body).await?;
        tracing::debug!(
            strategy.id = request.strategy_id.as_str(),
            risk.is_valid = answer.is_valid,
            risk.percentage = answer.risk_percentage.map(|number| number.0),
            risk.max_loss = answer.max_loss.map(|number| number.0),
            "the risk service answered"
        );
        let reason = answer.reason.map(|reason| reason.chars().take(REASON_LENGTH_MAX).collect::<String>());
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        let reason = reason.unwrap_or_else(|| "the risk service gave no reason".to_owned());
        Ok(RiskAnswer { is_valid: answer.is_valid, reason })
    }
}
