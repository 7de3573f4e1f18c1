import {
  ByteReader,
  ByteWriter,
  frameBodyStart,
  HubMessageType,
  isBinaryProtocol,
  recordEnd,
} from '@trunkline/protocol';

/**
 * What a hub whose every method returns its first argument answers to `bytes`, whole hub messages of
 * a client: a completion for each invocation that wants one, in order (client protocols reference,
 * section 3.3). Undefined when none does.
 */
export function echo(protocol: string, bytes: Uint8Array): Uint8Array | undefined {
  const binary = isBinaryProtocol(protocol);
  const answers: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = recordEnd(binary, bytes, start, bytes.length);
    if (end === -1) throw new Error('the edge has cut a hub message');
    const answer = binary ? binaryAnswer(bytes, start, end) : textAnswer(bytes, start, end);
    if (answer !== undefined) answers.push(answer);
    start = end;
  }
  return answers.length === 0 ? undefined : Buffer.concat(answers);
}

interface Invocation {
  type: number;
  invocationId?: string;
  arguments?: unknown[];
}

function textAnswer(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const text = Buffer.from(bytes.subarray(start, end - 1)).toString();
  const message = JSON.parse(text) as Invocation;
  if (message.type !== HubMessageType.Invocation || !message.invocationId) return undefined;
  const { invocationId, arguments: values = [] } = message;
  const completion = { type: HubMessageType.Completion, invocationId, result: values[0] ?? null };
  return Buffer.from(`${JSON.stringify(completion)}\x1e`);
}

const RESULT = 3;

/** `[1, headers, invocationId, target, [arguments]]`: the argument goes back as the bytes it is. */
function binaryAnswer(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const reader = new ByteReader(bytes, frameBodyStart(bytes, start), end);
  reader.arrayHeader();
  if (reader.int() !== HubMessageType.Invocation) return undefined;
  reader.skip();
  if (reader.nil()) return undefined;
  const invocationId = reader.text();
  reader.skip();
  reader.arrayHeader();
  const from = reader.offset;
  reader.skip();
  const writer = new ByteWriter();
  const frame = writer.beginFrame();
  writer.arrayHeader(5);
  writer.int(HubMessageType.Completion);
  writer.mapHeader(0);
  writer.text(invocationId);
  writer.int(RESULT);
  writer.raw(bytes.subarray(from, reader.offset));
  writer.endFrame(frame);
  return Buffer.from(writer.view());
}
