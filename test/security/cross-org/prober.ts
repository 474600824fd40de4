/** Sends requests as the prober, and judges what comes back. */
import type { PermissionSet } from '../../../src/model/api-key.entity.ts';
import { isSweep } from '../../support/extent.ts';
import { type DatabaseKind, databaseKinds, type Json } from '../../support/gateway.ts';
import { tokensOf, twinOf, withoutChance } from './tokens.ts';
import type { World } from './world.ts';

export interface Answer {
  readonly status: number;
  /** All but the request's id, as JSON. */
  readonly headers: string;
  readonly text: string;
  readonly body: Json;
  readonly requestId: string;
}

/** One place in a request where something of another org can be put. */
export interface Probe {
  /** `Mutation.attachPack(packId)`. */
  readonly name: string;
  readonly kind: keyof World['foreign'];
  /** Sent with every permission set, and not by the owner alone. */
  readonly byAll: boolean;
  request(value: string): Request;
  /** What is wrong with an answer to a foreign id, whoever asked; null: it is the not-found of the contract. */
  refusal(answer: Answer, asked: PermissionSet): string | null;
}

const OWNER: readonly PermissionSet[] = ['OWNER'];
/** What stands before the number in an id; a cursor has none. */
const typeOf = (value: string): string => value.slice(0, value.indexOf('_') + 1);
/** PostgreSQL is tried with less than all, and swept with all; the embedded one is swept. */
export const probedDatabases: readonly DatabaseKind[] = isSweep ? databaseKinds : ['postgres'];
export const permissionSets: readonly PermissionSet[] = ['OWNER', 'FULL_ACCESS', 'READ_ONLY'];

/** Remembers what the prober has said and heard, so that at the end the log can be searched. */
export class Prober {
  readonly #world: World;
  readonly #permissionSets: readonly PermissionSet[];
  readonly #requests = new Set<string>();
  /** Texts that he made up himself: they may come back later, as the names of what he made. */
  readonly #said = new Set<string>();
  readonly #known: ReadonlySet<string>;
  readonly #secrets: readonly string[];

  /**
   * Scopes are decided before any database is asked: the slower of the two is probed by the owner alone, and on the
   * other one whoever may do less tries one id of each type and one cursor. The sweep tries all of them with all.
   */
  constructor(world: World) {
    this.#world = world;
    const { kind } = world.gateway.app.world.database;
    this.#permissionSets = kind === 'embedded' ? OWNER : permissionSets;
    this.#secrets = [...new Set([...world.secrets, 'canary'])];
    this.#known = new Set([
      ...world.secrets,
      ...tokensOf([JSON.stringify(world.own), world.communityPack.id]),
    ]);
  }

  async ask(request: Request, as: PermissionSet = 'OWNER'): Promise<Answer> {
    request.headers.set('authorization', `Bearer ${this.#world.keys[as]}`);
    const { status, headers, body } = await this.#world.gateway.app.fetch(request);
    const text = await new Response(body).text();
    const requestId = headers.get('x-request-id') ?? '';
    this.#requests.add(requestId);
    headers.delete('x-request-id');
    // An operation that comes again may be run another way, which leaves out the places of errors.
    if (headers.get('content-length') === String(Buffer.byteLength(text))) {
      headers.delete('content-length');
    }
    return {
      status,
      headers: JSON.stringify([...headers]),
      text,
      body: text.startsWith('{') ? JSON.parse(text) : null,
      requestId,
    };
  }

  /** What of the victim is in an answer, what the request itself said aside. */
  leaks({ text, headers }: Pick<Answer, 'text' | 'headers'>, sent = ''): string[] {
    const whole = (headers + text).toLowerCase();
    const found = this.#secrets.filter((secret) => whole.includes(secret.toLowerCase()));
    if (found.length === 0) return found;
    const said = [...this.#said].sort((a, b) => b.length - a.length);
    // A shared pack says where it can be pulled, and so the slug of its org.
    const rest = [this.#world.communityPack.imageRef, sent, ...said]
      .filter((one) => one !== '')
      .reduce((left, one) => left.replaceAll(one, ''), headers + text);
    const heard = rest.toLowerCase();
    return this.#secrets.filter((secret) => heard.includes(secret.toLowerCase()));
  }

  /** Everything wrong with the answers to a probe, for every foreign value and every permission set. */
  async probe(probe: Probe): Promise<string[]> {
    const wrong: string[] = [];
    const values = this.#world.foreign[probe.kind];
    for (const [at, value] of values.entries()) {
      const isFirst = values.findIndex((one) => typeOf(one) === typeOf(value)) === at;
      if (probe.kind === 'text') for (const text of [value, twinOf(value)]) this.#said.add(text);
      for (const as of probe.byAll && (isSweep || isFirst) ? this.#permissionSets : OWNER) {
        const say = (what: string) => wrong.push(`${probe.name} with ${value} as ${as}: ${what}`);
        const answer = await this.ask(probe.request(value), as);
        const twin = await this.ask(probe.request(twinOf(value)), as);
        for (const leak of this.leaks(answer, value)) say(`tells ${leak}: ${answer.text}`);
        const [given, expected] = [
          this.#comparable(answer, value, value),
          this.#comparable(twin, twinOf(value), value),
        ];
        if (given !== expected) say(`${given}\nis not what nobody's gets: ${expected}`);
        const refusal = probe.refusal(answer, as);
        if (refusal !== null) say(`${refusal}: ${answer.status} ${answer.text}`);
      }
    }
    return wrong;
  }

  /** What of the victim is in the log lines of the prober's requests. */
  leaksInLog(): string[] {
    const { logs } = this.#world.gateway;
    const lines = logs.filter(({ requestId }) => this.#requests.has(requestId));
    if (lines.length < this.#requests.size) return ['a request was not logged'];
    // Where a pack that is shared lies is read for whoever reads its files, and no secret.
    const { imageRef } = this.#world.communityPack;
    const repository = imageRef.slice(0, imageRef.lastIndexOf(':'));
    return lines
      .map((line) => JSON.stringify(line).replaceAll(repository, ''))
      .filter((text) => this.leaks({ text, headers: '' }).length > 0);
  }

  #comparable({ status, headers, text }: Answer, sent: string, as: string): string {
    const said = withoutChance(text.replaceAll(sent, as), this.#known);
    return `${status} ${headers} ${said.startsWith('{') ? canonical(JSON.parse(said)) : said}`;
  }
}

/** JSON with its keys in order, and without the places of errors, which are not always told. */
const canonical = (body: Json): string =>
  JSON.stringify(body, (key, value) => {
    if (key === 'locations') return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
