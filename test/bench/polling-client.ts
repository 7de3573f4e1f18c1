import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';

const RS = '\u001e';
const HANDSHAKE = `{"protocol":"json","version":1}${RS}`;

/** A client by long polling that calls `echo` again and again: a post and at least one poll for each. */
export class PollingClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 2 });
  readonly #headers: Readonly<Record<string, string>>;
  #path = '';
  readonly #via: string;
  #calls = 0;

  /** `via`: the edge that all requests go to but for the negotiate. */
  constructor(via: string, token: string) {
    this.#via = via;
    this.#headers = { authorization: `Bearer ${token}` };
  }

  /** Negotiates with the edge at `home`, and does the handshake of its hub. */
  async connect(home: string): Promise<void> {
    const query = 'hub=bench&negotiateVersion=1';
    const answer = await this.#send(home, 'POST', `/client/negotiate?${query}`);
    const { connectionToken } = JSON.parse(answer) as { connectionToken: string };
    this.#path = `/client/?hub=bench&id=${encodeURIComponent(connectionToken)}`;
    await this.#poll();
    await this.#post(HANDSHAKE);
    while (!(await this.#poll()).includes(`{}${RS}`));
  }

  /** Resolves when the call is answered. */
  async echo(): Promise<void> {
    const id = `${++this.#calls}`;
    const call = {
      type: 1,
      invocationId: id,
      target: 'echo',
      arguments: ['thirty-two bytes of text'],
    };
    await this.#post(JSON.stringify(call) + RS);
    while (!(await this.#poll()).includes(`"invocationId":"${id}"`));
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(body: string): Promise<string> {
    return this.#send(this.#via, 'POST', this.#path, body);
  }

  #poll(): Promise<string> {
    return this.#send(this.#via, 'GET', this.#path);
  }

  #send(origin: string, method: string, path: string, body = ''): Promise<string> {
    const headers = { ...this.#headers, 'content-length': `${Buffer.byteLength(body)}` };
    const options = { method, headers, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const sent = request(`${origin}${path}`, options, (answer) => {
        text(answer).then((said) => {
          if (answer.statusCode === 200) resolve(said);
          else reject(new Error(`${method} was answered ${answer.statusCode}: ${said}`));
        }, reject);
      });
      sent.once('error', reject);
      sent.end(body);
    });
  }
}
