import { performance } from 'node:perf_hooks';
import type { ProxyConfig } from '../../outgoing/proxy.ts';
import type { RegistryCall, RegistryFailure } from '../registry.ts';
import type { Answer } from './answer.ts';
import { Authorization } from './authorization.ts';
import { type Call, type Result, resultOf } from './call.ts';
import { CallFailed } from './call-failed.ts';
import { CallReports, outcomeOf } from './call-reports.ts';
import { Deadline } from './deadline.ts';
import { type Elsewhere, MAX_REDIRECTS, redirectTarget } from './redirect.ts';
import { ATTEMPTS, patientAttempts, withRetries } from './retry.ts';
import type { TokenServices } from './token-realm.ts';
import { fetchToken, ScopeRefused, type TokenRequest } from './token-service.ts';
import { readCapped, Transport } from './transport.ts';

export interface ClientOptions {
  readonly url: URL;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  /** Token services besides the registry; left out: any port of the registry's host. */
  readonly tokens?: TokenServices;
  readonly proxy?: ProxyConfig;
  /** Where reads may be sent on to; left out: to any host. */
  readonly elsewhere?: Elsewhere;
  readonly deadlineMs: number;
  readonly onCall?: (call: RegistryCall) => void;
}

/** Plenty for an error; a call that expects more says so. */
const BODY_LIMIT = 64 * 1024;
const MOST_CONNECT_MS = 10_000;
/** The first token is asked for all that we need; where that gave too little, a second for what is named there. */
const MOST_RENEWALS = 2;

