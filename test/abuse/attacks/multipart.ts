import type { Attack } from '../attack.ts';

const UPLOAD = 'mutation ($a: File!) { uploadPack(archive: $a) { __typename } }';

/** Maps of files, and files of callers who may not send any. */
export const multipart: readonly Attack[] = [
  {
    name: 'a map into 40,000 levels',
    run: async (target) => {
      const path = `variables.a${'.0'.repeat(40_000)}`;
      const nested = `${'['.repeat(40_000)}null${']'.repeat(40_000)}`;
      const form = new FormData();
      form.set('operations', `{"query":${JSON.stringify(UPLOAD)},"variables":{"a":${nested}}}`);
      form.set('map', JSON.stringify({ file: [path] }));
      form.set('file', new File(['x'], 'x'));
      return [await target.send(form)];
    },
  },
  {
    name: 'a map of 50,000 parts',
    run: async (target) => {
      const map = Object.fromEntries(
        Array.from({ length: 50_000 }, (_, at) => [at, ['variables.a']]),
      );
      return [await target.upload(UPLOAD, { a: null }, map, new Uint8Array(1))];
    },
  },
  {
    name: 'large files without the scope',
    run: (target) =>
      Promise.all(
        Array.from({ length: 4 }, () =>
          target
            .upload(UPLOAD, { a: null }, { file: ['variables.a'] }, new Uint8Array(32 * 1024 ** 2))
            // Refused before all of it was read, the connection may be cut.
            .catch(() => ({ status: 0, bytes: 0 })),
        ),
      ),
  },
];
