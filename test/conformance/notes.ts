/** The app servers' side of what they share; see contract.ts. */
export class Notes {
  readonly #url: string | undefined;
  #added: Promise<unknown> = Promise.resolve();

  constructor(url: string | undefined) {
    this.#url = url;
  }

  /** Holds nobody up: what a hub does next could else come too late for what a scenario is about. */
  add(tag: string, entry: string): void {
    this.#added = this.#added.then(() => this.#ask('POST', 'journal', tag, entry));
    // Who reads hears of it.
    this.#added.catch(() => {});
  }

  /** With all that was added here before. */
  async read(tag: string): Promise<string[]> {
    await this.#added;
    return (await (await this.#ask('GET', 'journal', tag)).json()) as string[];
  }

  async pass(gate: string): Promise<void> {
    await this.#ask('GET', 'gate', gate);
  }

  async open(gate: string): Promise<void> {
    await this.#ask('POST', 'gate', gate);
  }

  async #ask(method: string, what: string, name: string, body?: string): Promise<Response> {
    if (this.#url === undefined) throw new Error('this app server was started without NOTES_URL');
    const url = `${this.#url}/${what}?${new URLSearchParams({ name }).toString()}`;
    const answer = await fetch(url, { method, ...(body !== undefined && { body }) });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status}`);
    return answer;
  }
}
