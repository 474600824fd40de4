/** What it means that a request got no answer, by the error codes of Node and undici. */
import { CallFailed, failed, SPEAKS_TLS } from './call-failed.ts';
import { type Deadline, timedOut } from './deadline.ts';

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const TOO_SLOW = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);
// OpenSSL's verification results as Node names them, and Node's own check of the host name.
const UNTRUSTED =
  /CERT|^ERR_TLS_|^UNABLE_TO_|^HOSTNAME_MISMATCH$|^INVALID_(CA|PURPOSE)$|^PATH_LENGTH_EXCEEDED$/;
const NOT_TLS = /^ERR_SSL_|^EPROTO$/;
/** llhttp's parser errors: the other side does not speak HTTP. */
const NOT_HTTP = /^HPE_|^UND_ERR_HEADERS_OVERFLOW$/;

/** Turns a thrown network error into a failure; any other error is thrown again. */
export function networkFailure(error: unknown, deadline: Deadline): CallFailed {
  if (deadline.signal.aborted) return new CallFailed(timedOut(), true);
  const code = codeOf(error);
  if (code === undefined) throw error;
  const unreachable = (retryable: boolean, inDoubt: boolean, detail: string) =>
    new CallFailed(failed('UNREACHABLE', retryable, detail), inDoubt);
  if (TOO_SLOW.has(code)) return new CallFailed(timedOut(), true);
  if (NEVER_SENT.has(code)) {
    return unreachable(
      true,
      false,
      'no connection to the registry: check that it is up and that REGISTRY_URL is right',
    );
  }
  if (code === 'EPERM' || code === 'EACCES') {
    return unreachable(
      true,
      false,
      'this machine does not allow a connection to the registry: check its firewall and sandbox',
    );
  }
  if (isProxyRefusal(error)) {
    return unreachable(
      true,
      false,
      'the proxy (HTTP_PROXY, HTTPS_PROXY) does not let us through to the registry',
    );
  }
  if (code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL' || speaksHttp2(error)) {
    return unreachable(
      false,
      false,
      'the registry speaks only HTTP/2: enable HTTP/1.1 as well, there or in the proxy in front of it',
    );
  }
  if (UNTRUSTED.test(code)) {
    return unreachable(
      false,
      false,
      'the registry’s TLS certificate is not trusted: set REGISTRY_CA_FILE, or renew the certificate',
    );
  }
  if (NOT_TLS.test(code)) {
    return unreachable(
      false,
      false,
      'no TLS on the registry’s port: use http:// in REGISTRY_URL, or the right port',
    );
  }
  if (NOT_HTTP.test(code)) {
    return isTlsAlert(error)
      ? new CallFailed(SPEAKS_TLS)
      : unreachable(true, true, 'what answers at REGISTRY_URL does not speak HTTP');
  }
  return unreachable(
    true,
    true,
    'the connection to the registry broke before its answer was complete',
  );
}

function codeOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code;
    // undici gives its parser's errors a code only where llhttp has one.
    if (at.name === 'HTTPParserError') return 'HPE_UNKNOWN';
  }
  return undefined;
}

/** undici's words for a proxy that refuses a tunnel, or wants other credentials. */
function isProxyRefusal(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (/^Proxy (?:response|Authentication)/.test(at.message)) return true;
  }
  return false;
}

/** An HTTP/2 server begins with a SETTINGS frame (RFC 9113, sections 3.4 and 6.5): length, type 4, stream 0. */
function speaksHttp2(error: unknown): boolean {
  return (
    error instanceof Error &&
    'data' in error &&
    typeof error.data === 'string' &&
    error.data.charCodeAt(0) === 0 &&
    error.data.charCodeAt(3) === 4
  );
}

/** A TLS server that is spoken to in plain HTTP answers with an alert record (RFC 8446, section 5.1). */
function isTlsAlert(error: unknown): boolean {
  return (
    error instanceof Error &&
    'data' in error &&
    typeof error.data === 'string' &&
    error.data.startsWith('\u0015\u0003')
  );
}
