import {
  type EdgeOptions,
  FakeAppServer,
  type FakeAppServerOptions,
  startEdge,
  type StartedEdge,
} from '@trunkline/testing';
import { afterAll } from 'vitest';

/** An edge and an app server of it for all tests of a file, after the last of which both end. */
export async function sharedEdge(
  edgeOptions: EdgeOptions = {},
  serverOptions: FakeAppServerOptions = {},
): Promise<{ readonly edge: StartedEdge; readonly server: FakeAppServer }> {
  const edge = await startEdge(edgeOptions);
  afterAll(() => edge.stop());
  const server = await FakeAppServer.connect(edge.url, serverOptions);
  afterAll(() => server.close());
  return { edge, server };
}
