import { describe, expect, test } from 'vitest';
import { MemoryBroker } from '../bus/memory-bus.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import { join, joinMute, roundTrip } from './cluster-member.test-support.ts';

describe('an edge', () => {
  test('that falls silent is asked, and gone after three seconds; it comes back as it was', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const [a, b] = [join(broker, 'a'), join(broker, 'b')];
    await roundTrip();
    expect([a.stats.members, b.stats.members]).toEqual([2, 2]);
    // The other edge does not sweep, but answers when it is asked.
    for (let second = 0; second < 6; second++) {
      a.edge.pass(1);
      await roundTrip();
    }
    expect(a.stats).toMatchObject({ members: 2, lost: 0 });
    const mute = joinMute(broker);
    mute.sayThatItIsThere();
    await roundTrip();
    expect(a.stats.members).toBe(3);
    for (let second = 0; second < 4; second++) {
      a.edge.pass(1);
      b.edge.pass(1);
      await roundTrip();
    }
    expect(a.stats).toMatchObject({ members: 2, lost: 1 });
    mute.sayThatItIsThere();
    await roundTrip();
    expect(a.stats.members).toBe(3);
  });

  test('with the id, or the tag, of one that is there for longer has to go', async () => {
    const broker = new MemoryBroker(SYSTEM_TIME);
    const first = join(broker, 'a', { tag: 'tag1' });
    await roundTrip();
    const sameId = join(broker, 'a', { tag: 'tag2', startsAfter: 2 });
    const sameTag = join(broker, 'c', { tag: 'tag1', startsAfter: 3 });
    await roundTrip();
    for (const { edge } of [first, sameId, sameTag]) edge.pass(1);
    await roundTrip();
    expect(first.refused).toEqual([]);
    expect(new Set(sameId.refused)).toEqual(
      new Set([
        "another edge of this cluster has the id 'a': give each edge an --edge-id of its own",
      ]),
    );
    expect(new Set(sameTag.refused)).toEqual(
      new Set(["edge 'a' happens to mint the same connection ids: start this edge again"]),
    );
  });
});
