import { MessageType, type OpenConnection } from '@trunkline/protocol';
import { describe, expect, it } from 'vitest';

import { HttpConnection } from './support/http-connection.ts';
import { JSON_HANDSHAKE } from './support/hub-client.ts';
import { frame, Opcode, RawSocket, UPGRADE } from './support/raw-socket.ts';
import { sharedEdge } from './support/shared-edge.ts';

/** What reaches a hub of header values and queries beyond ASCII, byte by byte. */

const { edge, server } = await sharedEdge();

type Headers = Readonly<Record<string, string>>;

const TRANSPORTS: Record<string, Headers> = {
  WebSockets: UPGRADE,
  'server-sent events': { Accept: 'text/event-stream' },
  'long polling': {},
};

/** What the hub is told of a client whose header and query hold these bytes. */
async function arrive(headers: Headers, header: Uint8Array, query: Uint8Array) {
  const connection = await HttpConnection.negotiate(edge.url);
  const { accessToken, connectionId } = connection.negotiated;
  using socket = new RawSocket(edge.url);
  const lines = Object.entries({ Authorization: `Bearer ${accessToken}`, ...headers })
    .map(([name, value]) => `\r\n${name}: ${value}`)
    .join('');
  socket.write(
    Buffer.concat([
      Buffer.from(`GET ${connection.path}&city=`),
      query,
      Buffer.from(` HTTP/1.1\r\nHost: edge${lines}\r\nX-City: `),
      header,
      Buffer.from('\r\n\r\n'),
    ]),
  );
  if ('Upgrade' in headers) {
    await socket.upgraded();
    socket.write(frame(Opcode.Text, JSON_HANDSHAKE));
  } else {
    await socket.answer();
    await connection.post(JSON_HANDSHAKE);
  }
  const opened = await server.received.first(
    (message): message is OpenConnection =>
      message.type === MessageType.OpenConnection && message.connectionId === connectionId,
    'the OpenConnection',
  );
  return {
    header: opened.headers.get('x-city')?.[0],
    city: new URLSearchParams(opened.queryString).get('city'),
  };
}

const NOTHING = Buffer.alloc(0);

describe.each(Object.entries(TRANSPORTS))('%s', (_transport, headers) => {
  it.each(['São Paulo', 'x 東京 x', '"Bogotá"', 'a\tb', 'Bogot%C3%A1'])(
    'the header %j is whole UTF-8',
    async (text) => {
      expect((await arrive(headers, Buffer.from(text), NOTHING)).header).toBe(text);
    },
  );

  // uWebSockets.js takes bytes for signed, and so these for blanks at an end.
  it.each([
    ['Bogotá', 'Bogot'],
    ['Århus', 'rhus'],
    ['東京', ''],
  ])('the header %j loses its ends: %j', async (text, left) => {
    expect((await arrive(headers, Buffer.from(text), NOTHING)).header).toBe(left);
  });

  it('a byte that is no UTF-8 is the mark for that', async () => {
    const bytes = Buffer.from('Bogot\xe1!', 'latin1');
    expect((await arrive(headers, bytes, NOTHING)).header).toBe('Bogot\ufffd!');
  });

  it.each(['Bogotá', '東京', 'São Paulo'])('the query %j is whole UTF-8', async (text) => {
    const raw = Buffer.from(text.replaceAll(' ', '+'));
    expect((await arrive(headers, NOTHING, raw)).city).toBe(text);
    const escaped = Buffer.from(encodeURIComponent(text));
    expect((await arrive(headers, NOTHING, escaped)).city).toBe(text);
  });
});
