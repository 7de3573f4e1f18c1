import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { LoadGenerator, startEdge, startProcess } from '@trunkline/testing';

import type { Contenders, SideNames } from './compare.ts';
import { withSides } from './compare.ts';
import { type EchoOptions, flatOut, warmUp } from './echo.ts';
import { SETTLE_ARGS } from './process-usage.ts';
import { startAll, startEdgeSide, type StartSide } from './side.ts';
import { type Row, withoutFloor } from './table.ts';

export const UPSTREAM_SIDES: SideNames = ['upstream', 'app server'];

const MICROSECONDS = 1_000_000;
const MAIN = fileURLToPath(new URL('./upstream-app.ts', import.meta.url));

/**
 * Echo calls that an upstream answers, by an HTTP request each, beside the same that an app server
 * answers over its server connections. The upstream has one call of a client at a time, so of the calls
 * that each client has under way the others wait at the edge.
 */
export function measureUpstream(options: EchoOptions): Promise<Row[]> {
  const contenders: Contenders = {
    edge: startUpstreamSide,
    bare: (work) => startEdgeSide(work),
    names: UPSTREAM_SIDES,
  };
  return withSides(contenders, 'echo', async (sides) => {
    await warmUp(sides);
    const rows = await flatOut(sides, UPSTREAM_SIDES, options);
    // The floors are about an edge beside a bare server.
    return rows.flatMap((row) => [...perCore(row), withoutFloor(row)]);
  });
}

/** What the edge's cost of a call comes to in a second of its CPU. */
function perCore(row: Row): Row[] {
  if (row.name !== '  server') return [];
  const unit = 'calls per core and second';
  const { edge, bare } = row;
  return [
    { name: '  server', unit, edge: MICROSECONDS / edge, bare: MICROSECONDS / bare, digits: 0 },
  ];
}

/** An edge whose hub has an upstream and no app server. */
const startUpstreamSide: StartSide = () =>
  startAll(async (started) => {
    const upstream = started(
      await startProcess(process.execPath, [MAIN], {
        name: 'upstream',
        ready: (line) => /^listening on (.+)$/.exec(line)?.[1],
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-bench-'));
    started({ stop: async () => rmSync(folder, { recursive: true }) });
    const config = join(folder, 'edge.json');
    const upstreams = [{ urlTemplate: `${upstream.ready}/{event}` }];
    writeFileSync(config, JSON.stringify({ hubs: { bench: { upstream: upstreams } } }));
    const edge = started(await startEdge({ nodeArgs: SETTLE_ARGS, args: ['--config', config] }));
    const load = started(await LoadGenerator.start(edge.url));
    const processes = { server: [edge.pid], app: [upstream.pid], load: [load.pid] };
    return { load, serverPid: edge.pid, processes };
  });
