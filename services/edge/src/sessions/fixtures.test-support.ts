/** What tests of sessions are made of: an edge without its listener, and peers that it takes for real. */
export { FakeClient } from './fake-client.test-support.ts';
export { FakeServer } from './fake-server.test-support.ts';
export { KEY, TestEdge, TestTime } from './test-edge.test-support.ts';
export {
  counted,
  JSON_HANDSHAKE,
  MESSAGEPACK_HANDSHAKE,
  payloads,
  readable,
  turn,
  usedOf,
  wire,
} from './wire.test-support.ts';
