/**
 * The one catalogue of problems: what can go wrong in the business (`problems`). What stops a request before the
 * business is asked is in `request-refused.ts`. GraphQL unions, REST statuses, OpenAPI, logs and metrics all read
 * these tables; adding a problem is one variant of `Problem` and one row, and the compiler names the places that
 * must speak of it.
 */
import type { FieldProblem } from './field-problem.ts';
import type { PackRow } from './model/pack-row.ts';
import type { RoleRow } from './model/role-row.ts';
import { quoted } from './quoted.ts';
import type { RegistryFailure } from './registry/registry.ts';
import { refusals } from './request-refused.ts';

export type Subject = 'pack' | 'pack_file' | 'agent_role' | 'api_key';

/** The first roles of the caller's org that hold a pack, in page order, and whether there are more. */
export interface Blockers {
  readonly roles: readonly RoleRow[];
  readonly hasMore: boolean;
  /** Only roles of other orgs stand in the way. The caller's own are listed nevertheless. */
  readonly othersOnly: boolean;
}

export type Problem =
  | { readonly kind: 'not_found'; readonly subject: Subject; readonly id: string }
  | { readonly kind: 'validation_failed'; readonly fields: readonly FieldProblem[] }
  | { readonly kind: 'name_taken'; readonly subject: 'pack'; readonly name: string }
  | {
      readonly kind: 'name_taken';
      readonly subject: 'agent_role';
      readonly name: string;
      /** Whether the role that has it is, so that lists leave it out. */
      readonly archived: boolean;
    }
  | { readonly kind: 'pack_in_use'; readonly pack: PackRow; readonly blockers: Blockers }
  | {
      readonly kind: 'pack_not_editable';
      readonly pack: PackRow;
      /** What makes it so. */
      readonly because: 'image_origin' | 'tier';
    }
  | {
      readonly kind: 'pack_being_deleted';
      readonly packId: string;
      readonly name: string;
      /** Whether the caller's org owns it, and so can finish that. */
      readonly owned: boolean;
    }
  | {
      readonly kind: 'registry_cleanup_failed';
      readonly pack: PackRow;
      readonly failure: RegistryFailure;
      /** How many deletions of this pack have failed so far, this one included. */
      readonly attempts: number;
    }
  | {
      readonly kind: 'registry_unavailable';
      readonly failure: RegistryFailure;
      /** What may be different in the registry, although no pack has another image than before. */
      readonly aftermath?: 'image_stored' | 'old_image_untagged';
    }
  | { readonly kind: 'not_archived'; readonly roleId: string; readonly name: string };

export type ProblemKind = Problem['kind'];
export type ProblemOf<Kind extends ProblemKind> = Extract<Problem, { kind: Kind }>;

/** A problem's row: how each surface speaks of it. */
interface ProblemRow<P extends Problem> {
  readonly graphqlType: string;
  /** Every code it can carry, as REST writes them; GraphQL has the same in upper case. */
  readonly codes: readonly string[];
  readonly code: (problem: P) => string;
  readonly status: 400 | 404 | 409 | 502;
  /** Of the log line of a request that came to it. */
  readonly logLevel: 'info' | 'warn';
  readonly message: (problem: P) => string;
}

const subjectNames: Record<Subject, string> = {
  pack: 'pack',
  pack_file: 'file',
  agent_role: 'agent role',
  api_key: 'API key',
};

