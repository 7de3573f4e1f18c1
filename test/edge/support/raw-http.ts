import type { HttpConnection } from './http-connection.ts';
import type { RawSocket } from './raw-socket.ts';

/** An answer with a length, or with none and no body. */
export interface RawAnswer {
  readonly status: number;
  readonly body: string;
}

/** The complete answers at the start of what has come over a connection, in their order. */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let start = 0; ;) {
    const end = text.indexOf('\r\n\r\n', start);
    if (end === -1) return answers;
    const head = text.slice(start, end);
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    const body = end + '\r\n\r\n'.length;
    if (text.length < body + length) return answers;
    answers.push({
      status: Number(head.split(' ')[1]),
      body: text.slice(body, body + length),
    });
    start = body + length;
  }
}

/** The bytes of a request of a connection. */
export function requestBytes(
  { path, negotiated }: HttpConnection,
  method: string,
  { body = '', headers = {} }: { body?: string; headers?: Readonly<Record<string, string>> } = {},
): Buffer {
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: edge',
    `Authorization: Bearer ${negotiated.accessToken}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** The same with its body in chunks of these lengths; what is left is the last. */
export function chunkedRequestBytes(
  { path, negotiated }: HttpConnection,
  method: string,
  body: string,
  lengths: readonly number[],
): Buffer {
  const head = [
    `${method} ${path} HTTP/1.1`,
    'Host: edge',
    `Authorization: Bearer ${negotiated.accessToken}`,
    'Transfer-Encoding: chunked',
  ];
  const bytes = Buffer.from(body);
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of [...lengths, bytes.length]) {
    const chunk = bytes.subarray(at, at + length);
    at += chunk.length;
    chunks.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([
    Buffer.from(`${head.join('\r\n')}\r\n\r\n`),
    ...chunks,
    Buffer.from('0\r\n\r\n'),
  ]);
}

/** Writes the pieces between cuts, each in a segment of its own. */
export async function writePieces(
  socket: RawSocket,
  bytes: Uint8Array,
  cuts: Iterable<number>,
): Promise<void> {
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    if (to <= from) continue;
    socket.write(bytes.subarray(from, to));
    from = to;
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
