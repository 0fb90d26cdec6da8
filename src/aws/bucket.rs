//! Objects in S3, read and written with the SDK's own signatures. Its crate for S3 would make the
//! function larger by more than its clients for EC2, SNS, STS and Lambda together, for two calls.

use std::env::var;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::identity::Identity;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::connection_pool::ConnectionPool;
use super::error::is_transient;
use crate::audit::run::{Archive, BucketName, PortError};
use crate::ec2::{AccountId, Cause, cause};
use crate::finding::Coverage;
use crate::report::coverage;

/// How long a call may take.
const ATTEMPT: Duration = Duration::from_secs(10);

/// How often a call is made, with growing pauses.
const ATTEMPTS: u32 = 4;

/// The first pause.
const PAUSE: Duration = Duration::from_millis(200);

const JSON: &str = "application/json";
const CSV: &str = "text/csv; charset=utf-8";

/// Buckets of the function's own account, in its own region.
#[derive(Debug)]
pub struct AwsBucket {
    config: SdkConfig,
    connections: ConnectionPool,
    account: AccountId,
}

/// What a call did.
enum Answered {
    Done(Vec<u8>),
    NotThere,
    /// Why not, and whether it may pass.
    Failed(Cause, bool),
}

impl AwsBucket {
    /// Buckets of this account. One of another account is refused.
    pub fn new(config: &SdkConfig, connections: &ConnectionPool, account: &AccountId) -> Self {
        Self { config: config.clone(), connections: connections.clone(), account: account.clone() }
    }

    fn url(&self, bucket: &BucketName, key: &str) -> String {
        let bucket = bucket.as_str();
        let region = self.config.region().map_or("us-east-1", AsRef::as_ref);
        match var("AWS_ENDPOINT_URL_S3").or_else(|_| var("AWS_ENDPOINT_URL")) {
            Ok(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            Err(_) => format!("https://{bucket}.s3.{region}.{}/{key}", domain(region)),
        }
    }

    async fn call(
        &self,
        (method, action): (&'static str, &'static str),
        (bucket, key): (&BucketName, &str),
        content: Option<(&'static str, Vec<u8>)>,
    ) -> Result<Option<Vec<u8>>, PortError> {
        let url = self.url(bucket, key);
        let mut pause = PAUSE;
        let mut attempt = 1;
        loop {
            let request = self.signed(method, &url, content.as_ref()).await;
            let answered = match request {
                Ok(request) => self.sent(request).await,
                Err(error) => Answered::Failed(error, true),
            };
            match answered {
                Answered::Done(body) => return Ok(Some(body)),
                Answered::NotThere => return Ok(None),
                Answered::Failed(_, true) if attempt < ATTEMPTS => {
                    tokio::time::sleep(pause).await;
                    (attempt, pause) = (attempt + 1, pause * 2);
                }
                Answered::Failed(cause, is_transient) => {
                    return Err(PortError { action, cause, is_transient });
                }
            }
        }
    }

    async fn signed(
        &self,
        method: &'static str,
        url: &str,
        content: Option<&(&'static str, Vec<u8>)>,
    ) -> Result<HttpRequest, Cause> {
        let provider = self.config.credentials_provider().ok_or_else(|| cause("no credentials"))?;
        let identity: Identity = provider.provide_credentials().await.map_err(cause)?.into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.config.region().map_or("us-east-1", AsRef::as_ref))
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .map_err(cause)?
            .into();
        let (kind, body) =
            content.map_or((None, &[][..]), |(kind, body)| (Some(*kind), body.as_slice()));
        let owner = ("x-amz-expected-bucket-owner", self.account.as_str());
        let headers: Vec<_> =
            kind.map(|kind| ("content-type", kind)).into_iter().chain([owner]).collect();
        let signable =
            SignableRequest::new(method, url, headers.iter().copied(), SignableBody::Bytes(body))
                .map_err(cause)?;
        let (signature, _) = sign(signable, &params).map_err(cause)?.into_parts();
        let mut request = HttpRequest::new(SdkBody::from(body.to_vec()));
        request.set_method(method).map_err(cause)?;
        request.set_uri(url).map_err(cause)?;
        let of_signature =
            signature.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let own = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let length = ("content-length".to_owned(), body.len().to_string());
        for (name, value) in own.chain(of_signature).chain([length]) {
            request.headers_mut().try_insert(name, value).map_err(cause)?;
        }
        Ok(request)
    }

    async fn sent(&self, request: HttpRequest) -> Answered {
        let connector = self.connections.of_no_client();
        let answer = async {
            let answer = connector.call(request).await.map_err(cause)?;
            let status = answer.status();
            let body = ByteStream::new(answer.into_body()).collect().await.map_err(cause)?;
            Ok::<_, Cause>((status, body.into_bytes()))
        };
        match tokio::time::timeout(ATTEMPT, answer).await {
            Ok(Ok((status, body))) if status.is_success() => Answered::Done(body.into()),
            Ok(Ok((status, _))) if status.as_u16() == 404 => Answered::NotThere,
            Ok(Ok((status, body))) => refused(status, &body),
            Ok(Err(error)) => Answered::Failed(error, true),
            Err(_) => Answered::Failed(cause("S3 did not answer in time"), true),
        }
    }
}

/// Reads S3's error, and decides whether the same call may succeed later.
fn refused(status: StatusCode, body: &[u8]) -> Answered {
    let said = String::from_utf8_lossy(body);
    let code = element(&said, "Code").unwrap_or_default();
    let message = element(&said, "Message").unwrap_or("no message");
    let named = if code.is_empty() { "no code" } else { code };
    let is_transient = is_transient(code, status.is_server_error());
    Answered::Failed(cause(format!("{named}: {message}")), is_transient)
}

/// The text of an element that has no others in it.
fn element<'a>(document: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = document.split_once(&format!("<{name}>"))?;
    rest.split_once('<').map(|(text, _)| text)
}

/// The domain of a region's services ("Amazon S3 endpoints and quotas" in the AWS General Reference).
fn domain(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}

impl Archive for AwsBucket {
    async fn get(&self, bucket: &BucketName, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call(("GET", "GetObject"), (bucket, key), None).await
    }

