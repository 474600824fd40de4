/** Throughput relative to the limit as a bar chart in SVG. */
import { serverNames } from './servers.ts';
import type { Line } from './summary.ts';
import { workloads, workloadTitles } from './workloads.ts';

const colours: Record<(typeof serverNames)[number], string> = {
  'pack-gateway': '#1f6feb',
  'pack-gateway-trusted': '#54aeff',
  limit: '#8b949e',
  yoga: '#db61a2',
  apollo: '#a371f7',
  mercurius: '#d29922',
  'mercurius-jit': '#bf8700',
  postgraphile: '#3fb950',
};
const BAR = 20;
const GROUP_GAP = 34;
const LEFT = 150;
const WIDTH = 760;
const PLOT = WIDTH - LEFT - 70;

export function plot(lines: readonly Line[]): string {
  const longest = Math.max(1, ...lines.map(({ ratio }) => ratio ?? 0));
  const x = (ratio: number) => LEFT + (ratio / longest) * PLOT;
  const marks: string[] = [];
  let y = 50;
  for (const workload of workloads) {
    const group = serverNames.flatMap((name) =>
      lines.filter((line) => line.workload === workload && line.server === name),
    );
    if (group.length === 0) continue;
    marks.push(text(LEFT, y - 6, `${workload}: ${workloadTitles[workload]}`, 'font-weight="bold"'));
    for (const { server, ratio, requestsPerSecond } of group) {
      const value = ratio ?? 0;
      const width = (x(value) - LEFT).toFixed(1);
      marks.push(
        text(LEFT - 8, y + 14, server, 'text-anchor="end"'),
        `<rect x="${LEFT}" y="${y}" width="${width}" height="${BAR - 4}" fill="${colours[server]}"/>`,
        text(x(value) + 6, y + 13, `${value.toFixed(2)} (${requestsPerSecond.toFixed(0)}/s)`),
      );
      y += BAR;
    }
    y += GROUP_GAP;
  }
  const limit = x(1).toFixed(1);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" role="img" aria-labelledby="title" font-family="sans-serif" font-size="12">
<title id="title">Requests per second relative to the hand-written limit</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${text(LEFT, 20, 'Requests per second relative to the hand-written limit (longer is better)', 'font-size="14"')}
<line x1="${limit}" x2="${limit}" y1="30" y2="${y - GROUP_GAP}" stroke="#8b949e" stroke-dasharray="3 3"/>
${marks.join('\n')}
</svg>
`;
}

const text = (x: number, y: number, content: string, attributes = ''): string =>
  `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${content}</text>`;
