/**
 * What an app server is compared with: `ws` and JSON, as one would write it by hand, without an edge
 * in front. Answers the hub handshake, and each call with its first argument.
 */
import { WebSocketServer } from 'ws';

const RS = '\u001e';

interface Call {
  readonly type?: number;
  readonly invocationId?: string;
  readonly arguments?: readonly unknown[];
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket) => {
  let shaken = false;
  socket.on('message', (data) => {
    for (const record of (data as Buffer).toString('utf8').split(RS)) {
      if (record === '') continue;
      const call = JSON.parse(record) as Call;
      if (!shaken) {
        shaken = true;
        socket.send(`{}${RS}`);
      } else if (call.type === 1) {
        const { invocationId } = call;
        socket.send(JSON.stringify({ type: 3, invocationId, result: call.arguments?.[0] }) + RS);
      }
    }
  });
});
server.once('listening', () => {
  const { port } = server.address() as { port: number };
  console.log(`listening on http://127.0.0.1:${port}`);
});
