import { ByteWriter } from '../service/byte-writer.ts';
import { HubMessageType } from './record-info.ts';

/**
 * Hub messages that a service writes to clients for somebody who is no hub server, framed for a text or
 * a binary hub protocol (client protocols reference, sections 3.2 to 3.5). Values come in the form of
 * that protocol already: as JSON text, or as MessagePack.
 */
export interface Call {
  readonly target: string;
  /** An array. */
  readonly args: Uint8Array;
  /** Of a call that the client is to answer. */
  readonly invocationId?: string | undefined;
}

export function encodeInvocation(
  binary: boolean,
  { target, args, invocationId }: Call,
): Uint8Array {
  if (!binary) {
    const head = JSON.stringify({ type: HubMessageType.Invocation, invocationId, target });
    return textRecord(head, 'arguments', args);
  }
  return binaryRecord(args.length, (writer) => {
    writer.arrayHeader(6);
    writer.int(HubMessageType.Invocation);
    writer.mapHeader(0);
    if (invocationId === undefined) writer.nil();
    else writer.text(invocationId);
    writer.text(target);
    writer.raw(args);
    writer.arrayHeader(0);
  });
}

export function encodeStreamItem(
  binary: boolean,
  invocationId: string,
  item: Uint8Array,
): Uint8Array {
  if (!binary) {
    return textRecord(
      JSON.stringify({ type: HubMessageType.StreamItem, invocationId }),
      'item',
      item,
    );
  }
  return binaryRecord(item.length, (writer) => {
    writer.arrayHeader(4);
    writer.int(HubMessageType.StreamItem);
    writer.mapHeader(0);
    writer.text(invocationId);
    writer.raw(item);
  });
}

/** `head`: an object, which gets one member more. */
function textRecord(head: string, name: string, value: Uint8Array): Uint8Array {
  return Buffer.concat([
    Buffer.from(`${head.slice(0, -1)},"${name}":`),
    value,
    Buffer.from('}\x1e'),
  ]);
}

function binaryRecord(valueBytes: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(256 + valueBytes);
  const frame = writer.beginFrame();
  write(writer);
  writer.endFrame(frame);
  return writer.view();
}