/** Makes one call to the registry: credentials, redirects, retries and the reading of the answer. */
export class Client {
  readonly #options: ClientOptions;
  readonly #transport: Transport;
  readonly #authorization: Authorization;
  readonly #reports: CallReports;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#reports = new CallReports(options.onCall);
    const named = [options.url.host, ...(options.tokens?.hosts ?? [])];
    this.#transport = new Transport({
      connectTimeoutMs: Math.min(options.deadlineMs, MOST_CONNECT_MS),
      trusted: new Set(named.map((host) => new URL(`http://${host}`).hostname)),
      ca: options.ca,
      proxy: options.proxy,
    });
    this.#authorization = new Authorization({
      registry: options.url,
      username: options.username,
      password: options.password,
      tokens: options.tokens,
      fetchToken: (...asked) => this.#fetchToken(...asked),
    });
  }

  /** The URL of a path under the registry. */
  url(path: string): URL {
    return new URL(path, this.#options.url);
  }

  /** Throws `CallFailed`. */
  async call(call: Call, deadline: Deadline): Promise<Result> {
    let inDoubt = false;
    const attempts = call.attempts ?? (call.patient ? patientAttempts : ATTEMPTS);
    return withRetries(deadline, attempts, async () => {
      try {
        const result = await this.#attempt(call, deadline);
        return result.kind === 'gone' ? { ...result, inDoubt } : result;
      } catch (error) {
        if (!(error instanceof CallFailed)) throw error;
        // What an earlier try may have done stays in doubt, however the last one fails.
        inDoubt ||= error.inDoubt;
        throw inDoubt && !error.inDoubt ? new CallFailed(error.failure, true) : error;
      }
    });
  }

  async close(): Promise<void> {
    await this.#transport.close();
  }

  async #attempt(call: Call, deadline: Deadline): Promise<Result> {
    const scope =
      call.scope ??
      (call.actions === undefined ? undefined : `repository:${call.repository}:${call.actions}`);
    let header = await this.#authorization.header(scope, deadline);
    let renewals = 0;
    let insisted = false;
    let redirects = 0;
    let url = call.url;
    for (;;) {
      const atHome = url.origin === this.#options.url.origin;
      const started = performance.now();
      const { result, answer } = await this.#request(
        call,
        url,
        atHome ? header : undefined,
        deadline,
      );
      const answered = performance.now() - started;
      const report = (outcome: RegistryCall['outcome']) =>
        this.#reports.ended(call, answered, answer.status, outcome);
      const target = redirectTarget(answer, call.mayLeadElsewhere, this.#options.elsewhere);
      // A redirect may lead to where people sign in; one of a blob leads to its store.
      const mayHide =
        atHome &&
        header === undefined &&
        !insisted &&
        (target === null || call.mayLeadElsewhere === 'to a named host') &&
        this.#mayHide(call, answer);
      if (target !== null && !mayHide && redirects++ < MAX_REDIRECTS) {
        if (!(target instanceof URL)) {
          report(target.reason);
          throw new CallFailed(target);
        }
        report('ok');
        url = target;
        continue;
      }
      if (answer.status === 401 && atHome && renewals < MOST_RENEWALS) {
        renewals++;
        const challenge = answer.headers['www-authenticate'];
        const better = await this.#authorization.renew(
          challenge,
          scope,
          header,
          deadline,
          renewals > 1,
        );
        if (better !== undefined) {
          // A challenge is how registries ask for credentials: no failure, as long as there are any.
          report('ok');
          header = better;
          continue;
        }
      }
      if (mayHide) {
        insisted = true;
        const base = await this.#challengeAtBase(deadline);
        const better = await this.#authorization.insist(base, scope, deadline);
        if (better !== undefined) {
          report('ok');
          header = better;
          continue;
        }
      }
      report(outcomeOf(result, answer));
      if (result.kind === 'failed') {
        const lack = answer.status === 401 && atHome && header !== undefined;
        const failure = lack
          ? (this.#authorization.lackOf(answer.headers['www-authenticate'], scope) ?? result)
          : result;
        throw new CallFailed(failure, answer.status >= 500 || answer.status < 300);
      }
      return result;
    }
  }

  /** Whether a registry that knew who we are might have answered differently. */
  #mayHide(call: Call, { status, headers }: Answer): boolean {
    if (!this.#authorization.hasCredentials) return false;
    if (status >= 200 && status < 300) {
      return call.needsCredentials === true || /html/i.test(headers['content-type'] ?? '');
    }
    return status >= 300 && status < 500 && status !== 408 && status !== 429;
  }

  /** The challenge at `/v2/`, where the specification of tokens has every registry make it. */
  async #challengeAtBase(deadline: Deadline): Promise<string | undefined> {
    const call = { operation: 'GET base', method: 'GET', repository: '' } as const;
    const url = this.url('/v2/');
    const { answer } = await this.#request({ ...call, url }, url, undefined, deadline);
    return answer.status === 401 ? answer.headers['www-authenticate'] : undefined;
  }

  async #request(
    call: Call,
    url: URL,
    authorization: string | undefined,
    deadline: Deadline,
  ): Promise<{ result: Result | RegistryFailure; answer: Answer }> {
    if (call.changesManifest) deadline.checkWrite();
    const started = performance.now();
    try {
      const headers = { ...call.headers, ...(authorization ? { authorization } : {}) };
      const body = call.body?.();
      const request = {
        method: call.method,
        url,
        headers,
        ...(body ? { body } : {}),
        ...(call.streamed ? { keepsCoding: true } : {}),
      };
      const open = await this.#transport.open(request, deadline);
      if (call.streamed && open.status === 200) {
        const answer = { ...open, body: Buffer.alloc(0), truncated: false };
        return { result: { kind: 'answered', answer, content: open.body }, answer };
      }
      const answer = await readCapped(open, call.limit ?? BODY_LIMIT, deadline);
      return { result: resultOf(call, answer), answer };
    } catch (error) {
      this.#reports.failed(call, performance.now() - started, error);
      throw error;
    }
  }

  async #fetchToken(request: TokenRequest, basic: string | undefined, isLast: boolean) {
    using deadline = new Deadline(this.#options.deadlineMs);
    const started = performance.now();
    const repository = request.scope?.split(':')[1] ?? '';
    const call = { operation: 'GET token', repository };
    try {
      const token = await fetchToken(this.#transport, request, basic, deadline);
      this.#reports.ended(call, performance.now() - started, 200, 'ok');
      return token;
    } catch (error) {
      const milliseconds = performance.now() - started;
      // As a challenge is no failure as long as there is an answer to it.
      if (error instanceof ScopeRefused && !isLast) {
        this.#reports.ended(call, milliseconds, error.status, 'ok');
      } else this.#reports.failed(call, milliseconds, error);
      throw error;
    }
  }
}
