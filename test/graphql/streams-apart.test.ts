/** Nothing that happens to one caller's stream, or that he does with it, is felt in another's. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { EventFeed } from '../../src/audit/event-feed.ts';
import { maxStreams, StreamPlaces } from '../../src/audit/stream-places.ts';
import type { Caller } from '../../src/identity/caller.ts';
import { FAILURES_PER_ADDRESS } from '../../src/identity/failed-attempts.ts';
import { type KeyId, keyIds, newUuid, type OrgId, orgIds } from '../../src/model/ids.ts';
import { change } from '../packs/changes.ts';
import { lastOf, openStreams, type Stream, streamOf, subscribe } from '../support/event-stream.ts';
import { longDatabaseKinds } from '../support/extent.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startSessionIssuer } from '../support/session-issuer.ts';

const ADDRESS = '192.0.2.7';
const UNAUTHENTICATED = { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };

afterEach(() => vi.restoreAllMocks());

/** Makes a pack in the org of a key, of which its stream then tells. */
async function expectHeard(gateway: Gateway, stream: Stream, key: string): Promise<void> {
  const { id } = await gateway.pack(`p-${newUuid()}`, { key });
  expect((await stream.next()).data.packEvents).toMatchObject({ packId: id });
}

/** Bad tokens from one address, more than are looked at. */
async function useUpAttempts(gateway: Gateway): Promise<void> {
  for (let i = 0; i < FAILURES_PER_ADDRESS + 20; i++) {
    const authorization = `Bearer sk_${newUuid()}`;
    const request = new Request('http://gateway/v1/packs', { headers: { authorization } });
    await gateway.app.fetch(request, ADDRESS);
  }
}

const keyIdOf = async (gateway: Gateway, key: string): Promise<string> =>
  (await gateway.graphql('{ viewer { apiKey { id } } }', {}, key)).data.viewer.apiKey.id;

describe.each(longDatabaseKinds)('streams of several callers on %s', (database) => {
  test('a key that is revoked ends its own stream alone, whatever its address has tried', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other');
    const key = await gateway.key('READ_ONLY');
    const colleague = await gateway.key('FULL_ACCESS');
    await using stream = await subscribe(gateway, { key, address: ADDRESS });
    await using beside = await subscribe(gateway, { key: colleague, address: ADDRESS });
    await using theirs = await subscribe(gateway, { key: other, address: ADDRESS });
    await useUpAttempts(gateway);
    await change(gateway, 'revokeApiKey', { id: await keyIdOf(gateway, key) });
    expect(await lastOf(stream)).toMatchObject(UNAUTHENTICATED);
    await openStreams(gateway, 2);
    await expectHeard(gateway, beside, colleague);
    await expectHeard(gateway, theirs, other);
  });

  test('too many subscriptions of one caller are refused to him alone', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other');
    const greedy = await gateway.key('READ_ONLY');
    await using theirs = await subscribe(gateway, { key: other });
    const hangUp = new AbortController();
    const responses = await Promise.all(
      Array.from({ length: maxStreams.caller + 20 }, () =>
        streamOf(gateway, { key: greedy }, hangUp.signal),
      ),
    );
    await openStreams(gateway, maxStreams.caller + 1);
    // Only those end that were refused; which of them came too late is for their keys' lookups to decide.
    expect(await Promise.any(responses.map((response) => response.text()))).toMatch(
      /100 subscriptions open.*"code":"RATE_LIMITED"/,
    );
    await using late = await subscribe(gateway, { key: other });
    await expectHeard(gateway, theirs, other);
    expect((await late.next()).data.packEvents.type).toBe('PACK_UPLOADED');
    hangUp.abort();
  });

  test('events of one org that cannot be read end its own streams alone', async () => {
    const gateway = await startGateway({ database });
    const other = await gateway.org('other');
    await using stream = await subscribe(gateway);
    await using theirs = await subscribe(gateway, { key: other });
    const { database: real } = gateway.app.world;
    // No database fails for one statement and not for the next.
    vi.spyOn(real, 'forOrg').mockImplementationOnce(() => {
      throw new Error('broken');
    });
    await real.query(
      `insert into audit_events (id, org_id, type, actor, subject_id, request_id, details, created_at)
       select gen_random_uuid(), o.id, 'PACK_UPLOADED', 'a', 'pack_1', 'r', '{}', now()
       from orgs o where o.slug = 'default'`,
      [],
    );
    expect(await lastOf(stream)).toMatchObject({
      errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }],
    });
    await expectHeard(gateway, theirs, other);
  });

  test('a session that ends takes its stream along, and no other, though its keys cannot be had', async () => {
    const issuer = await startSessionIssuer();
    const gateway = await startGateway({ database, environment: issuer.environment });
    const brief = await issuer.token('brief', 1);
    await using stream = await subscribe(gateway, { key: brief, address: ADDRESS });
    const long = await issuer.token('long', 3_600, { scope: 'caps:write' });
    await using stays = await subscribe(gateway, { key: long, address: ADDRESS });
    issuer.goDown();
    await useUpAttempts(gateway);
    expect(await lastOf(stream)).toMatchObject(UNAUTHENTICATED);
    await expectHeard(gateway, stays, long);
  });

  test('a session that may call within the tolerance for clocks may follow as well', async () => {
    const issuer = await startSessionIssuer();
    const gateway = await startGateway({ database, environment: issuer.environment });
    const late = await issuer.token('late', -1, { scope: 'caps:write' });
    await using stream = await subscribe(gateway, { key: late, address: ADDRESS });
    await expectHeard(gateway, stream, late);
  });
});

