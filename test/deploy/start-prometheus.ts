import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '@trunkline/testing';
import type { StartedProcess } from '@trunkline/testing';
import { parse, stringify } from 'yaml';
import { readText, ROOT } from './deploy-files.ts';

export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

/** A value that Prometheus answers: the labels of a series and its latest value. */
interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface StartedPrometheus extends StartedProcess<string> {
  /** Evaluates an expression now. Rejects with Prometheus's words when it is not a valid one. */
  query(expression: string): Promise<QueryResult[]>;
}

interface Config {
  readonly global: Readonly<Record<string, string>>;
  readonly scrape_configs: readonly { readonly job_name: string }[];
}

/**
 * Starts Prometheus with the configuration in deploy/, but with one target, host and port, for every
 * job, and a scrape each second. What it stores goes when it stops.
 */
export async function startPrometheus(target: string): Promise<StartedPrometheus> {
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  cpSync(`${ROOT}deploy/prometheus`, folder, { recursive: true });
  const config = parse(readText('deploy/prometheus/prometheus.yml')) as Config;
  const ours = {
    ...config,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    scrape_configs: config.scrape_configs.map((job) => ({
      ...job,
      static_configs: [{ targets: [target] }],
    })),
  };
  const path = join(folder, 'prometheus.yml');
  writeFileSync(path, stringify(ours));
  const prometheus = await startProcess(
    'prometheus',
    [
      `--config.file=${path}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { name: 'prometheus', ready: (line) => /Listening on" address=(\S+)/.exec(line)?.[1] },
  );
  void prometheus.exited.then(() => rmSync(folder, { recursive: true }));
  return { ...prometheus, query: (expression) => query(`http://${prometheus.ready}`, expression) };
}

async function query(url: string, expression: string): Promise<QueryResult[]> {
  const response = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expression })}`);
  const answer = (await response.json()) as {
    error?: string;
    data: { result: { metric: Record<string, string>; value: [number, string] }[] };
  };
  if (answer.error !== undefined) throw new Error(`${answer.error} in ${expression}`);
  return answer.data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
}
