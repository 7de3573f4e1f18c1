import { encodeGroupPage, MessageType } from '@trunkline/protocol';
import { parseConnectionString } from '@trunkline/tokens';
import { expect, test } from 'vitest';

import { DotnetManager } from './dotnet-manager.ts';
import { FakeService, open, type ServiceSide } from './fake-service.test-support.ts';

interface Managed extends AsyncDisposable {
  readonly service: FakeService;
  readonly side: ServiceSide;
  readonly manager: DotnetManager;
}

async function manage(): Promise<Managed> {
  const service = await FakeService.start();
  const { serverEndpoint } = parseConnectionString(service.connectionString);
  const manager = await DotnetManager.connect(serverEndpoint.replace(/\/$/, ''), 'chat');
  const dispose = async (): Promise<void> => {
    await manager[Symbol.asyncDispose]();
    await service[Symbol.asyncDispose]();
  };
  return { service, side: await service.side(), manager, [Symbol.asyncDispose]: dispose };
}

test('a manager has a weak connection, and does not say that it ends', async () => {
  const { service, side, manager } = await manage();
  await using _service = service;
  const { message } = await side.frame(MessageType.HandshakeRequest);
  expect(message).toMatchObject({ connectionType: 2, target: '', migrationLevel: 0 });
  expect(side.request.headers['asrs-user-agent']).toMatch(
    /^Microsoft\.Azure\.SignalR\.Management\//,
  );
  await manager[Symbol.asyncDispose]();
  expect(await side.closed).toBe(1000);
  expect(side.messages.filter(({ type }) => type === MessageType.Ping)).toEqual([]);
});

test('it closes a client that it is given, says so, and opens no connection that it is asked for', async () => {
  await using managed = await manage();
  const { service, side, manager } = managed;
  side.ping('target', 'instance');
  side.write(open('c1'));
  await side.closedClient('c1');
  expect(manager.log).toEqual(['Connection c1 was given to a weak connection.']);
  expect(service.attempts).toBe(1);
});

/** The first query is a sample of what the package wrote (section 18.5), behind its length. */
test('it asks for page after page until there is none behind', async () => {
  await using managed = await manage();
  const { service, side, manager } = managed;
  service.answers.acks = false;
  const members = [{ id: 'c1', userId: undefined }];
  const answer = (ackId: number, next: string | undefined): void => {
    const payload = encodeGroupPage(members, 1, next);
    side.write({ type: MessageType.Ack, ackId, status: 1, message: '', payload });
  };
  const pages = manager.clientManager.pages('group');
  const first = pages.next();
  const { hex } = await side.frame(MessageType.GroupMemberQuery);
  expect(hex).toBe('0d972880a567726f757001c0c0c0');
  answer(1, 'token');
  expect((await first).value).toEqual([{ connectionId: 'c1' }]);
  const second = pages.next();
  const asked = await side.frame(MessageType.GroupMemberQuery, ({ ackId }) => ackId === 2);
  expect(asked.message).toMatchObject({ group: 'group', continuationToken: 'token' });
  answer(2, undefined);
  expect((await second).value).toHaveLength(1);
  expect((await pages.next()).done).toBe(true);
});
