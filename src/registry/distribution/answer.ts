/** One HTTP answer, its body read up to the limit of the call. */
export interface Answer {
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  /** Lower-case names; where a header came more than once, its values joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body was longer than the limit; the rest was not read. */
  readonly truncated: boolean;
}

/** What kind of body an answer has; only the registry itself writes `errors`. */
export type Content =
  | { readonly kind: 'empty' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'errors'; readonly codes: readonly string[]; readonly messages: string }
  /** HTML, text, truncated JSON: somebody else's words, or half of the registry's. */
  | { readonly kind: 'other'; readonly text: string };

/** Reads a body as the OCI Distribution specification 1.1, "Error Codes", shapes it. */
export function contentOf(answer: Answer): Content {
  const text = answer.body.toString('utf8').trim();
  if (text === '') return { kind: 'empty' };
  if (answer.truncated) return { kind: 'other', text };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'other', text };
  }
  if (!isRecord(value) || !('errors' in value)) return { kind: 'json', value };
  const errors = Array.isArray(value.errors) ? value.errors.filter(isRecord) : [];
  return {
    kind: 'errors',
    codes: errors.map((error) => String(error.code)),
    messages: errors.map((error) => String(error.message)).join('\n'),
  };
}

/** Whether the registry itself gives one of these codes. */
export function hasCode(answer: Answer, ...codes: readonly string[]): boolean {
  const content = contentOf(answer);
  return content.kind === 'errors' && content.codes.some((code) => codes.includes(code));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
