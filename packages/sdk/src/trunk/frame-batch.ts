import type { ServiceMessage } from '@trunkline/protocol';
import {
  ByteWriter,
  MessageType,
  TRUNK_FRAME_BYTES,
  writeServiceMessage,
} from '@trunkline/protocol';

/**
 * Collects the service messages of one turn of the event loop and hands them on together: one
 * WebSocket message a turn costs far less than one a message. A batch is cut at 1 MiB.
 */
export class FrameBatch {
  readonly #writer = new ByteWriter();
  readonly #send: (bytes: Buffer) => void;
  #scheduled = false;

  /** `send` owns the bytes it is given. */
  constructor(send: (bytes: Buffer) => void) {
    this.#send = send;
  }

  /** Bytes not handed on yet. */
  get size(): number {
    return this.#writer.length;
  }

  add(message: ServiceMessage): void {
    writeServiceMessage(this.#writer, message);
    this.#written();
  }

  /**
   * Adds a ConnectionData with its data type, field by field: nearly every message of an echo is
   * one, and the general writer costs several times as much.
   */
  addData(connectionId: string, payload: Uint8Array, dataType: number): void {
    const writer = this.#writer;
    const frame = writer.beginFrame();
    writer.arrayHeader(4);
    writer.byte(MessageType.ConnectionData);
    writer.text(connectionId);
    writer.binary(payload);
    writer.mapHeader(1);
    writer.byte(DATA_TYPE_KEY);
    writer.byte(dataType);
    writer.endFrame(frame);
    this.#written();
  }

  flush(): void {
    this.#scheduled = false;
    const writer = this.#writer;
    if (writer.length === 0) return;
    const bytes = Buffer.from(writer.view());
    writer.clear();
    this.#send(bytes);
  }

  #written(): void {
    if (this.#writer.length >= TRUNK_FRAME_BYTES) this.flush();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => this.flush());
    }
  }
}

/** Extension key of ConnectionData (service protocol reference, section 5.3). */
const DATA_TYPE_KEY = 5;
