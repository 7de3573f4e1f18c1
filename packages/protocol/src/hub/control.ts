import { ByteWriter } from '../service/byte-writer.ts';
import { HubMessageType } from './record-info.ts';

/**
 * Hub messages that somebody between client and hub may have to write, framed for a text or a
 * binary hub protocol (client protocols reference, sections 3.2, 3.4 and 3.5).
 */

/** `allowReconnect` false makes automatic reconnection stop for good (section 2.1). */
export function encodeClose(
  binary: boolean,
  error: string | undefined,
  allowReconnect: boolean,
): Uint8Array {
  if (!binary) {
    return textRecord({
      type: HubMessageType.Close,
      error,
      ...(allowReconnect ? { allowReconnect } : {}),
    });
  }
  return binaryRecord((writer) => {
    writer.arrayHeader(3);
    writer.int(HubMessageType.Close);
    if (error === undefined) writer.nil();
    else writer.text(error);
    writer.boolean(allowReconnect);
  });
}

/** Ends a call that its client has open, in the hub's place. */
export function encodeErrorCompletion(
  binary: boolean,
  invocationId: string,
  error: string,
): Uint8Array {
  if (!binary) return textRecord({ type: HubMessageType.Completion, invocationId, error });
  return binaryRecord((writer) => {
    writer.arrayHeader(5);
    writer.int(HubMessageType.Completion);
    writer.mapHeader(0);
    writer.text(invocationId);
    writer.int(1);
    writer.text(error);
  });
}

/** The same for a call that went well, and has no result to tell of. */
export function encodeVoidCompletion(binary: boolean, invocationId: string): Uint8Array {
  if (!binary) return textRecord({ type: HubMessageType.Completion, invocationId });
  return binaryRecord((writer) => {
    writer.arrayHeader(4);
    writer.int(HubMessageType.Completion);
    writer.mapHeader(0);
    writer.text(invocationId);
    writer.int(2);
  });
}

export function encodePing(binary: boolean): Uint8Array {
  if (!binary) return textRecord({ type: HubMessageType.Ping });
  return binaryRecord((writer) => {
    writer.arrayHeader(1);
    writer.int(HubMessageType.Ping);
  });
}

function textRecord(message: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(message)}\x1e`);
}

function binaryRecord(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(64);
  const frame = writer.beginFrame();
  write(writer);
  writer.endFrame(frame);
  return Buffer.from(writer.view());
}
