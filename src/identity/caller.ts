import type { PermissionSet } from '../model/api-key.entity.ts';
import type { KeyId, OrgId } from '../model/ids.ts';

export const scopes = ['caps:write', 'audit:read', 'apikeys:write'] as const;
export type Scope = (typeof scopes)[number];

/** The scopes of each closed template of API keys (contract, "Who may call"). */
export const templates: Record<PermissionSet, ReadonlySet<Scope>> = {
  FULL_ACCESS: new Set<Scope>(['caps:write', 'audit:read']),
  READ_ONLY: new Set<Scope>(['audit:read']),
  OWNER: new Set(scopes),
};

/** Who calls, for which org, and with what rights: the one thing every use-case is handed besides its input. */
export interface Caller {
  readonly orgId: OrgId;
  readonly orgSlug: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly principal: Principal;
  readonly requestId: string;
}

export type Principal =
  | { readonly kind: 'api_key'; readonly keyId: KeyId }
  | {
      readonly kind: 'user';
      readonly userId: string;
      /** When the session ends, in milliseconds of the epoch. */
      readonly expiresAt: number;
    }
  | { readonly kind: 'service'; readonly name: ServiceName };

/** Under which the audit log keeps what nobody called for; `retention` stands in the database's own functions. */
const serviceNames = ['operator', 'check-consistency', 'retention'] as const;
export type ServiceName = (typeof serviceNames)[number];
export const isServiceName = (name: string): name is ServiceName =>
  serviceNames.some((one) => one === name);

/** Who the audit log names: a key's id, a user's, or a part of the service. */
export function actorOf({ principal }: Caller): string {
  switch (principal.kind) {
    case 'api_key':
      return principal.keyId;
    case 'user':
      return principal.userId;
    case 'service':
      return principal.name;
  }
}
