import type { StartedEdge } from '@trunkline/testing';
import { expect } from 'vitest';

import { HubClient } from './hub-client.ts';

/** The edge answers its health check, and lets a new client call a hub that echoes. */
export async function expectAlive(edge: StartedEdge, hub = 'chat'): Promise<void> {
  expect(edge.child.exitCode).toBeNull();
  const health = await fetch(`${edge.url}/api/health`);
  expect(health.status).toBe(200);
  await using client = await HubClient.connect(edge.url, { hub });
  expect(await client.call('echo', 'still here')).toBe('still here');
}
