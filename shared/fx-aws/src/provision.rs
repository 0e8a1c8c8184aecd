//! The table, the bucket and the queue, for an emulator on the developer's machine and for tests against one. In AWS they are part of
//! the deployed stack.

use crate::{Aws, AwsError};
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sqs::types::QueueAttributeName;
use std::time::Duration;

/// How long a new table may take to accept calls.
const TABLE_TIMEOUT: Duration = Duration::from_secs(60);
/// The region whose name a new bucket must not state.
const REGION_WITHOUT_CONSTRAINT: &str = "us-east-1";

/// Makes the table and the bucket of `aws` unless they are there, and waits until the table accepts calls.
///
/// # Errors
/// [`AwsError`] naming the call.
pub async fn create_table_and_bucket(aws: &Aws) -> Result<(), AwsError> {
    create_table(aws).await?;
    create_bucket(aws).await
}

/// Makes the queue `name`, which hides a message for `visibility` when it is taken, unless it is there, and returns its
/// address for [`crate::AwsSettings::queue`].
///
/// # Errors
/// [`AwsError`] naming the call; a queue of that name that hides messages for another time is one.
pub async fn create_queue(aws: &Aws, name: &str, visibility: Duration) -> Result<String, AwsError> {
    const CALL: &str = "CreateQueue";
    let seconds = visibility.as_secs().to_string();
    let create = aws.sqs.create_queue().queue_name(name);
    let create = create.attributes(QueueAttributeName::VisibilityTimeout, seconds).send().await;
    let created = create.map_err(|error| AwsError::call(CALL, name, error))?;
    let what = "no address";
    created.queue_url.ok_or_else(|| AwsError::Answer { call: CALL, resource: name.to_owned(), what })
}

async fn create_table(aws: &Aws) -> Result<(), AwsError> {
    let (client, name) = (aws.table.client(), aws.table.name());
    let not_sent = |error: aws_sdk_dynamodb::error::BuildError| AwsError::Call {
        call: "CreateTable",
        resource: name.to_owned(),
        code: "not sent".to_owned(),
        source: Box::new(error),
    };
    let mut create = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition =
            AttributeDefinition::builder().attribute_name(attribute).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(attribute).key_type(kind);
        create = create
            .attribute_definitions(definition.build().map_err(not_sent)?)
            .key_schema(key.build().map_err(not_sent)?);
    }
    match create.send().await {
        Ok(_) => {}
        Err(error) if error.as_service_error().is_some_and(|error| error.is_resource_in_use_exception()) => {}
        Err(error) => return Err(AwsError::call("CreateTable", name, error)),
    }
    let active = client.wait_until_table_exists().table_name(name).wait(TABLE_TIMEOUT).await;
    active.map(drop).map_err(|error| AwsError::Call {
        call: "DescribeTable",
        resource: name.to_owned(),
        code: "not active in time".to_owned(),
        source: Box::new(error),
    })
}

async fn create_bucket(aws: &Aws) -> Result<(), AwsError> {
    let region = aws.s3.config().region().map(ToString::to_string);
    let constraint = region.filter(|region| region != REGION_WITHOUT_CONSTRAINT).map(|region| {
        let location = BucketLocationConstraint::from(region.as_str());
        CreateBucketConfiguration::builder().location_constraint(location).build()
    });
    let create = aws.s3.create_bucket().bucket(&aws.bucket).set_create_bucket_configuration(constraint);
    match create.send().await {
        Ok(_) => Ok(()),
        Err(error)
            if error.as_service_error().is_some_and(|error| error.is_bucket_already_owned_by_you()) =>
        {
            Ok(())
        }
        Err(error) => Err(AwsError::call("CreateBucket", &aws.bucket, error)),
    }
}