export const problems = {
  not_found: {
    graphqlType: 'NotFound',
    codes: ['pack_not_found', 'pack_file_not_found', 'agent_role_not_found', 'api_key_not_found'],
    code: ({ subject }) => `${subject}_not_found`,
    status: 404,
    logLevel: 'info',
    message: ({ subject, id }) =>
      subject === 'pack_file'
        ? `The pack has no file ${quoted(id)}; "files" lists those that it has.`
        : `Your org has no ${subjectNames[subject]} ${quoted(id)}.`,
  },
  validation_failed: {
    graphqlType: 'ValidationFailed',
    codes: ['validation_error'],
    code: () => 'validation_error',
    status: 400,
    logLevel: 'info',
    message: ({ fields }) =>
      `The input was refused: ${fields.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
  },
  name_taken: {
    graphqlType: 'NameTaken',
    codes: ['name_taken'],
    code: () => 'name_taken',
    status: 409,
    logLevel: 'info',
    message: (problem) => {
      const name = quoted(problem.name);
      if (problem.subject === 'pack') {
        return `Your org already has a pack named ${name}: replace its image (replacePackImage), delete it first, or choose another name.`;
      }
      return problem.archived
        ? `Your org already has an agent role named ${name}, which is archived: unarchive it (unarchiveAgentRole) or choose another name.`
        : `Your org already has an agent role named ${name}: update that role or choose another name.`;
    },
  },
  pack_in_use: {
    graphqlType: 'PackInUse',
    codes: ['pack_in_use'],
    code: () => 'pack_in_use',
    status: 409,
    logLevel: 'info',
    message: ({ pack, blockers }) =>
      `The pack ${quoted(pack.name)} is still referenced by ${holders(blockers)}.`,
  },
  pack_not_editable: {
    graphqlType: 'PackNotEditable',
    codes: ['pack_not_editable'],
    code: () => 'pack_not_editable',
    status: 409,
    logLevel: 'info',
    message: ({ pack, because }) =>
      because === 'image_origin'
        ? `The pack ${quoted(pack.name)} was not uploaded here, so what is in it cannot be changed here: give it another image (replacePackImage), or upload a pack of your own.`
        : `The pack ${quoted(pack.name)} is vouched for by the platform as it is (tier ${pack.tier}), so its files cannot be changed one by one.`,
  },
  pack_being_deleted: {
    graphqlType: 'PackBeingDeleted',
    codes: ['pack_being_deleted'],
    code: () => 'pack_being_deleted',
    status: 409,
    logLevel: 'info',
    message: ({ name, owned }) =>
      owned
        ? `The pack ${quoted(name)} is being deleted. Call deletePack again to finish that; it cannot be used meanwhile.`
        : `The pack ${quoted(name)} is being deleted by its owner; it cannot be used any more.`,
  },
  registry_cleanup_failed: {
    graphqlType: 'RegistryCleanupFailed',
    codes: ['registry_cleanup_failed'],
    code: () => 'registry_cleanup_failed',
    status: 502,
    logLevel: 'warn',
    message: ({ pack, failure }) =>
      `The image of pack ${quoted(pack.name)} could not be purged: ${clause(failure.detail)}. The pack is kept; delete it again to resume.`,
  },
  registry_unavailable: {
    graphqlType: 'RegistryUnavailable',
    codes: ['registry_unavailable'],
    code: () => 'registry_unavailable',
    status: 502,
    logLevel: 'warn',
    message: (problem) =>
      `The registry could not do this: ${clause(problem.failure.detail)}. ${aftermathOf(problem)}`,
  },
  not_archived: {
    graphqlType: 'NotArchived',
    codes: ['not_archived'],
    code: () => 'not_archived',
    status: 409,
    logLevel: 'info',
    message: ({ name }) => `The agent role ${quoted(name)} is not archived.`,
  },
} satisfies { [Kind in ProblemKind]: ProblemRow<ProblemOf<Kind>> };

/** A problem's row, for code that handles every kind alike. */
export function problemRow<P extends Problem>(problem: P): ProblemRow<P> {
  // The key picks the row of this very kind, a correlation that the type of `problems` cannot carry.
  return problems[problem.kind] as unknown as ProblemRow<P>;
}

const isProblemKind = (kind: string): kind is ProblemKind => Object.hasOwn(problems, kind);

/** Tells a problem from a success among a use-case's outcomes. */
export function isProblem<O extends { readonly kind: string }>(
  outcome: O,
): outcome is Extract<O, Problem> {
  return isProblemKind(outcome.kind);
}

/** How loudly a request is logged that came to these outcomes: as the loudest of them asks for. */
export const logLevelOf = (outcomes: readonly string[]): 'info' | 'warn' =>
  outcomes.some((kind) => isProblemKind(kind) && problems[kind].logLevel === 'warn')
    ? 'warn'
    : 'info';

/** The closed set of codes, as REST writes them. */
export const errorCodes: readonly string[] = [
  ...Object.values(problems).flatMap(({ codes }) => codes),
  ...Object.keys(refusals),
];

/** The same code as GraphQL writes it. */
export const graphqlCode = (code: string): string => code.toUpperCase();

function aftermathOf({ failure, aftermath }: ProblemOf<'registry_unavailable'>): string {
  if (aftermath === 'old_image_untagged') {
    return 'The pack keeps its image, unless somebody else has changed it meanwhile; tags and signatures of that image may be gone.';
  }
  return aftermath === 'image_stored' || failure.inDoubt
    ? 'No pack was changed, but the image may have been stored there.'
    : 'Nothing was changed.';
}

/** A sentence as part of a longer one. */
const clause = (detail: string): string => detail.replace(/\.$/, '');

/** More make a sentence that nobody reads; `roles` and `details` list them. */
const NAMED_HOLDERS = 3;

/** Who holds a pack, and what the caller can do about it. */
function holders({ roles, hasMore, othersOnly }: Blockers): string {
  if (othersOnly || roles.length === 0)
    return 'agent roles of other orgs, which only those orgs can detach';
  const named = roles.slice(0, NAMED_HOLDERS).map(({ name }) => quoted(name));
  const more = hasMore || roles.length > named.length ? ' and more' : '';
  const own = `${roles.length === 1 && !hasMore ? 'the agent role' : 'the agent roles'} ${named.join(', ')}${more}`;
  return `${own}. Detach it there (detachPackFromRoles takes it from all roles of your org at once), then try again`;
}
