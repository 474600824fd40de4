/** REST's half of the catalogue of problems (`outcomes.ts`): the form of each kind's `details`. */
import { z } from '@hono/zod-openapi';
import { type ProblemKind, problems } from '../outcomes.ts';
import { BLOCKERS_SHOWN } from '../packs/verdict-lookup.ts';
import { registryFailureReasons } from '../registry/registry.ts';
import type { RefusalCode } from '../request-refused.ts';
import { enumOut } from './letter-case.ts';

const failure = {
  reason: enumOut(registryFailureReasons),
  retryable: z.boolean().openapi({
    description: 'Whether trying again later can help without anyone changing the registry.',
  }),
  retry_after_seconds: z
    .number()
    .optional()
    .openapi({ description: 'The pause that the registry asked for; also as Retry-After.' }),
};

/** Null: the kind has no details. */
const details: Record<ProblemKind, z.ZodType | null> = {
  not_found: null,
  validation_failed: z.object({
    fields: z.record(z.string(), z.string()).openapi({ description: 'Field -> what is wrong.' }),
  }),
  name_taken: null,
  pack_in_use: z.object({
    roles: z
      .array(z.object({ id: z.string(), name: z.string(), archived: z.boolean() }))
      .max(BLOCKERS_SHOWN)
      .openapi({ description: 'The first roles of your org that reference the pack.' }),
    total: z.int().openapi({ description: 'How many roles of your org reference it.' }),
    other_org_total: z.int().openapi({ description: 'How many roles of other orgs do.' }),
  }),
  pack_not_editable: null,
  pack_being_deleted: z.object({ pack_id: z.string() }),
  registry_cleanup_failed: z.object({
    ...failure,
    attempts: z.int().openapi({ description: 'How many deletions of the pack have failed.' }),
  }),
  registry_unavailable: z.object(failure),
  not_archived: null,
};

const envelope = (codes: readonly string[], detailsSchema: z.ZodType | null) =>
  z.object({
    error: z.object({
      code: z.enum(codes),
      message: z.string().openapi({ description: 'What went wrong, for people.' }),
      request_id: z.string().openapi({ description: 'The same as the header x-request-id.' }),
      ...(detailsSchema && { details: detailsSchema }),
    }),
  });

const problemSchemas = new Map(
  // The type of `problems` is what makes these keys kinds; Object.keys cannot know.
  (Object.keys(problems) as ProblemKind[]).map((kind) => {
    const { codes, graphqlType } = problems[kind];
    return [kind, envelope(codes, details[kind]).openapi(graphqlType)];
  }),
);

/** The whole error of one kind of problem. */
export function problemSchema(kind: ProblemKind): z.ZodType {
  const schema = problemSchemas.get(kind);
  if (schema === undefined) throw new Error(`no schema for ${kind}`);
  return schema;
}

/** The whole error of a refusal with one of these codes. */
export const refusalSchema = (codes: readonly RefusalCode[]): z.ZodType =>
  envelope(codes, codes.includes('permission_denied') ? requiredScopes : null);

const requiredScopes = z.object({ required_scopes: z.array(z.string()) });

/** Any error at all. */
export const anyErrorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      request_id: z.string(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  })
  .openapi('Error');
