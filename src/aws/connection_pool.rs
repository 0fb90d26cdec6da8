//! The connections to AWS: one pool for every client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_ec2::error::DisplayErrorContext;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::byte_stream::ByteStream;

/// The HTTP client of all clients of the SDK. By itself each of them has one of its own: the roots
/// of trust are parsed for each, and none has the connections of another.
///
/// Roots are those of the system, or of the file that `SSL_CERT_FILE` names. They are read when the
/// first request is made. A proxy is the one that `HTTPS_PROXY` and its like name.
#[derive(Debug, Clone, Default)]
pub struct ConnectionPool {
    connectors: Arc<Mutex<HashMap<Limits, SharedHttpConnector>>>,
}

/// How long to wait for a connection, and for an answer.
type Limits = (Option<Duration>, Option<Duration>);

impl ConnectionPool {
    /// What makes requests that no client of the SDK makes. Whoever has it watches the time.
    pub(super) fn of_no_client(&self) -> SharedHttpConnector {
        let build =
            || SharedHttpConnector::new(connector(HttpConnectorSettings::builder().build(), None));
        locked(&self.connectors).entry((None, None)).or_insert_with(build).clone()
    }
}

impl HttpClient for ConnectionPool {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let limits = (settings.connect_timeout(), settings.read_timeout());
        let build = || SharedHttpConnector::new(connector(settings.clone(), Some(components)));
        locked(&self.connectors).entry(limits).or_insert_with(build).clone()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("hyper", Some("1.x".into())))
    }
}

/// As the SDK makes its own.
fn connector(settings: HttpConnectorSettings, components: Option<&RuntimeComponents>) -> Connector {
    let mut builder = ConnectorBuilder::default()
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env());
    builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
    builder.build()
}

/// What a call is made with that is built and addressed as any other, and then not sent: in its
/// place the connection is opened that it would go by. The call itself fails.
#[derive(Debug, Clone)]
pub(super) struct ConnectOnly(pub(super) ConnectionPool);

impl HttpClient for ConnectOnly {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Opener {
            connections: self.0.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

/// What a connector is made of, which is not made where there is nothing to open.
#[derive(Debug)]
struct Opener {
    connections: ConnectionPool,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Opener {
    fn call(&self, call: HttpRequest) -> HttpConnectorFuture {
        let not_sent = || ConnectorError::user("a connection was opened, and no more".into());
        let Some(origin) = origin(call.uri()) else {
            return HttpConnectorFuture::ready(Err(not_sent()));
        };
        let request = match HttpRequest::get(format!("{origin}/ping")) {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let origin = origin.to_owned();
        let connector = self.connections.http_connector(&self.settings, &self.components);
        let answer = connector.call(request);
        HttpConnectorFuture::new(async move {
            match answer.await {
                Ok(answer) => {
                    // A connection is free for the next request once its answer was read whole.
                    let read = ByteStream::new(answer.into_body()).collect().await;
                    tracing::debug!(origin, whole = read.is_ok(), "connected");
                }
                Err(error) => {
                    let error = DisplayErrorContext(&error).to_string();
                    tracing::debug!(origin, error, "not connected, so the first audit will try");
                }
            }
            Err(not_sent())
        })
    }
}

/// `https://HOST` of an address. Plain HTTP, which only stand-ins for AWS speak, has no handshake
/// that would be worth a request.
fn origin(uri: &str) -> Option<&str> {
    let host = uri.strip_prefix("https://")?;
    let end = host.find(['/', '?']).unwrap_or(host.len());
    uri.get(.."https://".len() + end)
}

/// A map of what was built is whole after any panic.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
