import { expect, it } from 'vitest';
import { sampleImage } from '../../support/sample-image.ts';
import { openLayout, repo, stateOf, tagged } from './open-layout.ts';

const triage = repo('packs/acme/triage');
const v1 = tagged('1.0.0');
const lapsed = { kind: 'failed', reason: 'TIMEOUT', retryable: true };

it('leaves the index as it is once the caller may not write', async () => {
  const { registry } = await openLayout();
  const [image, later] = [sampleImage('triage'), sampleImage('later')];
  await registry.push(triage, v1, image);
  const mayWrite = () => false;

  expect(await registry.push(triage, v1, later, { mayWrite })).toMatchObject(lapsed);
  expect(await registry.purge(triage, image.descriptor.digest, { mayWrite })).toMatchObject(lapsed);
  expect(await stateOf(registry, triage, v1, image)).toBe('whole');

  expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
});
