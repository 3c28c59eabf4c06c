//! TLS as monitors need it: they must see a bad certificate to say what is bad about it.
//!
//! So a handshake never fails because of the certificate. It ends with what the server showed ([`Peer`]) and with the
//! judgement of rustls on it, and whoever asked decides, before a byte is sent, what that means.

use std::path::Path;
use std::sync::{Arc, Mutex};

use remon_core::reason;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientConnection, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::certificate::{self, Validity};
use crate::link::{Link, Trouble};
use crate::resolve;

/// How to speak TLS to a server.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    provider: Arc<CryptoProvider>,
    /// Who checks chain, names and dates; nobody if that is not wanted.
    judge: Option<Arc<WebPkiServerVerifier>>,
    /// Is the server told the name that it is asked for?
    sni: bool,
}

/// What the server showed of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Peer {
    /// Its own certificate, in DER.
    pub(crate) certificate: Vec<u8>,
    /// Why it is not to be trusted; always fine if nobody was to judge.
    pub(crate) trust: Result<(), String>,
}

impl Tls {
    /// Certificates are judged, by the authorities in `ca` (a file or directory) or those that this machine trusts.
    ///
    /// # Errors
    /// When there is no authority.
    pub(crate) fn judging(ca: Option<&str>) -> Result<Tls, String> {
        let provider = Arc::new(ring::default_provider());
        let roots = Arc::new(roots(ca)?);
        let judge = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        Ok(Tls { provider, judge: Some(judge.map_err(|error| error.to_string())?), sni: true })
    }

    /// Certificates are only looked at.
    pub(crate) fn observing() -> Tls {
        Tls { provider: Arc::new(ring::default_provider()), judge: None, sni: true }
    }

    /// The same, with the name of the server told to it or not.
    pub(crate) fn with_sni(self, sni: bool) -> Tls {
        Tls { sni, ..self }
    }

    /// Encrypts a connection to `host`.
    ///
    /// # Errors
    /// When there is no encrypted connection. A bad certificate is no error here: see [`Peer::trust`].
    pub(crate) fn encrypt(&self, link: Link, host: &str) -> Result<(Link, Peer), Trouble> {
        let name = ServerName::try_from(resolve::bare(host).to_owned())
            .map_err(|_| Trouble::Tls(format!("{host} is no name for a server")))?;
        let observer = Arc::new(Observer { tls: self.clone(), seen: Mutex::new(None) });
        let config = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let config = config.with_safe_default_protocol_versions().map_err(|error| in_words(&error))?;
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(&observer) as _;
        let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
        config.enable_sni = self.sni;
        let client = ClientConnection::new(Arc::new(config), name).map_err(|error| in_words(&error))?;
        let link = link.encrypt(client).map_err(|error| handshake_trouble(&error))?;
        let seen = observer.seen.lock().ok().and_then(|mut seen| seen.take());
        Ok((link, seen.ok_or(Trouble::NoTls)?))
    }
}

/// Is this a certificate for that host? Wildcards count, the common name does not, as browsers have it.
pub(crate) fn is_for(certificate: &[u8], host: &str) -> bool {
    let certificate = CertificateDer::from(certificate);
    let name = ServerName::try_from(resolve::bare(host));
    let parsed = ParsedCertificate::try_from(&certificate);
    parsed.is_ok_and(|parsed| name.is_ok_and(|name| verify_server_name(&parsed, &name).is_ok()))
}

/// Keeps what the server shows, and lets the handshake go on.
#[derive(Debug)]
struct Observer {
    tls: Tls,
    seen: Mutex<Option<Peer>>,
}

impl Observer {
    /// A signature says that the server has the key of its certificate. Where the certificate itself is not judged,
    /// a wrong one says nothing more; and kinds of keys that rustls refuses still have dates to be looked at.
    fn signature(
        &self,
        verdict: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.tls.judge.is_none() { Ok(HandshakeSignatureValid::assertion()) } else { verdict }
    }
}

impl ServerCertVerifier for Observer {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let trust = self.tls.judge.as_ref().map_or(Ok(()), |judge| {
            let verdict = judge.verify_server_cert(certificate, intermediates, name, ocsp, now);
            verdict.map(drop).map_err(|error| distrust(&error, certificate, name))
        });
        if let Ok(mut seen) = self.seen.lock() {
            *seen = Some(Peer { certificate: certificate.to_vec(), trust });
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.tls.provider.signature_verification_algorithms;
        self.signature(verify_tls12_signature(message, certificate, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.tls.provider.signature_verification_algorithms;
        self.signature(verify_tls13_signature(message, certificate, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.tls.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Why a certificate is not trusted, for somebody who has to mend it.
fn distrust(error: &Error, certificate: &[u8], name: &ServerName<'_>) -> String {
    let validity = Validity::read(certificate);
    let Error::InvalidCertificate(kind) = error else { return error.to_string() };
    match kind {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => match validity {
            Some(validity) => format!("the certificate expired at {}", certificate::iso(validity.until)),
            None => "the certificate is expired".to_owned(),
        },
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => match validity {
            Some(validity) => {
                format!("the certificate is not valid before {}", certificate::iso(validity.from))
            }
            None => "the certificate is not valid yet".to_owned(),
        },
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate is not for {}", name.to_str())
        }
        CertificateError::UnknownIssuer => {
            "the certificate is of no authority that is trusted here".to_owned()
        }
        other => other.to_string(),
    }
}

fn in_words(error: &Error) -> Trouble {
    Trouble::Tls(error.to_string())
}

/// Something that is no TLS at all is told from TLS that does not suit.
fn handshake_trouble(error: &std::io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::InvalidMessage(_)), _) | (None, std::io::ErrorKind::UnexpectedEof) => Trouble::NoTls,
        (Some(error), _) => in_words(error),
        (None, std::io::ErrorKind::TimedOut) => Trouble::TimedOut,
        (None, _) => Trouble::Tls(reason::of(error)),
    }
}

/// The authorities of a file or directory, or those that this machine trusts.
fn roots(ca: Option<&str>) -> Result<RootCertStore, String> {
    let found = match ca {
        None => rustls_native_certs::load_native_certs().certs,
        Some(ca) => from_path(&crate::invocation::path(ca)).map_err(|error| format!("{ca}: {error}"))?,
    };
    let mut store = RootCertStore::empty();
    // Directories of authorities hold one or the other that is too old to be read.
    let (good, _) = store.add_parsable_certificates(found);
    match (good > 0, ca) {
        (true, _) => Ok(store),
        (false, Some(ca)) => Err(format!("{ca}: there is no certificate in it")),
        (false, None) => Err("this machine trusts no certificate authority".to_owned()),
    }
}

fn from_path(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).map_err(|error| reason::of(&error))?;
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        return Ok(files.filter_map(|file| from_path(&file).ok()).flatten().collect());
    }
    let bytes = std::fs::read(path).map_err(|error| reason::of(&error))?;
    CertificateDer::pem_slice_iter(&bytes).collect::<Result<_, _>>().map_err(|error| error.to_string())
}
