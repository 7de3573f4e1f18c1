import type { Bus, GapCause, JoinBus } from '../ports/bus.ts';

/** What an edge has heard, in the order in which it came. */
export type Heard =
  | { readonly subject: string; readonly from: string; readonly text: string }
  | { readonly gap: GapCause; readonly from: string | undefined }
  | { readonly gone: string }
  | 'up'
  | 'down';

/** An edge on a bus that does nothing but say and listen. */
export class BusMember {
  readonly edgeId: string;
  readonly bus: Bus;
  readonly heard: Heard[] = [];
  /** What it was told of why the bus was down. */
  readonly whys: string[] = [];
  /** Of all messages. */
  receivedBytes = 0;

  constructor(edgeId: string, join: JoinBus) {
    this.edgeId = edgeId;
    this.bus = join({
      message: (subject, from, bytes) => {
        this.receivedBytes += bytes.length;
        const text = Buffer.from(bytes.subarray(0, 100)).toString();
        this.heard.push({ subject, from, text });
      },
      together: (hear) => hear(),
      gap: (from, gap) => void this.heard.push({ gap, from }),
      gone: (edgeId) => void this.heard.push({ gone: edgeId }),
      up: () => void this.heard.push('up'),
      down: (why) => {
        this.whys.push(why);
        this.heard.push('down');
      },
    });
  }

  /** Resolves when it hears all that others say from then on. */
  async subscribe(...subjects: readonly string[]): Promise<void> {
    for (const subject of subjects) this.bus.subscribe(subject);
    await new Promise<void>((resolve) => this.bus.whenSubscribed(resolve));
  }

  publish(subject: string, ...texts: readonly string[]): void {
    for (const text of texts) this.bus.publish(subject, Buffer.from(text));
  }

  send(edgeId: string, ...texts: readonly string[]): void {
    for (const text of texts) this.bus.send(edgeId, Buffer.from(text));
  }

  /** The messages, each as `subject text`; those over 100 bytes by their first 100. */
  get messages(): string[] {
    return this.heard.flatMap((one) =>
      typeof one === 'object' && 'text' in one ? [`${one.subject} ${one.text}`] : [],
    );
  }

  /** The gaps, each as `cause from`; `cause` alone where anybody may be meant. */
  get gaps(): string[] {
    return this.heard.flatMap((one) =>
      typeof one === 'object' && 'gap' in one ? [`${one.gap} ${one.from ?? ''}`.trimEnd()] : [],
    );
  }
}
