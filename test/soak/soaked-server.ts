/** The service as a process of its own, whose memory can be looked into from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { OWNER_KEY } from '../support/owner-key.ts';
import { DevTools } from './devtools.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const PAGE_BYTES = 4096;

export interface Memory {
  /** What is still referenced, after a full collection; bytes. */
  readonly heap: number;
  /** Buffers outside of the heap, after that collection; bytes. */
  readonly buffers: number;
  /** Resident, after that collection; bytes. */
  readonly rss: number;
  /** Listeners on all the event emitters that are alive. */
  readonly listeners: number;
}

export interface Watched {
  /** Microseconds. */
  readonly cpu: number;
  /** Bytes. */
  readonly rss: number;
}

/** The longest that its own work kept the loop's thread busy between two timers: what it stands still on a quiet machine. */
const BUSY = `{
  const used = () => (({ user, system }) => user + system)(process.threadCpuUsage());
  let before = used();
  globalThis.longest = 0;
  globalThis.looking = setInterval(() => {
    const now = used();
    globalThis.longest = Math.max(globalThis.longest, now - before);
    before = now;
  }, 5);
}`;

const CPU = '(({ user, system }) => user + system)(process.cpuUsage())';

export class SoakedServer implements AsyncDisposable {
  readonly url: string;
  readonly #child: ChildProcess;
  readonly #devTools: DevTools;
  readonly #directory: string;

  private constructor(url: string, child: ChildProcess, devTools: DevTools, directory: string) {
    this.url = url;
    this.#child = child;
    this.#devTools = devTools;
    this.#directory = directory;
  }

