/** `@trunkline/sdk/testing`: hubs under test, without a network. */
export {
  type ClientHandler,
  type ClosedConnection,
  type ReceivedMessage,
  TestClient,
} from './test-client.ts';
export {
  type SentMessage,
  testHub,
  TestHub,
  type TestHubOptions,
  type TestUser,
} from './test-hub.ts';
