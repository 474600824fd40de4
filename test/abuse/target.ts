import type { Reply } from './attack.ts';

/** The service as the attacker sees it. */
export class Target {
  readonly url: string;
  readonly #token: string;

  constructor(url: string, token: string) {
    this.url = url;
    this.#token = token;
  }

  async send(body: string | FormData, headers: Record<string, string> = {}): Promise<Reply> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.#token}`, ...headers },
      body,
    });
    return { status: response.status, bytes: (await response.bytes()).length };
  }

  graphql(query: string, variables: object = {}): Promise<Reply> {
    return this.send(JSON.stringify({ query, variables }), { 'content-type': 'application/json' });
  }

  /** An operation with a file, by the multipart request specification. */
  upload(
    query: string,
    variables: object,
    map: object,
    file: Uint8Array<ArrayBuffer>,
  ): Promise<Reply> {
    const form = new FormData();
    form.set('operations', JSON.stringify({ query, variables }));
    form.set('map', JSON.stringify(map));
    form.set('file', new File([file], 'pack.tar.gz'));
    return this.send(form);
  }
}