describe('the feed of events', () => {
  const followedBy = () => {
    const ends: string[] = [];
    const types: string[] = [];
    return {
      ends,
      types,
      onEvent: ({ type }: { type: string }) => void types.push(type),
      onEnd: ({ code }: { code: string }) => void ends.push(code),
    };
  };
  const callerOf = (org: OrgId, key: KeyId = keyIds.of(newUuid())): Caller => ({
    orgId: org,
    orgSlug: 'org',
    scopes: new Set(),
    principal: { kind: 'api_key', keyId: key },
    requestId: 'request',
  });

  test('a connection that could not be opened leaves nothing that ends later ones', async () => {
    const gateway = await startGateway({ database: 'postgres' });
    const { database, log } = gateway.app.world;
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { data } = await gateway.graphql('{ viewer { org { id } } }');
    const caller = callerOf(data.viewer.org.id);
    const listen = vi.spyOn(database, 'listen').mockRejectedValueOnce(new Error('down'));
    await using stack = new AsyncDisposableStack();
    const feed = new EventFeed(database, log, () => undefined);
    stack.defer(() => feed.end());
    stack.defer(async () => void vi.useRealTimers());
    const before = vi.getTimerCount();
    const [first, second, third] = [followedBy(), followedBy(), followedBy()];
    const refused = await Promise.allSettled([
      feed.follow(caller, first),
      feed.follow(caller, second),
    ]);
    expect(refused.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(vi.getTimerCount()).toBe(before);
    const leave = await feed.follow(caller, third);
    expect(listen).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(before + 1);
    for (let renewal = 0; renewal < 10; renewal++) vi.advanceTimersByTime(20_000);
    await gateway.pack('triage');
    await expect.poll(() => third.types).toEqual(['PACK_UPLOADED']);
    expect(third.ends).toEqual([]);
    // With nobody left to tell, the connection is given up.
    leave();
    vi.advanceTimersByTime(20_000);
    expect(vi.getTimerCount()).toBe(before);
  });

  test('a follower who throws is ended, and the others hear on', async () => {
    const gateway = await startGateway();
    const { events } = gateway.app;
    const { data } = await gateway.graphql('{ viewer { org { id } } }');
    const caller = callerOf(data.viewer.org.id);
    const [good, bad] = [followedBy(), followedBy()];
    await events.follow(caller, {
      ...bad,
      onEvent: () => {
        throw new Error('a bug');
      },
    });
    await events.follow(caller, good);
    await gateway.pack('one');
    await gateway.pack('two');
    await expect.poll(() => good.types).toHaveLength(2);
    expect([good.ends, bad.ends]).toEqual([[], ['service_unavailable']]);
  });

  test('has places for one org, and for all orgs, that others cannot take', () => {
    const counted: number[] = [];
    const places = new StreamPlaces((count) => counted.push(count));
    const take = (org: OrgId, count: number) => {
      const left: (() => void)[] = [];
      for (let i = 0; i < count; i++) left.push(places.take(callerOf(org)));
      return left;
    };
    const orgs = Array.from({ length: 5 }, () => orgIds.of(newUuid()));
    const [one = orgIds.of(newUuid()), two = one, ...others] = orgs;
    const ofOne = take(one, maxStreams.org);
    expect(() => take(one, 1)).toThrow('Your org has 500 subscriptions open');
    take(two, 1);
    ofOne[0]?.();
    ofOne[0]?.();
    take(one, 1);
    expect(() => take(one, 1)).toThrow('Your org has');
    take(two, maxStreams.org - 1);
    for (const org of others.slice(0, 2)) take(org, maxStreams.org);
    expect(counted.at(-1)).toBe(maxStreams.process);
    expect(() => take(orgs[4] ?? one, 1)).toThrow('This server has 2000 subscriptions open');
  });
});
