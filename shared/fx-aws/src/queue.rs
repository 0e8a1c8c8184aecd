//! Messages in SQS: a standard queue, fair between owners by message groups.

use crate::AwsError;
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use fx_app::ports::{DELAY_MAX, DELIVERIES_MAX, Delivery, JobMessage, JobQueue, StoreError, StoreResult};
use fx_domain::Principal;
use std::time::{Duration, Instant};

/// What the operator calls it.
const STORE: &str = "queue";
/// The longest wait of one call, the API's limit.
pub(crate) const POLL_MAX: Duration = Duration::from_secs(20);

pub(crate) struct SqsQueue {
    client: Client,
    url: String,
}

impl SqsQueue {
    pub(crate) fn new(client: Client, url: String) -> Self {
        Self { client, url }
    }

    async fn poll(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>> {
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(limit.min(DELIVERIES_MAX) as i32)
            .wait_time_seconds(whole_seconds(wait.min(POLL_MAX)));
        let found = receive.send().await.map_err(|error| self.failed("ReceiveMessage", error))?;
        let mut deliveries = Vec::new();
        for message in found.messages.unwrap_or_default() {
            deliveries.extend(self.read(message).await?);
        }
        Ok(deliveries)
    }

    /// What a message says; none of one that cannot be read, which is deleted.
    async fn read(&self, message: Message) -> StoreResult<Option<Delivery>> {
        let Message { body, receipt_handle, message_id, .. } = message;
        let receipt =
            receipt_handle.ok_or_else(|| self.answered("ReceiveMessage", "a message without a receipt"))?;
        match serde_json::from_str(body.as_deref().unwrap_or_default()) {
            Ok(message) => Ok(Some(Delivery { message, receipt })),
            Err(error) => {
                tracing::error!(message.id = message_id, "a message that cannot be read is dropped: {error}");
                self.delete(&receipt).await?;
                Ok(None)
            }
        }
    }

    fn failed<E, R>(&self, call: &'static str, error: SdkError<E, R>) -> StoreError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        AwsError::call(call, &self.url, error).into_store_error(STORE)
    }

    fn answered(&self, call: &'static str, what: &'static str) -> StoreError {
        AwsError::Answer { call, resource: self.url.clone(), what }.into_store_error(STORE)
    }
}

#[async_trait]
impl JobQueue for SqsQueue {
    async fn send(&self, message: &JobMessage, owner: &Principal, delay: Duration) -> StoreResult<()> {
        let body = message.to_text(STORE)?;
        let send = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body)
            .message_group_id(owner.as_str())
            .delay_seconds(whole_seconds(delay.min(DELAY_MAX)));
        send.send().await.map(drop).map_err(|error| self.failed("SendMessage", error))
    }

    async fn receive(&self, limit: usize, wait: Duration) -> StoreResult<Vec<Delivery>> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let begun = Instant::now();
        loop {
            let deliveries = self.poll(limit, wait.saturating_sub(begun.elapsed())).await?;
            if !deliveries.is_empty() || begun.elapsed() >= wait {
                return Ok(deliveries);
            }
        }
    }

    async fn delete(&self, receipt: &str) -> StoreResult<()> {
        let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(receipt);
        match delete.send().await {
            Ok(_) => Ok(()),
            // Of a message that is gone, or was taken again since.
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_receipt_handle_is_invalid()) =>
            {
                Ok(())
            }
            Err(error) => Err(self.failed("DeleteMessage", error)),
        }
    }

    async fn depth(&self) -> StoreResult<u64> {
        const CALL: &str = "GetQueueAttributes";
        let wanted = QueueAttributeName::ApproximateNumberOfMessages;
        let get = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(wanted.clone());
        let found = get.send().await.map_err(|error| self.failed(CALL, error))?;
        let depth = found.attributes().and_then(|attributes| attributes.get(&wanted)?.parse().ok());
        depth.ok_or_else(|| self.answered(CALL, "no number of messages"))
    }
}

/// As the API counts: not less than `time`.
fn whole_seconds(time: Duration) -> i32 {
    time.as_millis().div_ceil(1_000).try_into().unwrap_or(i32::MAX)
}
