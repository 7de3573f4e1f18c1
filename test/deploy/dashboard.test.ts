import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { HubConnection } from '@microsoft/signalr';
import { startChat, startEdge } from '@trunkline/testing';
import type { StartedChat, StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { panelQueries } from './queries.ts';
import { hasPrometheus, startPrometheus } from './start-prometheus.ts';
import type { StartedPrometheus } from './start-prometheus.ts';

describe.skipIf(!hasPrometheus)('every panel has data (needs prometheus)', () => {
  let edge: StartedEdge;
  let chat: StartedChat;
  let prometheus: StartedPrometheus;
  let people: HubConnection[] = [];

  beforeAll(async () => {
    edge = await startEdge();
    [chat, prometheus] = await Promise.all([
      startChat({ edgeUrl: edge.url }),
      startPrometheus(new URL(edge.adminUrl).host),
    ]);
    await vi.waitUntil(() => chat.output().includes('connected to the edge'), 10_000);
    // Rates need a scrape from before what they count.
    await vi.waitUntil(async () => (await prometheus.query('up == 1')).length > 0, 10_000);
    people = await talk(chat.url);
  });

  afterAll(async () => {
    await Promise.all(people.map((person) => person.stop()));
    await prometheus?.stop();
    await chat?.stop();
    await edge?.stop();
  });

  test.each(panelQueries())('$name', async ({ expr }) => {
    const expression = expr.replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m');
    expect(expression).not.toContain('$');
    const values = async (): Promise<number[]> =>
      (await prometheus.query(expression)).map(({ value }) => value);
    await vi.waitFor(async () => expect(await values()).not.toEqual([]), 10_000);
    // A quantile of nothing is NaN.
    await vi.waitFor(async () => expect(await values()).not.toContain(Number.NaN), 10_000);
  });
});

/** A few people come to a room and talk, and one of them leaves; answers those who stay. */
async function talk(chatUrl: string): Promise<HubConnection[]> {
  const people = [];
  for (const name of ['Ada', 'Grace', 'Edsger']) {
    const person = new HubConnectionBuilder()
      .withUrl(`${chatUrl}/chat`)
      .configureLogging(LogLevel.None)
      .build();
    await person.start();
    await person.invoke('join', 'lobby', name);
    people.push(person);
  }
  for (const person of people) await person.invoke('say', 'hello');
  await people.pop()?.stop();
  return people;
}
