//! What all encrypted ways share: the trusted authorities, the one TLS we speak, and a clock around it all.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use remon_core::reason;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// How long one address may take, as another may answer. A lost packet is repeated after 1, 3 and 7 seconds.
pub(crate) const PER_ADDRESS: Duration = Duration::from_secs(8);

/// Runs a conversation to its end, or for `limit`. What it leaves behind in the resolver is not waited for.
pub(crate) fn run<T>(limit: Duration, conversation: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let result = runtime.block_on(async { tokio::time::timeout(limit, conversation).await });
    runtime.shutdown_background();
    result.ok()
}

/// The certificates of a file or directory, or those that this machine trusts.
///
/// # Errors
/// When there is none.
pub(crate) fn roots(ca: Option<&str>) -> Result<Vec<CertificateDer<'static>>, String> {
    let found = match ca {
        None => rustls_native_certs::load_native_certs().certs,
        Some(ca) => from_path(&crate::deliver::path(ca)).map_err(|error| format!("{ca}: {error}"))?,
    };
    // Directories of authorities hold one or the other that is too old to be read.
    let mut store = RootCertStore::empty();
    let good = found.into_iter().filter(|root| store.add(root.clone()).is_ok()).collect::<Vec<_>>();
    match (good.is_empty(), ca) {
        (false, _) => Ok(good),
        (true, Some(ca)) => Err(format!("{ca}: there is no certificate in it")),
        (true, None) => Err("this machine trusts no certificate authority".to_owned()),
    }
}

fn from_path(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| reason::of(&error))?;
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        return Ok(files.filter_map(|file| from_file(&file).ok()).flatten().collect());
    }
    from_file(path)
}

fn from_file(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = std::fs::read(path).map_err(|error| reason::of(&error))?;
    CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// Encrypts a connection to the server that must be `name`.
///
/// # Errors
/// When the server cannot, or is not who it should be.
pub(crate) async fn encrypt(
    stream: TcpStream,
    name: &str,
    ca: Option<&str>,
) -> Result<TlsStream<TcpStream>, String> {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(roots(ca)?);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().map_err(|error| error.to_string())?;
    let config = config.with_root_certificates(store).with_no_client_auth();
    let name =
        ServerName::try_from(name.to_owned()).map_err(|_| format!("{name} is no name for a server"))?;
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await.map_err(|error| format!("TLS: {}", reason::of(&error)))
}

/// Connects to the first address of the host that answers; IPv4 first, as a dead IPv6 is the commoner trouble.
///
/// # Errors
/// When none does, in the words of the C library.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let words = |error: std::io::Error| reason::of(&error);
    let mut addresses = tokio::net::lookup_host((host, port)).await.map_err(words)?.collect::<Vec<_>>();
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    let mut first_failure = None;
    for address in addresses {
        let failure = match tokio::time::timeout(PER_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // The parts of a conversation are small and wait for each other.
                stream.set_nodelay(true).map_err(words)?;
                return Ok(stream);
            }
            Ok(Err(error)) => words(error),
            Err(_) => "Connection timed out".to_owned(),
        };
        first_failure = first_failure.or(Some(failure));
    }
    Err(first_failure.unwrap_or_else(|| "it has no address".to_owned()))
}
