import { expect, test } from 'vitest';
import type { EdgeStatus, HostStatus } from './edge-status.ts';
import { NO_STATUS } from './edge-status.ts';
import { HostDirectory } from './host-directory.ts';

const host = (serverId: string, open: number, clients: number): HostStatus => ({
  serverId,
  open,
  clients,
});

/** Edges that have said of the hub `chat` that they have these hosts. */
function directoryOf(statuses: Record<string, HostStatus[]>, draining: readonly string[] = []) {
  const statusOf = (edgeId: string): EdgeStatus => ({
    ...NO_STATUS,
    isDraining: draining.includes(edgeId),
    hubs: [{ name: 'chat', hosts: statuses[edgeId] ?? [] }],
  });
  return new HostDirectory({ edges: Object.keys(statuses), statusOf });
}

const anyone = (): boolean => true;

test('the process with the fewest clients for each of its connections is chosen', () => {
  const directory = directoryOf({ a: [host('x', 1, 3)], b: [host('y', 5, 10), host('z', 0, 0)] });
  expect(directory.choose('chat', anyone)).toEqual({ edgeId: 'b', serverId: 'y' });
  expect(directory.choose('chat', ({ serverId }) => serverId === 'x')?.edgeId).toBe('a');
  expect(directory.choose('other', anyone)).toBeUndefined();
});

test('what it has been given since its edge has told counts, until it tells again', () => {
  const directory = directoryOf({ a: [host('x', 1, 0)], b: [host('y', 1, 0)] });
  const chosen: string[] = [];
  for (let n = 0; n < 4; n++) {
    const found = directory.choose('chat', anyone)!;
    directory.given('chat', found);
    chosen.push(found.edgeId);
  }
  expect(chosen).toEqual(['a', 'b', 'a', 'b']);
  directory.forget('b');
  expect(directory.choose('chat', anyone)?.edgeId).toBe('b');
});

test('one that has refused a client gets no more until its edge has told', () => {
  const directory = directoryOf({ a: [host('x', 1, 0)] });
  directory.refused('chat', { edgeId: 'a', serverId: 'x' });
  expect(directory.choose('chat', anyone)).toBeUndefined();
  directory.forget('a');
  expect(directory.choose('chat', anyone)?.serverId).toBe('x');
});

test('an edge that goes gets only those whom no other edge can serve, and serves whom it has', () => {
  const both = directoryOf({ a: [host('x', 1, 0)], b: [host('y', 1, 9)] }, ['a']);
  expect(both.choose('chat', anyone)?.edgeId).toBe('b');
  const directory = directoryOf({ a: [host('x', 1, 0)] }, ['a']);
  expect(directory.choose('chat', anyone)?.edgeId).toBe('a');
  expect([directory.serves('chat', 'x'), directory.serves('chat', 'y')]).toEqual([true, false]);
});
