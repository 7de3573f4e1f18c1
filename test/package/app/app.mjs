/** An app in plain JavaScript, as somebody has it who has installed the package. Prints its URL. */
import { createServer as createHttpServer } from 'node:http';

import { createManager, createServer, Hub } from '@trunkline/sdk';

const manager = createManager().hub('Chat');

class Chat extends Hub {
  async send(user, text) {
    await this.clients.all.message(user, text);
    return process.version;
  }

  async *countdown(from) {
    while (from > 0) yield from--;
  }

  async sum(numbers) {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }

  exists() {
    return manager.connectionExists(this.context.connectionId);
  }
}

const server = createServer();
server.hub('/chat', Chat);
await server.start();
const http = createHttpServer(server.node());
http.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${http.address().port}`);
});
process.once('SIGTERM', async () => {
  http.close();
  await server.stop({ timeout: 0 });
});
