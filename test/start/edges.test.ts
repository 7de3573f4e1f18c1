import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { NATS, startProcess } from '@trunkline/testing';
import type { StartedProcess } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';
import { nats } from '../../scripts/programs.ts';
import { isAlive, NpmStart } from './npm-start.ts';

const TIED = fileURLToPath(new URL('../../scripts/tied.ts', import.meta.url));

/** A page of a chat, as far as a room is concerned. */
async function enter(url: string, name: string) {
  const heard: string[] = [];
  const connection = new HubConnectionBuilder()
    .withUrl(`${url}/chat`)
    .configureLogging(LogLevel.None)
    .build();
  connection.on('message', (_room: string, { text }: { text: string }) => void heard.push(text));
  await connection.start();
  await connection.invoke('join', 'lobby', name);
  return { connection, heard };
}

/** The command of a process, word by word. */
function commandOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
}

describe.skipIf(NATS === undefined)('npm start -- --edges 3 (needs nats-server)', () => {
  it('runs three edges that are one service, each with a chat, and leaves nothing behind when it is killed', async () => {
    await using start = new NpmStart({ args: ['--edges', '3'] });
    await start.running(120_000);
    const pages = await Promise.all(
      start.urls('Chat sample').map((url, index) => enter(url, `Visitor ${index}`)),
    );
    expect(pages).toHaveLength(3);
    for (const [index, { connection }] of pages.entries()) {
      await connection.invoke('say', `from ${index}`);
    }
    for (const [index, { heard }] of pages.entries()) {
      const others = [0, 1, 2].filter((other) => other !== index);
      await expect.poll(() => heard.toSorted()).toEqual(others.map((other) => `from ${other}`));
    }
    for (const admin of start.urls('Metrics')) {
      expect(await (await fetch(admin)).text()).toContain('\ntrunkline_cluster_members 3\n');
    }
    const below = start.descendants();
    expect(below.map(commandOf).filter(([program]) => program === NATS)).toHaveLength(1);
    process.kill(-start.npm.pid!, 'SIGKILL');
    await expect.poll(() => below.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  }, 180_000);
});

describe('a program that is tied to who has started it', () => {
  const tied = (): Promise<StartedProcess<string>> =>
    startProcess(process.execPath, [TIED, 'sh', '-c', 'echo $$; exec sleep 1000']);

  it('ends when it is told to', async () => {
    await using running = await tied();
    expect(await running.stop()).toEqual({ code: 0, signal: null });
    expect(isAlive(Number(running.ready))).toBe(false);
  });

  it('fails who has started it when it ends by itself', async () => {
    await using running = await tied();
    process.kill(Number(running.ready), 'SIGKILL');
    expect(await running.exited).toEqual({ code: 1, signal: null });
  });
});

it.each([
  [['--edges', '0'], "--edges must be a number from 1 to 9, not '0'"],
  [['--edges', 'two'], "--edges must be a number from 1 to 9, not 'two'"],
  [['--edge'], "Unknown option '--edge'"],
  [['edges'], "Unexpected argument 'edges'"],
])(
  'says what is wrong with %j',
  async (args, text) => {
    await using start = new NpmStart({ args });
    await expect(start.running()).rejects.toThrow(text);
  },
  90_000,
);

it('says so where several edges are asked for and there is no nats-server', () => {
  expect(() => nats(undefined)).toThrow('this machine has no nats-server: install it');
});
