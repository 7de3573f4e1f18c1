import { AckStatus, encodeClaims, MessageType } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import type { ServiceSide } from './fake-service.test-support.ts';
import { digits } from './hex.test-support.ts';
import { Scene } from './scene.test-support.ts';

/** A client of a service that answers nothing from now on; the next question is the seventh. */
async function sixAsked(scene: Scene): Promise<ServiceSide> {
  scene.service.answers.acks = false;
  const side = await scene.client('c1');
  for (let n = 1; n < 7; n++) void scene.hub.acks.ask(() => {});
  return side;
}

/** Service protocol reference, section 18.6: its samples, byte for byte. */
describe('refresh of auth at 1.34.0', () => {
  it('asks with new claims and a new end, and reads the claims of the answer', async () => {
    await using scene = await Scene.start();
    const side = await sixAsked(scene);
    const noon = { seconds: Date.UTC(2026, 6, 1, 12) / 1000, nanoseconds: 0 };
    const asked = scene.hub.authRefresh.refresh('tok', [], noon);
    expect((await side.frame(MessageType.RefreshAuth)).hex).toBe(
      digits('0f | 96 29 a3746f6b 80 d6ff6a450140 07 80'),
    );
    const payload = encodeClaims([
      ['role', 'a'],
      ['role', 'b'],
    ]);
    side.write({ type: MessageType.Ack, ackId: 7, status: AckStatus.Ok, message: '', payload });
    expect(await asked).toEqual([
      ['role', 'a'],
      ['role', 'b'],
    ]);
  });

  it('says that the end stays as it is, and hears that another user is refused', async () => {
    await using scene = await Scene.start();
    const side = await sixAsked(scene);
    const asked = scene.hub.authRefresh.refresh('tok', []);
    expect((await side.frame(MessageType.RefreshAuth)).hex).toBe(
      digits('18 | 96 29 a3746f6b 80 c70cff3b9ac99c0000003afff4417f 07 80'),
    );
    side.write({ type: MessageType.Ack, ackId: 7, status: AckStatus.Forbidden, message: '' });
    expect(await asked).toBe('forbidden');
  });

  it('asks for the claims', async () => {
    await using scene = await Scene.start();
    const side = await sixAsked(scene);
    const asked = scene.hub.authRefresh.claimsOf('tok');
    expect((await side.frame(MessageType.GetConnectionClaims)).hex).toBe(
      digits('08 | 94 2a a3746f6b 07 80'),
    );
    side.write({ type: MessageType.Ack, ackId: 7, status: AckStatus.NotFound, message: '' });
    expect(await asked).toBe('not found');
  });

  it('gives a client the claims that the service says it has now', async () => {
    await using scene = await Scene.start();
    const side = await scene.client('c1');
    side.write({
      type: MessageType.UpdateConnectionClaims,
      connectionId: 'c1',
      claims: [['http://schemas.microsoft.com/ws/2008/06/identity/claims/role', 'admin']],
    });
    expect(await scene.answers('c1', side)).toBe(true);
    expect(scene.hub.localClient('c1')!.context.user.isInRole('admin')).toBe(true);
  });
});

it('1.15.2 has no such thing, and is not harmed by it', async () => {
  await using scene = await Scene.start({ profile: '1.15.2' });
  const side = await scene.client('c1');
  await expect(scene.hub.authRefresh.claimsOf('tok')).rejects.toThrow('Not supported.');
  side.write({ type: MessageType.UpdateConnectionClaims, connectionId: 'c1', claims: [] });
  expect(await scene.answers('c1', side)).toBe(true);
});