  /**
   * @param environment on top of a key, a port, a data directory and a directory for temporary files
   * @param flags of Node
   */
  static async start(
    environment: Readonly<Record<string, string>>,
    flags: readonly string[] = [],
  ): Promise<SoakedServer> {
    const directory = mkdtempSync(join(tmpdir(), 'soak-'));
    const temporary = join(directory, 'tmp');
    mkdirSync(temporary);
    const child = spawn(process.execPath, [...flags, '--inspect=127.0.0.1:0', MAIN], {
      env: {
        PATH: process.env.PATH,
        BOOTSTRAP_API_KEY: OWNER_KEY,
        DATA_DIR: join(directory, 'data'),
        TMPDIR: temporary,
        PORT: '0',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const orphaned = () => child.kill('SIGKILL');
    process.once('exit', orphaned);
    child.once('exit', () => process.off('exit', orphaned));
    const [devToolsUrl, port] = await Promise.all([
      seenIn(child, child.stderr, /Debugger listening on (ws:\S+)/),
      seenIn(child, child.stdout, /"port":(\d+).*"msg":"listening"/),
    ]);
    const devTools = await DevTools.open(devToolsUrl);
    return new SoakedServer(`http://127.0.0.1:${port}`, child, devTools, directory);
  }

  /** Collects all garbage, then looks what is left. */
  async memory(): Promise<Memory> {
    const listeners = await this.#countListeners();
    // Twice: what finalizers let go in the first one is taken by the second.
    await this.#devTools.send('HeapProfiler.collectGarbage');
    await this.#devTools.send('HeapProfiler.collectGarbage');
    const { usedSize, embedderHeapUsedSize = 0 } =
      await this.#devTools.send('Runtime.getHeapUsage');
    const buffers = await this.#evaluate('process.memoryUsage().external');
    return { heap: usedSize + embedderHeapUsedSize, buffers, rss: this.rss(), listeners };
  }

  /** Collects garbage, then answers the bytes still referenced, those of buffers included. */
  async held(): Promise<number> {
    await this.#devTools.send('HeapProfiler.collectGarbage');
    return this.#evaluate('process.memoryUsage().heapUsed + process.memoryUsage().external');
  }

  /** From now on notes how long the loop stands still, and how much is held and worked. */
  async startWatching(): Promise<Watched> {
    await this.#evaluate(`
      globalThis.watched = process.getBuiltinModule('node:perf_hooks').monitorEventLoopDelay({ resolution: 5 });
      globalThis.watched.enable();
      ${BUSY}
    `);
    // Resets the peak of resident memory (proc(5)).
    writeFileSync(`/proc/${this.#child.pid}/clear_refs`, '5');
    return { cpu: await this.#evaluate(CPU), rss: this.rss() };
  }

  /** What was seen since. Of memory the peak of what was resident, garbage included. */
  async stopWatching(before: Watched): Promise<{
    readonly stallMs: number;
    readonly busyMs: number;
    readonly cpuMs: number;
    readonly grewBy: number;
  }> {
    // A loop that stands still notes it when it goes on.
    await this.#evaluate('globalThis.watched.disable()');
    const stallMs = (await this.#evaluate('globalThis.watched.max')) / 1e6;
    const busyMs =
      (await this.#evaluate('clearInterval(globalThis.looking), globalThis.longest')) / 1e3;
    const cpuMs = ((await this.#evaluate(CPU)) - before.cpu) / 1e3;
    return { stallMs, busyMs, cpuMs, grewBy: this.#peak() - before.rss };
  }

  #peak(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  }

  collectGarbage(): Promise<unknown> {
    return this.#devTools.send('HeapProfiler.collectGarbage');
  }

  /** Resident memory now, bytes. */
  rss(): number {
    return (
      Number(readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES
    );
  }

  /** Open file descriptors, sockets among them. */
  descriptors(): { readonly all: number; readonly sockets: number } {
    const directory = `/proc/${this.#child.pid}/fd`;
    const targets = readdirSync(directory).map((fd) => {
      try {
        return readlinkSync(join(directory, fd));
      } catch {
        return 'closed meanwhile';
      }
    });
    return {
      all: targets.length,
      sockets: targets.filter((target) => target.startsWith('socket:')).length,
    };
  }

  /** Names of what stands in the directory for temporary files. */
  temporaryFiles(): readonly string[] {
    return readdirSync(join(this.#directory, 'tmp'), { recursive: true, encoding: 'utf8' });
  }

  /** Whether it runs yet. */
  isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#devTools.close();
    if (this.isAlive()) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await exited;
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #evaluate(expression: string): Promise<number> {
    const { result } = await this.#devTools.send('Runtime.evaluate', { expression });
    return Number(result.value);
  }

  async #countListeners(): Promise<number> {
    const objectGroup = 'listeners';
    const { result: prototype } = await this.#devTools.send('Runtime.evaluate', {
      expression: 'process.getBuiltinModule("node:events").EventEmitter.prototype',
      objectGroup,
    });
    const { objects } = await this.#devTools.send('Runtime.queryObjects', {
      prototypeObjectId: prototype.objectId,
      objectGroup,
    });
    const { result } = await this.#devTools.send('Runtime.callFunctionOn', {
      objectId: objects.objectId,
      functionDeclaration: `function () {
        let count = 0;
        for (const emitter of this) {
          // A prototype has no listeners of its own, and getters that throw.
          if (!Object.hasOwn(emitter, '_events')) continue;
          for (const name of emitter.eventNames()) count += emitter.listenerCount(name);
        }
        return count;
      }`,
      returnByValue: true,
    });
    // Or this list would itself keep every emitter alive.
    await this.#devTools.send('Runtime.releaseObjectGroup', { objectGroup });
    return Number(result.value);
  }
}

/** Waits for a line of the process's output; what comes after it is read and dropped. */
function seenIn(child: ChildProcess, output: Readable, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', () => reject(new Error(`the server did not start: ${text}`)));
    const lines = createInterface(output);
    lines.on('line', (line) => {
      text += `${line}\n`;
      const found = pattern.exec(line)?.[1];
      if (found === undefined) return;
      lines.close();
      output.resume();
      resolve(found);
    });
  });
}
