import { spawnSync } from 'node:child_process';

import type { StartedEdge } from '@trunkline/testing';

export const HAS_PROMTOOL = spawnSync('promtool', ['--version']).status === 0;

/** What `promtool` says of metrics, which is nothing if all is well, and the code that it ends with. */
export function checkMetrics(text: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: text,
    encoding: 'utf8',
  });
  return { status, output: stdout + stderr };
}

/** One scrape of an edge's `/metrics`. */
export class Metrics {
  readonly text: string;
  readonly #values = new Map<string, number>();

  constructor(text: string) {
    this.text = text;
    for (const line of text.split('\n')) {
      const [, name, labels = '', value] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined) continue;
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text]);
      this.#values.set(seriesKey(name, Object.fromEntries(pairs)), Number(value));
    }
  }

  /** Throws when there is no such series, which is something else than 0. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const value = this.#values.get(seriesKey(name, labels));
    if (value === undefined) throw new Error(`no series ${seriesKey(name, labels)}`);
    return value;
  }
}

export async function scrape(edge: StartedEdge): Promise<Metrics> {
  // A connection kept for the next scrape would be among the descriptors that tests count.
  const headers = { connection: 'close' };
  const response = await fetch(`${edge.adminUrl}/metrics`, { headers });
  return new Metrics(await response.text());
}

/** One value of a scrape made now: what `expect.poll` asks again and again. */
export async function metric(
  edge: StartedEdge,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  return (await scrape(edge)).value(name, labels);
}

function seriesKey(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return `${name}{${pairs.sort().join(',')}}`;
}
