import { expect, test } from 'vitest';
import { softwareOf } from './user-agent.ts';

test.each([
  [
    'Microsoft.Azure.SignalR/1.15.2+1f7a (.NET 6.0.36; Debian GNU/Linux 12 (bookworm); X64)',
    'loses',
  ],
  ['Microsoft.Azure.SignalR/1.18.3', 'loses'],
  ['Microsoft.Azure.SignalR/1.19.0', 'answers loses'],
  ['Microsoft.Azure.SignalR/1.33.9 (.NET 8.0.0)', 'answers loses'],
  ['Microsoft.Azure.SignalR/0.99.0', 'loses'],
  ['Microsoft.Azure.SignalR.Management/1.30.3-preview+aa (.NET 8.0.0)', 'answers loses'],
  [
    'Microsoft.Azure.SignalR/1.34.0-rtm+9c449f38 (.NET 10.0.12; Debian GNU/Linux 12; X64)',
    'answers reopens updates loses',
  ],
  ['Microsoft.Azure.SignalR/1.100.0', 'answers reopens updates loses'],
  ['Microsoft.Azure.SignalR/2.0.0', 'answers reopens updates loses'],
  ['trunkline-sdk/0.1.0 (Node v22.23.3; linux)', 'answers reopens rests updates'],
  ['', 'answers reopens updates'],
  ['like Microsoft.Azure.SignalR/1.15.2', 'answers reopens updates'],
])('%s: %s', (userAgent, abilities) => {
  const software = softwareOf(userAgent);
  const able = [
    software.passesAnswers && 'answers',
    software.reopensClients && 'reopens',
    software.restsStreams && 'rests',
    software.updatesClaims && 'updates',
    software.losesEarlyAnswers && 'loses',
  ];
  expect(able.filter(Boolean).join(' ')).toBe(abilities);
});
