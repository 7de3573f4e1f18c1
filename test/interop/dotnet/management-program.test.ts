import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { startEdge, type StartedEdge } from '@trunkline/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { Client } from '../../conformance/client.ts';
import type { About } from '../../conformance/contract.ts';
import { type AppServer, startAppServer } from '../../conformance/start-app-server.ts';
import { azureSettings } from './hub-app.ts';
import { BUILD_TIMEOUT_MS, type StartedApp, withPart } from './part.ts';

const part = { project: 'ManagementProgram', how: 'with its package' } as const;
await withPart(part, (management) => {
  describe.each([
    ['Transient', ' (needs the REST API of the edge)'],
    ['Persistent', ''],
  ])('ManagementProgram, %s%s', (transport) => {
    let edge: StartedEdge;
    let app: AppServer;
    let manager: StartedApp;
    let hasRest: boolean;

    beforeAll(async () => {
      edge = await startEdge();
      const request = await fetch(`${edge.url}/api/hubs/main/:send`, { method: 'POST' });
      hasRest = request.status !== 404;
      app = await startAppServer({ edgeUrl: edge.url });
      manager = await management.start(azureSettings(edge.url), { args: [transport] });
    }, BUILD_TIMEOUT_MS);

    beforeEach(({ skip }) => skip(transport === 'Transient' && !hasRest));

    afterAll(async () => {
      await manager?.stop();
      await app?.stop();
      await edge?.stop();
    });

    /** A client that the program's own negotiate lets in. */
    async function connect(userId: string): Promise<Client> {
      const url = `${manager.url}/main?userId=${userId}`;
      const connection = new HubConnectionBuilder().withUrl(url).configureLogging(LogLevel.None);
      const client = new Client(connection.build());
      await client.connection.start();
      return client;
    }

    async function manage(order: string, details: Record<string, unknown>): Promise<boolean> {
      const body = JSON.stringify({ do: order, ...details });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${manager.url}/manage`, { method: 'POST', headers, body });
      const text = await answer.text();
      if (!answer.ok) throw new Error(text);
      return text === 'true';
    }

    async function send(to: readonly unknown[], text: string): Promise<void> {
      await manage('send', { to, text });
    }

    it('negotiates, and finds the service healthy', async () => {
      await using ann = await connect('ann');
      expect((await ann.invoke<About>('about')).userIdentifier).toBe('ann');
      expect(await (await fetch(`${manager.url}/healthy`)).json()).toBe(true);
    });

    it('reaches exactly who is meant', async () => {
      await using ann = await connect('ann');
      await using bob = await connect('bob');
      const [annId, bobId] = [await ann.id(), await bob.id()];
      await ann.invoke('join', 'red');
      await send(['all'], 'both 1');
      await send(['allExcept', [bobId]], 'ann 2');
      await send(['client', annId], 'ann 3');
      await send(['clients', [annId, bobId]], 'both 4');
      await send(['user', 'bob'], 'bob 5');
      await send(['users', ['ann', 'bob']], 'both 6');
      await send(['group', 'red'], 'ann 7');
      await send(['groups', ['red', 'blue']], 'ann 8');
      await send(['groupExcept', 'red', [annId]], 'nobody 9');
      await send(['all'], 'both end');
      for (const [client, own] of [
        [ann, /both|ann/],
        [bob, /both|bob/],
      ] as const) {
        await client.messages.first(([text]) => text === 'both end', 'the end');
        const heard = client.messages.all.map(([text]) => String(text));
        const sent = ['both 1', 'ann 2', 'ann 3', 'both 4', 'bob 5', 'both 6', 'ann 7', 'ann 8'];
        expect(heard).toEqual([...sent, 'both end'].filter((text) => own.test(text)));
      }
    });

    it('changes groups of connections and of users', async () => {
      await using cal = await connect('cal');
      const [connectionId, userId] = [await cal.id(), 'cal'];
      const group = `green ${transport}`;
      expect(await manage('groupExists', { group })).toBe(false);
      await manage('add', { connectionId, group });
      expect(await manage('groupExists', { group })).toBe(true);
      await send(['group', group], 'as a connection');
      await manage('remove', { connectionId, group });
      await send(['group', group], 'too late');
      await manage('addUser', { userId, group });
      expect(await manage('isUserInGroup', { userId, group })).toBe(true);
      await send(['group', group], 'as a user');
      await manage('removeUser', { userId, group });
      expect(await manage('isUserInGroup', { userId, group })).toBe(false);
      await manage('add', { connectionId, group });
      await manage('removeFromAll', { connectionId });
      await send(['group', group], 'too late');
      await send(['user', userId], 'the end');
      await cal.messages.first(([text]) => text === 'the end', 'the end');
      expect(cal.messages.all).toEqual([['as a connection'], ['as a user'], ['the end']]);
    });

    it('knows who is there, and closes connections', async () => {
      await using dan = await connect('dan');
      const [connectionId, userId] = [await dan.id(), 'dan'];
      expect(await manage('connectionExists', { connectionId })).toBe(true);
      expect(await manage('userExists', { userId })).toBe(true);
      await manage('close', { connectionId, text: 'that is all' });
      expect((await dan.event('closed')).error).toContain('that is all');
      await expect.poll(() => manage('connectionExists', { connectionId })).toBe(false);
      await expect.poll(() => manage('userExists', { userId })).toBe(false);
    });
  });
});
