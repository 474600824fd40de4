import { namesHost } from '../host.ts';
import type { RegistryFailure } from '../registry.ts';
import type { Answer } from './answer.ts';
import type { Call } from './call.ts';
import { failed } from './call-failed.ts';
import { isCloudMetadata } from './cloud-metadata.ts';
import { atOrigin, isWithoutTls } from './own-address.ts';

/** The hosts that a read may be sent on to, besides the registry itself. */
export interface Elsewhere {
  /** `host[:port]`. */
  readonly hosts: readonly string[];
  /** The variable that names them. */
  readonly variable: string;
}

/** Registries send a blob on once, to their store, a manifest perhaps to a mirror; more is a loop. */
export const MAX_REDIRECTS = 5;

/**
 * Where an answer sends us: an address to ask, a failure where it may not be asked, null where the answer stands.
 *
 * Only 307 and 308 keep the method, and only the registry itself is followed. Reads of blobs and single manifests are
 * the exception, after 301, 302 and 303 as well: registries commonly serve blobs from a store on another host, and
 * registry.k8s.io its manifests from mirrors. The caller must not send credentials to another origin.
 * @param elsewhere left out: any host for a blob, but no cloud's metadata; none for a manifest, whose digest a tag
 *   does not tell
 */
export function redirectTarget(
  { status, headers, url: from }: Answer,
  mayLead: Call['mayLeadElsewhere'],
  elsewhere: Elsewhere | undefined,
): URL | RegistryFailure | null {
  const isFollowed = [307, 308, ...(mayLead ? [301, 302, 303] : [])].includes(status);
  if (!isFollowed || !headers.location || !URL.canParse(headers.location, from.href)) return null;
  const target = new URL(headers.location, from);
  if (target.origin === from.origin) return target;
  if (mayLead === undefined || !/^https?:$/.test(target.protocol)) return null;
  if (isWithoutTls(target, from)) return behindTls(target, from);
  if (elsewhere === undefined) {
    return mayLead === 'to a store' && !isCloudMetadata(target.hostname) ? target : null;
  }
  return namesHost(elsewhere.hosts, target) ? target : notNamed(target, elsewhere);
}

/** A registry that does not know of the TLS in front of it. */
function behindTls(target: URL, from: URL): URL | null {
  const own = atOrigin(target, from);
  const isApi = target.hostname === from.hostname && own.pathname.startsWith('/v2/');
  return isApi && own.href !== from.href ? own : null;
}

/** The host is all that we repeat of the registry's answer: the operator has to know which one to allow. */
const notNamed = ({ host }: URL, { variable }: Elsewhere): RegistryFailure =>
  failed(
    'REGISTRY_ERROR',
    false,
    host.length > 255
      ? 'the registry sends us to a host that cannot be one'
      : `the registry sends us to ${host}: it is not asked unless ${variable} names that host`,
  );
