/** What lives for one file of tests. */
const endings: (() => Promise<void>)[] = [];

/** Has something done after the last test of every file. */
export function whenFileEnds(ending: () => Promise<void>): void {
  endings.push(ending);
}

export async function endFile(): Promise<void> {
  for (const ending of endings) await ending();
}
