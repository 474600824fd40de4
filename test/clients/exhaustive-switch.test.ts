import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const EXAMPLE = 'examples/typed-client/explain-deletion.ts';
const members = ['DeletedPack', 'PackInUse', 'NotFound', 'RegistryCleanupFailed'];

/** The example as somebody would have written it who forgot a member of the union. */
function forgetting(member: string): string {
  const example = readFileSync(EXAMPLE, 'utf8');
  const forgotten = example.replace(
    new RegExp(`    case '${member}':[^]*?(?=    case |    default)`),
    '',
  );
  if (forgotten === example) throw new Error(`the example has no case for ${member}`);
  return forgotten;
}

test('the compiler accepts the example, and refuses it with any member of the union forgotten', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'exhaustive-switch-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  symlinkSync(resolve('node_modules'), join(directory, 'node_modules'));
  cpSync('examples/typed-client/generated', join(directory, 'generated'), { recursive: true });
  writeFileSync(join(directory, 'Complete.ts'), readFileSync(EXAMPLE));
  for (const member of members) {
    writeFileSync(join(directory, `Without${member}.ts`), forgetting(member));
  }
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({ extends: resolve('tsconfig.json'), include: ['*.ts'] }),
  );
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ type: 'module' }));
  const output = await compile(directory);
  // `Without….ts(24,14): error TS1360: Type '{ __typename: "NotFound"; …' does not satisfy the expected type 'never'.`
  const complaints = output.matchAll(/^(\w+)\.ts\(.*error TS\d+:.*__typename: "(\w+)"/gm);
  const found = new Set([...complaints].map(([, file, member]) => `${file}: ${member}`));
  expect([...found].sort()).toEqual(members.map((member) => `Without${member}: ${member}`).sort());
  expect(output).not.toContain('Complete');
});

/** What the compiler prints about the project in this directory. */
const compile = (directory: string): Promise<string> =>
  new Promise((done) => {
    const tsc = resolve('node_modules/typescript/bin/tsc');
    execFile(process.execPath, [tsc, '--pretty', 'false'], { cwd: directory }, (_error, stdout) =>
      done(stdout),
    );
  });
