import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { NATS } from '@trunkline/testing';
import { describe, expect, it } from 'vitest';
import { nats } from '../../scripts/programs.ts';
import { isAlive, NpmStart } from './npm-start.ts';

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

describe.skipIf(NATS === undefined)('npm start -- --edges 2 (needs nats-server)', () => {
  it('runs two edges that are one service, each with a chat, and ends them all', async () => {
    await using start = new NpmStart({ args: ['--edges', '2'] });
    await start.running();
    const [first, second] = start.urls('Chat sample') as [string, string];
    const [ada, ben] = [await enter(first, 'Ada'), await enter(second, 'Ben')];
    await ada.connection.invoke('say', 'to both');
    await expect.poll(() => ben.heard).toEqual(['to both']);
    await ben.connection.invoke('say', 'and back');
    await expect.poll(() => ada.heard).toEqual(['and back']);
    for (const admin of start.urls('Metrics')) {
      expect(await (await fetch(admin)).text()).toContain('\ntrunkline_cluster_members 2\n');
    }
    const below = start.descendants();
    start.npm.kill('SIGTERM');
    await expect.poll(() => below.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  }, 90_000);
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
