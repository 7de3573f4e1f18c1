import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { Mailbox } from '@trunkline/testing';
import { expect, it } from 'vitest';

import { DEADLINE_MS } from '../../conformance/client.ts';
import type { AppServer } from '../../conformance/start-app-server.ts';

const JOINERS = 20;

const TRANSPORTS = ['WebSockets', 'ServerSentEvents', 'LongPolling'] as const;

/** What a newcomer's own OnConnectedAsync sends to everybody reaches the newcomer. */
export function defineGreetingTests(app: () => AppServer): void {
  it.for(TRANSPORTS)('greets each of 20 who join at once, over %s', async (transport) => {
    const joiners = Array.from({ length: JOINERS }, () => {
      const connection = new HubConnectionBuilder()
        .withUrl(`${app().url}/greeter`, { transport: HttpTransportType[transport] })
        .configureLogging(LogLevel.None)
        .build();
      const greeted = new Mailbox<string>();
      connection.on('joined', (id: string) => greeted.add(id));
      return { connection, greeted };
    });
    try {
      await Promise.all(joiners.map(({ connection }) => connection.start()));
      const heard = joiners.map(({ connection, greeted }) =>
        greeted.first((id) => id === connection.connectionId, 'the greeting', DEADLINE_MS),
      );
      const results = await Promise.allSettled(heard);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(JOINERS);
    } finally {
      await Promise.all(joiners.map(({ connection }) => connection.stop()));
    }
  });
}
