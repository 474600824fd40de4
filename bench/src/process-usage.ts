import { readFileSync } from 'node:fs';

/** Ticks of /proc's CPU times; 100 a second on every Linux that Node.js runs on. */
const MICROS_PER_TICK = 10_000;
const PAGE_BYTES = 4096;

/** User and system time of a process so far, microseconds; null where there is no /proc. */
export function cpuMicrosOf(pid: number): number | null {
  const stat = readProc(pid, 'stat');
  if (stat === null) return null;
  // The name, in parentheses, may hold spaces: what is counted begins after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * MICROS_PER_TICK;
}

/** Resident memory of a process, bytes; null where there is no /proc. */
export function rssOf(pid: number): number | null {
  const statm = readProc(pid, 'statm');
  return statm === null ? null : Number(statm.split(' ')[1]) * PAGE_BYTES;
}

function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null;
  }
}
