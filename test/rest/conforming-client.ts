/** A client that holds every answer against the OpenAPI document. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import type { Gateway, Json, RestAnswer, RestOptions } from '../support/gateway.ts';

export interface ConformingClient {
  readonly document: Json;
  /** As `gateway.rest`; fails where the document does not allow the answer. */
  call(method: string, path: string, options?: RestOptions): Promise<RestAnswer>;
}

/** By the document's text. To compile its schemas takes longer than most tests. */
const validatorsOf = new Map<string, (pointer: string) => ValidateFunction>();

export async function conformingClient(gateway: Gateway): Promise<ConformingClient> {
  const { body: document } = await gateway.rest('GET', '/v1/openapi.json', { key: null });
  const text = JSON.stringify(document);
  const validatorFor = validatorsOf.get(text) ?? compiled(document);
  validatorsOf.set(text, validatorFor);
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    form: new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
  }));
  return {
    document,
    async call(method, path, options) {
      const answer = await gateway.rest(method, path, options);
      const { status, headers, body } = answer;
      const line = `${method} ${path} -> ${status} ${JSON.stringify(body)}`;
      // Bytes of a pack, of whatever type its author named them.
      if (
        status === 200 &&
        /\/(archive|files\/.+)$/.test(new URL(path, 'http://gateway').pathname) &&
        method === 'GET'
      )
        return answer;
      const validate = validatorFor(
        pointerOf(document, templateOf(templates, path), method, status),
      );
      expect(validate(body), `${line}: ${JSON.stringify(validate.errors)}`).toBe(true);
      expect(headers.get('content-type'), line).toBe('application/json');
      if (status >= 400) {
        expect(body.error.request_id, line).toBe(headers.get('x-request-id'));
      }
      return answer;
    },
  };
}

function compiled(document: Json): (pointer: string) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'document');
  // ajv keeps what it has compiled.
  return (pointer) => {
    const validate = ajv.getSchema(`document#${pointer}`);
    if (validate === undefined) throw new Error(`The document has no ${pointer}.`);
    return validate;
  };
}

/** Where in the document the schema of this answer is. */
function pointerOf(
  document: Json,
  template: string | undefined,
  method: string,
  status: number,
): string {
  const operation = template && document.paths[template][method.toLowerCase()];
  // What is no operation has no answers of its own, but is an Error all the same.
  if (operation === undefined) return '/components/schemas/Error';
  const key = operation.responses[status] === undefined ? 'default' : status;
  const parts = ['paths', template ?? '', method.toLowerCase(), 'responses', key];
  return `/${[...parts, 'content', 'application/json', 'schema'].map(escaped).join('/')}`;
}

function templateOf(
  templates: readonly { readonly template: string; readonly form: RegExp }[],
  path: string,
): string | undefined {
  const { pathname } = new URL(path, 'http://gateway');
  const matching = templates
    .filter(({ form }) => form.test(pathname))
    .map(({ template }) => template);
  // A path without parameters goes before one with.
  return matching.find((template) => !template.includes('{')) ?? matching[0];
}

const escaped = (part: string | number): string =>
  encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
