import { FlowControlOperation, FlowControlTarget, MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { digits } from './hex.test-support.ts';
import { Scene } from './scene.test-support.ts';

/** Service protocol reference, section 20.1: every row. */
describe('bytes of 1.34.0', () => {
  it.each([
    ['stateful, MigrateClients', '08 | 97 01 01 00 a0 01 80 c3', true, 'MigrateClients', '1.34.0'],
    ['defaults', '08 | 97 01 01 00 a0 00 80 c2', false, 'Off', '1.34.0'],
    ['1.15.2', '07 | 96 01 01 00 a0 00 80', false, 'Off', '1.15.2'],
  ] as const)(
    'handshake request, %s',
    async (_name, bytes, allowStatefulReconnects, shutdown, profile) => {
      await using scene = await Scene.start({
        profile,
        shutdown,
        hubOptions: { allowStatefulReconnects },
      });
      const { hex } = await (await scene.side()).frame(MessageType.HandshakeRequest);
      expect(hex).toBe(digits(bytes));
    },
  );

  it.each([
    ['1.34.0', '0d | 94 06 a26331 c4037b7d1e 81 05 01'],
    ['1.15.2', '0b | 94 06 a26331 c4037b7d1e 80'],
  ] as const)('hub handshake response, %s', async (profile, bytes) => {
    await using scene = await Scene.start({ profile });
    const side = await scene.client('c1');
    expect((await side.frame(MessageType.ConnectionData)).hex).toBe(digits(bytes));
  });

  it('Context.Abort(): hub close frame, then close', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('c1');
    (await scene.lend('c1', side)).context.abort();
    await side.closedClient('c1');
    expect(side.received.all.slice(-2).map(({ hex }) => hex)).toEqual([
      digits('15 | 94 06 a26331 c40b 7b2274797065223a377d1e 81 05 04'),
      digits('08 | 95 05 a26331 a0 80 80'),
    ]);
  });

  it('AddToGroupAsync and RemoveFromGroupAsync', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('c1');
    const { groups } = await scene.lend('c1', side);
    expect(await groups.add('c1', 'g')).toBe(true);
    expect(await groups.remove('c1', 'g')).toBe(true);
    const join = await side.frame(MessageType.JoinGroupWithAck);
    expect(join.hex).toBe(digits('09 | 95 12 a26331 a167 01 80'));
    const leave = await side.frame(MessageType.LeaveGroupWithAck);
    expect(leave.hex).toBe(digits('09 | 95 13 a26331 a167 02 80'));
  });

  it('keep-alive, status and fin', async () => {
    await using scene = await Scene.start({ shutdown: 'MigrateClients' });
    const side = await scene.client('c1');
    await scene.clock.advance(6_000);
    side.ping();
    const saying = (entry: string) =>
      side.frame(MessageType.Ping, ({ entries }) => entries[0] === entry);
    expect((await saying('#clientInHub')).hex).toBe(
      digits('1b | 95 03 ac23636c69656e74496e487562 a131 a723636c69656e74 a131'),
    );
    await scene.clock.advance(5_000);
    expect((await saying('status')).hex).toBe(digits('0b | 93 03 a6737461747573 a131'));
    void scene.app.stop();
    expect((await saying('shutdown')).hex).toBe(
      digits('11 | 93 03 a873687574646f776e a566696e3a31'),
    );
  });

  it('PauseAck', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('c1');
    side.write({
      type: MessageType.ConnectionFlowControl,
      connectionId: 'c1',
      connectionType: FlowControlTarget.Client,
      operation: FlowControlOperation.Pause,
    });
    expect((await side.frame(MessageType.ConnectionFlowControl)).hex).toBe(
      digits('10 | 95 27 a26331 d200000001 d200000002 80'),
    );
  });
});
