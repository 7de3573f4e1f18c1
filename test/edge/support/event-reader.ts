import { Mailbox } from '@trunkline/testing';

/** Reads an answer of server-sent events as browsers do, and keeps its bytes too. */
export class EventReader {
  /** The data of each event. */
  readonly events = new Mailbox<string>();
  /** Resolves when the stream is over: with `end` when the answer is complete, else with `cut`. */
  readonly ended: Promise<'end' | 'cut'>;
  /** Everything that has come. */
  text = '';
  #rest = '';
  #data: string[] = [];

  /** `each` is given the data of each event. */
  constructor(response: Response, each: (data: string) => void = () => {}) {
    this.ended = this.#read(response.body!, each);
  }

  async #read(
    body: ReadableStream<Uint8Array>,
    each: (data: string) => void,
  ): Promise<'end' | 'cut'> {
    const decoder = new TextDecoder();
    let how: 'end' | 'cut' = 'end';
    try {
      for await (const chunk of body) this.#take(decoder.decode(chunk, { stream: true }), each);
    } catch {
      how = 'cut';
    }
    this.events.end(`the stream is over (${how})`);
    return how;
  }

  /** Lines end in CR, LF or both; an empty one ends the event, and comments are passed over. */
  #take(text: string, each: (data: string) => void): void {
    this.text += text;
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('data:')) this.#data.push(line.slice('data:'.length).replace(/^ /, ''));
      if (line !== '' || this.#data.length === 0) continue;
      const data = this.#data.join('\n');
      this.#data = [];
      this.events.add(data);
      each(data);
    }
  }
}
