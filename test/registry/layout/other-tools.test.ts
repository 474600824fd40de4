/** Programs that know nothing of this one read the layout while it is in use. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { installed } from '../../support/installed.ts';
import { sampleImage } from '../../support/sample-image.ts';
import { openLayout, repo, tagged } from './open-layout.ts';

const run = promisify(execFile);
const triage = repo('packs/acme/triage');
const v1 = tagged('1.0.0');

test.skipIf(!installed('skopeo'))(
  'skopeo finds what was uploaded a moment ago, under its name, and not what was purged',
  async () => {
    const { registry, directory } = await openLayout();
    const image = sampleImage('triage');
    const inspect = () =>
      run('skopeo', ['inspect', '--raw', `oci:${directory}:${triage}:${v1}`], {
        encoding: 'buffer',
      });
    expect(await registry.push(triage, v1, image)).toEqual({ kind: 'pushed' });
    expect((await inspect()).stdout).toEqual(Buffer.from(image.manifest));
    expect(await registry.purge(triage, image.descriptor.digest)).toEqual({ kind: 'purged' });
    await expect(inspect()).rejects.toThrow(/no descriptor found for reference/);
  },
);