    async fn put(&self, bucket: &BucketName, key: &str, json: Vec<u8>) -> Result<(), PortError> {
        self.kept((bucket, key), JSON, json).await
    }

    async fn put_coverage(
        &self,
        bucket: &BucketName,
        covered: &Coverage,
    ) -> Result<String, PortError> {
        let refused = |cause| PortError { action: "PutObject", cause, is_transient: false };
        let json = coverage::json(covered).map_err(|error| refused(cause(error)))?;
        let csv = coverage::csv(covered).map_err(|error| refused(cause(error)))?;
        let of_run = |object| format!("runs/{}/{object}", covered.run);
        self.kept((bucket, &of_run("coverage.json")), JSON, json.into_bytes()).await?;
        let table = of_run("coverage.csv");
        self.kept((bucket, &table), CSV, csv.into_bytes()).await?;
        Ok(format!("s3://{}/{table}", bucket.as_str()))
    }
}

impl AwsBucket {
    async fn kept(
        &self,
        object: (&BucketName, &str),
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<(), PortError> {
        match self.call(("PUT", "PutObject"), object, Some((kind, body))).await? {
            Some(_) => Ok(()),
            None => {
                let cause = cause("NoSuchBucket: the bucket does not exist");
                Err(PortError { action: "PutObject", cause, is_transient: false })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_s3_may_answer_otherwise_the_next_time_is_tried_again() {
        for (status, code, may_pass) in [
            (400, "RequestTimeout", true),
            (400, "ExpiredToken", true),
            (503, "SlowDown", true),
            (500, "InternalError", true),
            (403, "AccessDenied", false),
            (400, "InvalidRequest", false),
        ] {
            let body = format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
            let status = StatusCode::try_from(status).unwrap();
            let Answered::Failed(cause, is_transient) = refused(status, body.as_bytes()) else {
                panic!("{code} is an error")
            };
            assert_eq!((cause.to_string(), is_transient), (format!("{code}: why"), may_pass));
        }
    }
}
