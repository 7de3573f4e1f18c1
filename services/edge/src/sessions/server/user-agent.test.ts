import { expect, test } from 'vitest';
import { reopensClients } from './user-agent.ts';

test.each([
  ['Microsoft.Azure.SignalR/1.15.2+1f7a (.NET 6.0.36; Debian GNU/Linux 12 (bookworm); X64)', false],
  ['Microsoft.Azure.SignalR/1.33.9 (.NET 8.0.0)', false],
  ['Microsoft.Azure.SignalR/0.99.0', false],
  ['Microsoft.Azure.SignalR.Management/1.30.3-preview+aa (.NET 8.0.0)', false],
  ['Microsoft.Azure.SignalR/1.34.0-rtm+9c449f38 (.NET 10.0.12; Debian GNU/Linux 12; X64)', true],
  ['Microsoft.Azure.SignalR/1.100.0', true],
  ['Microsoft.Azure.SignalR/2.0.0', true],
  ['trunkline-sdk/0.1.0 (Node v22.23.3; linux)', true],
  ['', true],
  ['like Microsoft.Azure.SignalR/1.15.2', true],
])('%s: %s', (userAgent, reopens) => {
  expect(reopensClients(userAgent)).toBe(reopens);
});
