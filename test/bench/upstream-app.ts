/**
 * The upstream behind the edge: answers every call with its first argument, and hears of clients that
 * come and go without a word. As short as an upstream can be, so it does not look at signatures.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const RS = '\x1e';

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.headers['x-asrs-category'] !== 'messages') return response.end();
    const { invocationId, arguments: args } = JSON.parse(Buffer.concat(chunks).toString()) as {
      invocationId: string;
      arguments: unknown[];
    };
    return response.end(JSON.stringify({ type: 3, invocationId, result: args[0] }) + RS);
  });
});
// Connections of the edge outlive the time in which nobody is measured.
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('SIGTERM', () => process.exit());
