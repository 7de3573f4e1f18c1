import { readFileSync } from 'node:fs';
import { EDGE_ENVIRONMENT } from '@trunkline/foundation';
import { startEdge, startProcess } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';
import { readStages } from '../deploy/deploy-files.ts';
import { FREE_PORTS, NpmStart, ROOT } from './npm-start.ts';

const WANTED = Object.entries(EDGE_ENVIRONMENT).map(([name, value]) => `${name}=${value}`);

/** What a process was started with, as far as it is wanted. */
function found(pid: number): string[] {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  return variables.filter((variable) => WANTED.includes(variable));
}

const service = (name: string, env: NodeJS.ProcessEnv) =>
  startProcess(process.execPath, ['scripts/service.mjs', name, '--dev'], {
    name,
    cwd: ROOT,
    env: { ...FREE_PORTS, ...env },
    ready: (line) => line.includes(`"${name} listening"`),
  });

describe.skipIf(process.platform !== 'linux')('an edge gives back memory, started by', () => {
  it('npm run edge', async () => {
    await using edge = await service('edge', {});
    expect(found(edge.pid)).toEqual(WANTED);
    expect(edge.output()).not.toContain('Warning');
    expect(await edge.stop()).toEqual({ code: 0, signal: null });
  });

  it('npm run edge, unless it is told otherwise', async () => {
    await using edge = await service('edge', { MALLOC_MMAP_THRESHOLD_: '65536' });
    expect(found(edge.pid)).toEqual([]);
  });

  it('npm start', async () => {
    await using start = new NpmStart();
    await start.running();
    expect(found(start.service('edge'))).toEqual(WANTED);
    expect(found(start.service('chat'))).toEqual(WANTED);
  }, 90_000);

  it('tests, and whatever measures it', async () => {
    await using edge = await startEdge();
    expect(found(edge.pid)).toEqual(WANTED);
  });
});

it('so does its image', () => {
  const stage = readStages().get('edge') ?? [];
  const variables = stage.filter(({ name }) => name === 'ENV').map(({ text }) => text);
  expect(variables).toEqual(WANTED);
});
