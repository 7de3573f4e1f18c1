/**
 * The app server behind the edge: echoes and broadcasts, as short as a hub can be; with `--storm` it
 * tells everybody of each newcomer.
 */
import { createServer, Hub } from '@trunkline/sdk';

interface BenchClient {
  tick(text: string): void;
  joined(userId: string): void;
}

const announces = process.argv.includes('--storm');

class Bench extends Hub<BenchClient> {
  override async onConnected(): Promise<void> {
    if (announces) await this.clients.all.joined(this.context.userIdentifier!);
  }

  echo(text: string): string {
    return text;
  }

  async broadcast(text: string): Promise<void> {
    await this.clients.all.tick(text);
  }
}

const server = createServer({ connectionString: process.env['TRUNKLINE_CONNECTION_STRING'] });
server.hub('/bench', Bench);
await server.start();
console.log('app server ready');
process.once('SIGTERM', () => void server.stop({ timeout: 1000 }).then(() => process.exit()));
